"""Decides on what is said and done in Slack: who it is at GitHub, which repository, then as on every face."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bot import messages
from bot.commands import COMMANDS
from bot.deliveries.intake import Reading
from bot.desk.buttons import command_of
from bot.desk.outcome import Outcome, settle
from bot.errors import Permanent, Refused, ShipmateError, Transient, UserMistake
from bot.gates.facts import Facts, facts_about
from bot.gates.repositories import repository_named
from bot.github.api import GitHub
from bot.grammar import Command
from bot.model import Delivery, Job, Repository
from bot.slack import record
from bot.slack.accounts import Accounts
from bot.slack.api.client import SlackClient
from bot.slack.channels import Channels, with_environment
from bot.slack.dialog import Form
from bot.slack.dialogs import Dialogs
from bot.slack.home import Home
from bot.slack.inbound.interactions import (
    DialogAsked,
    DialogFilled,
    NothingForUs,
    PageTurned,
    RepositoryChosen,
    Searched,
    SlackClicked,
)
from bot.slack.inbound.requests import HomeOpened, SlackRequest, SlackSaid, read_request
from bot.slack.mrkdwn import escaped, mrkdwn
from bot.slack.ordering import Ordering, Wanted
from bot.slack.releases import Shelf
from bot.slack.words import (
    ACCOUNT_WORDS,
    CHANNEL_WORDS,
    OWN,
    STARTS_A_JOB,
    Asked,
    help_in_slack,
    job_named,
    read_words,
    repository_needed,
    spoken,
)
from bot.store.answers import Answer, SlackPlace
from bot.store.changes import Settlement
from bot.store.deliveries import Deliveries
from bot.store.jobs import Jobs
from bot.store.slack import ChannelBinding, SlackLink

NO_REPOSITORY = Repository(0, "")
Meant = SlackSaid | SlackClicked | DialogFilled
"""What asks for something and is answered."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the desk has at hand for each kind of ask."""

    accounts: Accounts
    channels: Channels
    dialogs: Dialogs
    home: Home
    ordering: Ordering
    shelf: Shelf


