"""Decides on what is said and clicked in Slack: who it is at GitHub, which repository, then as on every face."""

from __future__ import annotations

import dataclasses

from bot import messages
from bot.commands import COMMANDS
from bot.desk.buttons import command_of
from bot.desk.facts import Facts, facts_about
from bot.desk.order import Order
from bot.desk.orders import OrderDesk
from bot.desk.outcome import Outcome, settle
from bot.errors import Permanent, Refused, ShipmateError, Transient, UserMistake
from bot.github.api import GitHub
from bot.grammar import Command
from bot.intake import Reading
from bot.model import Delivery, Job, Origin, Repository
from bot.slack import record
from bot.slack.accounts import Accounts
from bot.slack.channels import Channels, with_environment
from bot.slack.client import SlackClient
from bot.slack.home import Home
from bot.slack.mrkdwn import escaped, mrkdwn
from bot.slack.repositories import repository_named
from bot.slack.requests import HomeOpened, NothingForUs, SlackClicked, SlackRequest, SlackSaid, read_request
from bot.slack.words import (
    ACCOUNT_WORDS,
    CHANNEL_WORDS,
    STARTS_A_JOB,
    Asked,
    help_in_slack,
    job_named,
    read_words,
    repository_needed,
)
from bot.store import Answer, ChannelBinding, Deliveries, Jobs, Settlement, SlackLink, SlackPlace

NO_REPOSITORY = Repository(0, "")


