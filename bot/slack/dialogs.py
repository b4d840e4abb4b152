"""Shows the deploy dialog, and makes of a filled-in one the same wish as of the words one might have typed."""

from __future__ import annotations

from dataclasses import dataclass

from bot import messages
from bot.commands import COMMANDS
from bot.errors import Refused
from bot.gates.repositories import repository_named
from bot.github.api import GitHub
from bot.grammar import read_arguments
from bot.slack.accounts import Accounts
from bot.slack.api.client import SlackClient
from bot.slack.api.replies import SlackRefused
from bot.slack.dialog import Form, View, dialog, notice
from bot.slack.inbound.interactions import DialogAsked, DialogFilled, RepositoryChosen
from bot.slack.ordering import Wanted

TOO_LATE = frozenset({"expired_trigger_id", "trigger_expired", "invalid_trigger_id", "trigger_id_missing"})
"""https://docs.slack.dev/reference/methods/views.open#errors"""
SHOWN_BEFORE = frozenset({"exchanged_trigger_id", "trigger_exchanged"})
"""We showed it already, and died before we could note that."""
OUTDATED = frozenset({"hash_conflict", "not_found", "view_not_found"})
"""The person went on, or closed it, meanwhile."""


@dataclass(frozen=True, slots=True)
class Dialogs:
    """The modal of `/shipmate dialog`, of `/shipmate deploy` where no repository is known, and of the shortcut."""

    github: GitHub
    slack: SlackClient
    accounts: Accounts
    locale: str = "en"

    async def show(self, trigger: str, form: Form) -> None:
        """Show it. Raises Refused("slack_dialog_late") more than three seconds after the asking, else SlackRefused."""
        await self._open(trigger, dialog(form, self.locale))

    async def show_to_chooser(self, asked: DialogAsked) -> None:
        """What the shortcut leads to: the dialog, or for one we do not know, how to be known. Raises as `show`."""
        if await self.accounts.links.of(asked.speaker.user) is None:
            return await self._open(
                asked.trigger, notice(messages.say(self.locale, "failed.slack_not_linked"), self.locale)
            )
        return await self.show(asked.trigger, Form())

    async def choose(self, chosen: RepositoryChosen) -> None:
        """Keep in the dialog which repository was chosen, for its menu of environments. Repeatable."""
        try:
            await self.slack.update_view(chosen.view_id, dialog(chosen.form, self.locale), chosen.version)
        except SlackRefused as refused:
            if refused.reason not in OUTDATED:
                raise

    async def wanted(self, filled: DialogFilled) -> Wanted:
        """What a filled-in dialog asks for. Raises Refused, UserMistake for words the grammar does not know."""
        form = filled.form
        link = await self.accounts.of(filled.speaker)
        command = read_arguments(COMMANDS["deploy"], form.words, form.raw)
        if not await self.slack.is_heard_in(filled.where.channel):
            raise Refused("slack_not_in_channel")
        facts, repository = await repository_named(self.github, form.repository or "")
        return Wanted(command, repository, facts, link, filled.where)

    async def _open(self, trigger: str, view: View) -> None:
        try:
            await self.slack.open_view(trigger, view)
        except SlackRefused as refused:
            if refused.reason in TOO_LATE:
                raise Refused("slack_dialog_late") from refused
            if refused.reason not in SHOWN_BEFORE:
                raise
