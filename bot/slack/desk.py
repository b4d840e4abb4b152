"""Decides on what is said and clicked in Slack: who it is at GitHub, which repository, then as on every face."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot import messages
from bot.clock import Clock
from bot.commands import COMMANDS, Command
from bot.desk.buttons import command_of
from bot.desk.facts import Facts, facts_about
from bot.desk.orders import Order, OrderDesk
from bot.desk.outcome import Outcome, settle
from bot.errors import Permanent, Refused, ShipmateError, Transient, UserMistake
from bot.github.api import GitHub
from bot.github.app import installation_of
from bot.github.failures import NotFound
from bot.intake import Reading
from bot.model import Delivery, Job, Origin, Repository
from bot.slack.client import SlackClient
from bot.slack.mrkdwn import escaped, mrkdwn
from bot.slack.requests import NothingForUs, SlackClicked, SlackRequest, SlackSaid, Speaker, read_request
from bot.slack.sign_in import TICKET_LIFE_S, SignIn
from bot.slack.words import ACCOUNT_WORDS, Asked, help_in_slack, job_named, read_words
from bot.store import Answer, Deliveries, Jobs, LinkTicket, Settlement, SlackLink, SlackLinks, SlackPlace

NO_REPOSITORY = Repository(0, "")
METADATA: Mapping[str, str] = {"metadata": "read"}
STARTS_A_JOB = frozenset({"deploy", "rollback"})


@dataclass(frozen=True, slots=True)
class People:
    """Who is who, and how they prove it. Without `sign_in` nobody can be linked here."""

    links: SlackLinks
    sign_in: SignIn | None
    clock: Clock


class SlackDesk:
    """One desk for all of Slack; `read` is what the intake asks of it."""

    def __init__(
        self,
        github: GitHub,
        slack: SlackClient,
        orders: OrderDesk,
        deliveries: Deliveries,
        jobs: Jobs,
        people: People,
        locale: str = "en",
    ) -> None:
        self._github = github
        self._slack = slack
        self._orders = orders
        self._deliveries = deliveries
        self._jobs = jobs
        self._people = people
        self._locale = locale

    def read(self, delivery: Delivery) -> Reading:
        """Understand one recorded request. Raises Unreadable."""
        request = read_request(delivery.body)
        chain = "" if isinstance(request, NothingForUs) else f"slack {request.where.channel}"
        key = request.semantic_key if isinstance(request, SlackSaid) else None
        return Reading(
            key, chain, lambda: self._decide(request, delivery), lambda error: self._give_up(request, delivery, error)
        )

    async def _decide(self, request: SlackRequest, delivery: Delivery) -> Settlement:
        """Raises Transient when GitHub cannot be asked: the request is tried again."""
        if isinstance(request, NothingForUs):
            return Settlement("ignored", request.reason)
        try:
            if isinstance(request, SlackClicked):
                return await self._clicked(request, delivery)
            return settle([await self._said(request, delivery)])
        except (Refused, Permanent, UserMistake) as refused:
            return self._refused(request.where, delivery, refused)

    async def _give_up(self, request: SlackRequest, delivery: Delivery, error: ShipmateError) -> Settlement:
        """The person is told why nothing came of it."""
        if isinstance(request, NothingForUs):
            return Settlement("ignored", request.reason)
        passing = isinstance(error, Transient)
        refusal = Refused("github_unavailable", reason=error.code) if passing else error
        return self._refused(request.where, delivery, refusal)

    # What was said

    async def _said(self, said: SlackSaid, delivery: Delivery) -> Outcome:
        asked = read_words(said.text)
        name = asked.command.name
        if name == "help":
            return self._help(asked.command, said, delivery)
        if name in ACCOUNT_WORDS:
            return await self._account(name, said, delivery)
        link = await self._linked(said.speaker)
        facts, repository = await self._about(asked)
        if name in STARTS_A_JOB and not await self._slack.is_heard_in(said.where.channel):
            raise Refused("slack_not_in_channel")
        where = said.where
        origin = Origin("slack", link.github_login, facts.installation_id, channel=where.channel, thread=where.thread)
        command = await _with_ref(asked.command, facts)
        try:
            outcome = await self._obey(command, repository, origin, link, delivery, facts)
        except Refused as refused:
            if refused.code == "repository_unknown" and asked.repository is None:
                raise Refused("job_not_found", job=job_named(command)) from refused
            raise
        answers = tuple(
            dataclasses.replace(answer, body=mrkdwn(answer.body), slack=where) for answer in outcome.answers
        )
        return dataclasses.replace(outcome, answers=answers)

    def _help(self, command: Command, said: SlackSaid, delivery: Delivery) -> Outcome:
        wanted = command.arguments.get("command", "").removeprefix("/")
        known = wanted if wanted in COMMANDS or wanted in ACCOUNT_WORDS else None
        text = help_in_slack(self._locale, known)
        return Outcome("acted", "help_told", answers=(self._answer(text, said.where, delivery),))

    async def _about(self, asked: Asked) -> tuple[Facts, Repository]:
        """Facts about the repository that was named, or about that of the job that was."""
        job_id = job_named(asked.command)
        if asked.repository is None:
            job = await self._jobs.get(job_id or "")
            if job is None:
                raise Refused("job_not_found", job=job_id)
            return await facts_about(self._github, job.origin.installation_id or None, job.repository), job.repository
        try:
            installation = await installation_of(self._github.app, asked.repository)
            if installation.suspended:
                raise Refused("repository_unknown", repository=asked.repository)
            owner, _, name = asked.repository.partition("/")
            repository, default_branch = await self._github.installation(installation.id, METADATA).call(
                "GET /repos/{owner}/{repo}",
                lambda data: (Repository(int(data["id"]), str(data["full_name"])), str(data["default_branch"])),
                owner=owner,
                repo=name,
            )
        except NotFound as error:
            raise Refused("repository_unknown", repository=asked.repository) from error
        return await facts_about(self._github, installation.id, repository, default_branch), repository

    async def _obey(
        self,
        command: Command,
        repository: Repository,
        origin: Origin,
        link: SlackLink,
        delivery: Delivery,
        facts: Facts,
        known_sha: str | None = None,
    ) -> Outcome:
        """What every face's desk says. Who may not even read is told the same as for a name that is not there."""
        order = Order(
            command, repository, origin, link.github_id, None, False, delivery.seq, delivery.guid, known_sha=known_sha
        )
        try:
            return await self._orders.decide(order, facts)
        except Refused as refused:
            if refused.code == "permission_needed" and refused.facts.get("has") == "none":
                raise Refused("repository_unknown", repository=repository.full_name) from refused
            if refused.code == "permission_needed":
                raise Refused(refused.code, **{**refused.facts, "command": f"shipmate {command.name}"}) from refused
            raise

    # What was clicked

    async def _clicked(self, click: SlackClicked, delivery: Delivery) -> Settlement:
        """A click is an order of the one who clicks, judged by the same rules as the command; it acts once."""
        key = f"slack-click-{click.where.channel}-{click.message_ts}-{click.action}"
        job = await self._jobs.get(click.job_id)
        if job is None or click.action not in {"cancel", "rollback", "retry"}:
            raise Refused("rerun_unknown")
        link = await self._linked(click.speaker)
        if await self._deliveries.acted_on(key):
            raise Refused("click_repeated")
        facts = await facts_about(self._github, job.origin.installation_id or None, job.repository)
        origin = Origin("slack", link.github_login, facts.installation_id, channel=click.where.channel)
        command = command_of(click.action, job)
        outcome = await self._obey(command, job.repository, origin, link, delivery, facts, job.sha)
        shown = self._shown(click, link, job, delivery)
        return Settlement(outcome.result, outcome.reason, key, outcome.jobs, outcome.cancels, answers=(shown,))

    def _shown(self, click: SlackClicked, link: SlackLink, job: Job, delivery: Delivery) -> Answer:
        """Who clicked what, for everyone, under the job's message."""
        text = messages.say(
            self._locale,
            "slack.clicked",
            user=f"<@{click.speaker.user.user_id}>",
            login=escaped(link.github_login),
            button=messages.say(self._locale, f"report.button.{click.action}"),
            job=job.id,
        )
        place = SlackPlace(click.where.channel, thread=click.thread)
        return self._answer(text, place, delivery)

    # Who is who

    async def _linked(self, speaker: Speaker) -> SlackLink:
        link = await self._people.links.of(speaker.user)
        if link is None:
            raise Refused("slack_not_linked")
        return link

    async def _account(self, name: str, said: SlackSaid, delivery: Delivery) -> Outcome:
        user = said.speaker.user
        if name == "link":
            text = await self._offer(said, delivery)
        elif name == "unlink":
            gone = await self._people.links.unlink(user)
            text = messages.say(self._locale, "slack.unlinked" if gone else "slack.not_linked")
        else:
            link = await self._people.links.of(user)
            words = {"login": escaped(link.github_login), "id": link.github_id} if link else {}
            text = messages.say(self._locale, "slack.whoami" if link else "slack.not_linked", **words)
        return Outcome("acted", f"{name}_told", answers=(self._answer(text, said.where, delivery),))

    async def _offer(self, said: SlackSaid, delivery: Delivery) -> str:
        sign_in = self._people.sign_in
        if sign_in is None:
            raise Refused("link_unavailable")
        secret = sign_in.secret_for(delivery.guid)
        speaker = said.speaker
        ticket = LinkTicket(speaker.user, speaker.name, speaker.team_name, said.where.channel)
        await self._people.links.offer(secret, ticket, self._people.clock() + timedelta(seconds=TICKET_LIFE_S))
        return messages.say(
            self._locale, "slack.link", address=sign_in.link_address(secret), minutes=TICKET_LIFE_S // 60
        )

    # What is said back

    def _refused(self, where: SlackPlace, delivery: Delivery, refused: ShipmateError) -> Settlement:
        text = mrkdwn(messages.failure(self._locale, refused.code, refused.facts))
        return Settlement("refused", refused.code, answers=(self._answer(text, where, delivery),))

    def _answer(self, text: str, where: SlackPlace, delivery: Delivery) -> Answer:
        return Answer(delivery.guid, NO_REPOSITORY, 0, None, text, slack=where)


async def _with_ref(command: Command, facts: Facts) -> Command:
    """In Slack there is no pull request: a deploy without a ref is one of the default branch."""
    if command.name != "deploy" or "ref" in command.arguments:
        return command
    return dataclasses.replace(command, arguments={**command.arguments, "ref": await facts.default_branch()})