class SlackDesk:
    """One desk for all of Slack; `read` is what the intake asks of it."""

    def __init__(
        self,
        github: GitHub,
        slack: SlackClient,
        orders: OrderDesk,
        deliveries: Deliveries,
        jobs: Jobs,
        accounts: Accounts,
        channels: Channels,
        home: Home,
        locale: str = "en",
    ) -> None:
        self._github = github
        self._slack = slack
        self._orders = orders
        self._deliveries = deliveries
        self._jobs = jobs
        self._accounts = accounts
        self._channels = channels
        self._home = home
        self._locale = locale

    def read(self, delivery: Delivery) -> Reading:
        """Understand one recorded request. Raises Unreadable."""
        request = read_request(delivery.body)
        chain = f"slack {request.where.channel}" if isinstance(request, SlackSaid | SlackClicked) else ""
        key = request.semantic_key if isinstance(request, SlackSaid) else None
        return Reading(
            key, chain, lambda: self._decide(request, delivery), lambda error: self._give_up(request, delivery, error)
        )

    async def _decide(self, request: SlackRequest, delivery: Delivery) -> Settlement:
        """Raises Transient when GitHub cannot be asked: the request is tried again."""
        if isinstance(request, NothingForUs):
            return Settlement("ignored", request.reason)
        if isinstance(request, HomeOpened):
            return await self._at_home(request)
        try:
            if isinstance(request, SlackClicked):
                return await self._clicked(request, delivery)
            return settle([await self._said(request, delivery)])
        except (Refused, Permanent, UserMistake) as refused:
            return await self._refused(request, delivery, refused)

    async def _give_up(self, request: SlackRequest, delivery: Delivery, error: ShipmateError) -> Settlement:
        """The person is told why nothing came of it."""
        if isinstance(request, NothingForUs | HomeOpened):
            return Settlement("failed", error.code)
        passing = isinstance(error, Transient)
        refusal = Refused("github_unavailable", reason=error.code) if passing else error
        return await self._refused(request, delivery, refusal)

    async def _at_home(self, opened: HomeOpened) -> Settlement:
        try:
            await self._home.show(opened.user)
        except Permanent as refused:
            return Settlement("failed", refused.code)
        return Settlement("acted", "home_shown")

    # What was said

    async def _said(self, said: SlackSaid, delivery: Delivery) -> Outcome:
        asked = read_words(said.text)
        name = asked.command.name
        if name == "help":
            return await self._help(asked.command, said, delivery)
        if name in ACCOUNT_WORDS:
            text = await self._accounts.answer(name, said, delivery.guid)
            return await self._told(name, text, said, said.where, delivery)
        link = await self._accounts.of(said.speaker)
        if name in CHANNEL_WORDS:
            text = await self._channels.answer(asked, link, said)
            return await self._told(name, text, said, await self._for_everyone(said.where), delivery)
        return await self._command(asked, link, said.where, delivery)

    async def _command(self, asked: Asked, link: SlackLink, where: SlackPlace, delivery: Delivery) -> Outcome:
        """A command of the shared grammar. Whether the repository exists is not told before the person may know."""
        if asked.command.name in STARTS_A_JOB and not await self._slack.is_heard_in(where.channel):
            raise Refused("slack_not_in_channel")
        binding = await self._channels.meant(asked, where.channel)
        facts, repository = await self._about(asked, binding)
        origin = Origin(
            "slack",
            link.github_login,
            facts.installation_id,
            channel=where.channel,
            thread=where.thread,
            actor_id=link.github_id,
        )
        command = await _with_ref(with_environment(asked.command, binding), facts)
        order = Order(command, repository, origin, link.github_id, None, False, delivery.seq, delivery.guid)
        return await self._obey(order, facts, where, is_repository_known=asked.repository is not None)

    async def _help(self, command: Command, said: SlackSaid, delivery: Delivery) -> Outcome:
        wanted = command.arguments.get("command", "").removeprefix("/")
        known = wanted if wanted in {*COMMANDS, *ACCOUNT_WORDS, *CHANNEL_WORDS} else None
        return await self._told("help", help_in_slack(self._locale, known), said, said.where, delivery)

    async def _about(self, asked: Asked, binding: ChannelBinding | None) -> tuple[Facts, Repository]:
        """Facts about the repository of the job that was named, else the one that was named, else the channel's."""
        job_id = job_named(asked.command)
        if asked.repository is not None:
            return await repository_named(self._github, asked.repository)
        if job_id is not None:
            job = await self._jobs.get(job_id)
            if job is None:
                raise Refused("job_not_found", job=job_id)
            return await facts_about(self._github, job.origin.installation_id or None, job.repository), job.repository
        if binding is None:
            raise repository_needed(asked.command)
        return await repository_named(self._github, binding.repository.full_name)

    async def _obey(self, order: Order, facts: Facts, where: SlackPlace, *, is_repository_known: bool) -> Outcome:
        """What every face's desk says, in Slack's markup."""

        def refuse(refused: ShipmateError) -> Answer:
            shown = _as_told(refused, order, is_repository_known)
            return self._orders.answer(order, messages.failure(self._locale, shown.code, shown.facts), None)

        outcome = await self._orders.decide(order, facts, refuse)
        answers = tuple(
            dataclasses.replace(answer, body=mrkdwn(answer.body), slack=where) for answer in outcome.answers
        )
        return dataclasses.replace(outcome, answers=answers)

    # What was clicked

    async def _clicked(self, click: SlackClicked, delivery: Delivery) -> Settlement:
        """A click is an order of the one who clicks, judged by the same rules as the command; it acts once."""
        key = f"slack-click-{click.where.channel}-{click.message_ts}-{click.action}"
        job = await self._jobs.get(click.job_id)
        if job is None or click.action not in {"cancel", "rollback", "retry"}:
            raise Refused("rerun_unknown")
        link = await self._accounts.of(click.speaker)
        if await self._deliveries.acted_on(key):
            raise Refused("click_repeated")
        facts = await facts_about(self._github, job.origin.installation_id or None, job.repository)
        origin = Origin(
            "slack",
            link.github_login,
            facts.installation_id,
            channel=click.where.channel,
            actor_id=link.github_id,
        )
        command = command_of(click.action, job)
        seq, guid = delivery.seq, delivery.guid
        order = Order(command, job.repository, origin, link.github_id, None, False, seq, guid, known_sha=job.sha)
        outcome = await self._obey(order, facts, click.where, is_repository_known=True)
        if outcome.result == "refused":
            return settle([outcome])
        shown = self._shown(click, link, job, delivery)
        return dataclasses.replace(settle([outcome]), semantic_key=key, answers=(shown,))

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

    # What is said back

    async def _for_everyone(self, where: SlackPlace) -> SlackPlace:
        """The same place, for all who are there; where we may not speak, for the asker alone."""
        heard = await self._slack.is_heard_in(where.channel)
        return SlackPlace(where.channel, thread=where.thread) if heard else where

    async def _told(self, word: str, text: str, said: SlackSaid, where: SlackPlace, delivery: Delivery) -> Outcome:
        link = await self._accounts.links.of(said.speaker.user)
        audit = record.heard(said, link, "acted", f"{word}_told", {})
        return Outcome("acted", f"{word}_told", answers=(self._answer(text, where, delivery),), audit=(audit,))

    async def _refused(
        self, request: SlackSaid | SlackClicked, delivery: Delivery, refused: ShipmateError
    ) -> Settlement:
        text = mrkdwn(messages.failure(self._locale, refused.code, refused.facts))
        audit = record.refused(request, await self._accounts.links.of(request.speaker.user), refused)
        answer = self._answer(text, request.where, delivery)
        return Settlement("refused", refused.code, answers=(answer,), audit=(audit,))

    def _answer(self, text: str, where: SlackPlace, delivery: Delivery) -> Answer:
        return Answer(delivery.guid, NO_REPOSITORY, 0, None, text, slack=where)


def _as_told(refused: ShipmateError, order: Order, is_repository_known: bool) -> ShipmateError:
    """Who may not even read is told the same as for a name, or a job, that is not there."""
    if refused.code != "permission_needed":
        return refused
    if refused.facts.get("has") != "none":
        return Refused(refused.code, **{**refused.facts, "command": f"shipmate {order.command.name}"})
    if not is_repository_known and (job_id := job_named(order.command)):
        return Refused("job_not_found", job=job_id)
    return Refused("repository_unknown", repository=order.repository.full_name)


async def _with_ref(command: Command, facts: Facts) -> Command:
    """In Slack there is no pull request: a deploy without a ref is one of the default branch."""
    if command.name != "deploy" or "ref" in command.arguments:
        return command
    return dataclasses.replace(command, arguments={**command.arguments, "ref": await facts.default_branch()})