class SlackDesk:
    """One desk for all of Slack; `read` is what the intake asks of it."""

    def __init__(
        self,
        github: GitHub,
        slack: SlackClient,
        deliveries: Deliveries,
        jobs: Jobs,
        parts: Parts,
        locale: str = "en",
    ) -> None:
        self._github = github
        self._slack = slack
        self._deliveries = deliveries
        self._jobs = jobs
        self._parts = parts
        self._locale = locale

    def read(self, delivery: Delivery) -> Reading:
        """Understand one recorded request. Raises Unreadable."""
        request = read_request(delivery.body)
        key = request.semantic_key if isinstance(request, SlackSaid) else None
        return Reading(
            key,
            _chain(request),
            lambda: self._decide(request, delivery),
            lambda error: self._give_up(request, delivery, error),
        )

    async def _decide(self, request: SlackRequest, delivery: Delivery) -> Settlement:
        """Raises Transient when GitHub cannot be asked: the request is tried again."""
        if not isinstance(request, Meant):
            return await self._looked(request)
        try:
            if isinstance(request, SlackClicked):
                return await self._clicked(request, delivery)
            if isinstance(request, DialogFilled):
                return await self._filled(request, delivery)
            return settle([await self._said(request, delivery)])
        except (Refused, Permanent, UserMistake) as refused:
            return await self._refused(request, delivery, refused)

    async def _give_up(self, request: SlackRequest, delivery: Delivery, error: ShipmateError) -> Settlement:
        """The person is told why nothing came of it."""
        if not isinstance(request, Meant):
            return Settlement("failed", error.code)
        passing = isinstance(error, Transient)
        refusal = Refused("github_unavailable", reason=error.code) if passing else error
        return await self._refused(request, delivery, refusal)

    # What is only looked at

    async def _looked(
        self, request: HomeOpened | PageTurned | DialogAsked | RepositoryChosen | Searched | NothingForUs
    ) -> Settlement:
        """Nothing of it is kept; what Slack does not show any more, nobody looks at."""
        try:
            match request:
                case HomeOpened():
                    await self._parts.home.show(request.user)
                case PageTurned():
                    await self._parts.home.show(request.user, request.page)
                case DialogAsked():
                    await self._parts.dialogs.show_to_chooser(request)
                case RepositoryChosen():
                    await self._parts.dialogs.choose(request)
                case Searched():
                    return Settlement("ignored", "answered_at_once")
                case NothingForUs():
                    return Settlement("ignored", request.reason)
        except (Permanent, Refused) as refused:
            return Settlement("failed", refused.code)
        return Settlement("acted", "shown")

    # What was said

    async def _said(self, said: SlackSaid, delivery: Delivery) -> Outcome:
        asked = read_words(said.text)
        name = asked.command.name
        if name == "help":
            return await self._help(asked.command, said, delivery)
        if name in ACCOUNT_WORDS:
            text = await self._parts.accounts.answer(name, said, delivery.guid)
            return await self._told(name, text, said, said.where, delivery)
        binding = await self._parts.channels.meant(asked, said.where.channel)
        link = await self._parts.accounts.links.of(said.speaker.user)
        if link is None:
            return await self._unlinked(asked, binding, said, delivery)
        if name in CHANNEL_WORDS:
            return await self._about_channel(asked, link, said, delivery)
        if name == "dialog" or (name == "deploy" and asked.repository is None and binding is None and said.trigger):
            return await self._dialog(asked, binding, said)
        return await self._command(asked, binding, link, said, delivery)

    async def _about_channel(self, asked: Asked, link: SlackLink, said: SlackSaid, delivery: Delivery) -> Outcome:
        """Said to everyone; where we may not speak, to the asker, with how that is changed."""
        name = asked.command.name
        text = await self._parts.channels.answer(asked, link, said)
        if await self._slack.is_heard_in(said.where.channel):
            everyone = SlackPlace(said.where.channel, thread=said.where.thread)
            return await self._told(name, text, said, everyone, delivery)
        advice = messages.say(self._locale, "slack.not_heard")
        return await self._told(name, f"{text}\n{advice}", said, said.where, delivery)

    async def _dialog(self, asked: Asked, binding: ChannelBinding | None, said: SlackSaid) -> Outcome:
        """The dialog with what is known already filled in; where there is no leave for one, how to say it in words."""
        if said.trigger is None:
            raise Refused("slack_dialog_late")
        known = binding.repository.full_name if binding else None
        form = Form(known, environment=binding.environment if binding else None, channel=said.where.channel)
        await self._parts.dialogs.show(said.trigger, form.filled_by(asked.command))
        return Outcome("acted", "dialog_shown")

    async def _command(
        self, asked: Asked, binding: ChannelBinding | None, link: SlackLink, said: SlackSaid, delivery: Delivery
    ) -> Outcome:
        """A command about a repository. Whether that exists is not told before the person may know."""
        where = said.where
        if asked.command.name in STARTS_A_JOB and not await self._slack.is_heard_in(where.channel):
            raise Refused("slack_not_in_channel")
        facts, repository = await self._about(asked, binding)
        command = with_environment(asked.command, binding)
        if command.name == "releases":
            text = await self._parts.shelf.told_to(link, command, repository, facts)
            return await self._told(command.name, text, said, where, delivery)
        wanted = Wanted(command, repository, facts, link, where, is_named=asked.repository is not None)
        return await self._parts.ordering.decide(wanted, delivery.seq, delivery.guid)

    async def _unlinked(
        self, asked: Asked, binding: ChannelBinding | None, said: SlackSaid, delivery: Delivery
    ) -> Outcome:
        """One we do not know may read what the channel is about, where its maintainers said so, and nothing else."""
        command = asked.command
        if binding is None or command.name != "releases":
            raise Refused("slack_not_linked")
        text = await self._parts.shelf.told_in(binding, command)
        return await self._told(command.name, text, said, said.where, delivery)

    async def _help(self, command: Command, said: SlackSaid, delivery: Delivery) -> Outcome:
        wanted = command.arguments.get("command", "").removeprefix("/")
        known = wanted if wanted in {*COMMANDS, *OWN} else None
        text = help_in_slack(self._locale, known)
        if wanted and known is None:
            unknown = messages.failure(self._locale, "slack_unknown_command", {"given": messages.neutral(wanted)})
            text = f"{unknown}\n\n{text}"
        return await self._told("help", text, said, said.where, delivery)

    async def _about(self, asked: Asked, binding: ChannelBinding | None) -> tuple[Facts, Repository]:
        """Facts about the repository of the job that was named, else the one that was named, else the channel's."""
        job_id = job_named(asked.command)
        if asked.repository is not None:
            return await repository_named(self._github, asked.repository)
        if job_id is not None:
            job = await self._jobs.get(job_id)
            if job is None:
                raise Refused("job_not_found", job=job_id)
            return await self._facts(job), job.repository
        if binding is None:
            raise repository_needed(asked.command)
        return await repository_named(self._github, binding.repository.full_name)

    async def _facts(self, job: Job) -> Facts:
        return await facts_about(self._github, job.origin.installation_id or None, job.repository)

    # What was done

    async def _filled(self, filled: DialogFilled, delivery: Delivery) -> Settlement:
        """A dialog is an order as its words would be; it acts once."""
        outcome = await self._parts.ordering.decide(
            await self._parts.dialogs.wanted(filled), delivery.seq, delivery.guid
        )
        return dataclasses.replace(settle([outcome]), semantic_key=f"slack-view-{filled.view_id}")

    async def _clicked(self, click: SlackClicked, delivery: Delivery) -> Settlement:
        """A click is an order of the one who clicks, judged by the same rules as the command; it acts once."""
        job = await self._jobs.get(click.job_id)
        if job is None:
            raise Refused("rerun_unknown")
        command = _command_of(click.action, job)
        link = await self._parts.accounts.of(click.speaker)
        key = _key(click, link)
        if await self._deliveries.acted_on(key):
            raise Refused("click_repeated")
        wanted = Wanted(command, job.repository, await self._facts(job), link, click.where, known_sha=job.sha)
        outcome = await self._parts.ordering.decide(wanted, delivery.seq, delivery.guid)
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

    async def _told(self, word: str, text: str, said: SlackSaid, where: SlackPlace, delivery: Delivery) -> Outcome:
        link = await self._parts.accounts.links.of(said.speaker.user)
        audit = record.heard(said, link, "acted", f"{word}_told", {})
        return Outcome("acted", f"{word}_told", answers=(self._answer(text, where, delivery),), audit=(audit,))

    async def _refused(self, request: Meant, delivery: Delivery, refused: ShipmateError) -> Settlement:
        text = mrkdwn(spoken(messages.failure(self._locale, refused.code, refused.facts)))
        audit = record.refused(request, await self._parts.accounts.links.of(request.speaker.user), refused)
        answer = self._answer(text, request.where, delivery)
        return Settlement("refused", refused.code, answers=(answer,), audit=(audit,))

    def _answer(self, text: str, where: SlackPlace, delivery: Delivery) -> Answer:
        return Answer(delivery.guid, NO_REPOSITORY, 0, None, text, slack=where)


def _chain(request: SlackRequest) -> str:
    """What one person says is obeyed in order. Nobody waits for another, nor for a home that is slow to be made."""
    match request:
        case HomeOpened() | PageTurned():
            return f"slack home {request.user.user_id}"
        case SlackSaid() | SlackClicked() | DialogFilled():
            return f"slack {request.speaker.user.user_id}"
        case DialogAsked() | RepositoryChosen() | Searched():
            return f"slack dialog {request.speaker.user.user_id}"
        case NothingForUs():
            return "slack nothing"


def _command_of(action: str, job: Job) -> Command:
    """Raises Refused("rerun_unknown") for a button that is none of ours."""
    try:
        return command_of(action, job)
    except KeyError as error:
        raise Refused("rerun_unknown") from error


def _key(click: SlackClicked, link: SlackLink) -> str:
    """One button acts once; several people may approve."""
    who = f"-{link.github_id}" if click.action == "approve" else ""
    return f"slack-click-{click.where.channel}-{click.message_ts}-{click.action}{who}"
