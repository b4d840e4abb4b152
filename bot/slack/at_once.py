"""Says within Slack's three seconds what Slack waits for: what a menu offers, and why a dialog cannot be obeyed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.audit import AuditEntry
from bot.errors import Permanent, Refused, ShipmateError, Unreadable, UserMistake
from bot.slack import record
from bot.slack.dialog import errors, options
from bot.slack.dialogs import Dialogs
from bot.slack.inbound.interactions import DialogFilled, Searched
from bot.slack.inbound.requests import read_request
from bot.slack.offers import Offers
from bot.slack.ordering import Ordering

LIMIT_S = 2.0
"""Slack waits three seconds: https://docs.slack.dev/surfaces/modals#handling_submissions. The rest is the way back."""
WAITED_FOR = (b"block_suggestion", b"view_submission")
FIELDS: Mapping[str, str] = {
    "slack_not_in_channel": "channel",
    "ref_not_found": "ref",
    "environment_for_ref": "ref",
    "repository_unknown": "repository",
    "permission_needed": "repository",
    "permission_unreadable": "repository",
    "slack_not_linked": "repository",
    "bad_config": "repository",
}
"""Under which field of the dialog a refusal is told; one of the environment's rules, under the environment."""

Reply = Mapping[str, Any]
Note = Callable[[AuditEntry], Awaitable[None]]

log = logging.getLogger("shipmate.slack")


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Looks, and decides nothing for good: what is not refused here is recorded, and decided on as everything is."""

    dialogs: Dialogs
    offers: Offers
    ordering: Ordering
    note: Note
    """Tells the audit trail."""
    locale: str = "en"

    async def __call__(self, body: bytes) -> Reply | None:
        """The answer that is all there is to do; None where the request is to be recorded."""
        if not any(word in body for word in WAITED_FOR):
            return None
        try:
            request = read_request(body)
        except Unreadable:
            return None
        if isinstance(request, Searched):
            return await self._offered(request)
        return await self._refusal(request) if isinstance(request, DialogFilled) else None

    async def _offered(self, searched: Searched) -> Reply:
        """Nothing where it cannot be known in time: the person can still type the command."""
        try:
            async with asyncio.timeout(LIMIT_S):
                return options(await self._names(searched))
        except (ShipmateError, TimeoutError) as error:
            log.warning("a menu in Slack stays empty", extra={"menu": searched.menu, "reason": str(error)})
            return options([])

    async def _names(self, searched: Searched) -> list[str]:
        link = await self.dialogs.accounts.of(searched.speaker)
        if searched.menu == "repository":
            return await self.offers.repositories(link, searched.typed)
        if searched.repository is None:
            return []
        return await self.offers.environments(link, searched.repository, searched.typed)

    async def _refusal(self, filled: DialogFilled) -> Reply | None:
        """Why it would be refused, as far as that is known in time."""
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._judged(filled)
        except (Refused, Permanent, UserMistake) as refused:
            link = await self.dialogs.accounts.links.of(filled.speaker.user)
            await self.note(record.refused(filled, link, refused))
            return errors(_field(refused), _plain(messages.failure(self.locale, refused.code, refused.facts)))
        except (ShipmateError, TimeoutError) as error:
            log.info("a dialog is judged after it is closed", extra={"reason": str(error)})
            return None

    async def _judged(self, filled: DialogFilled) -> Reply | None:
        outcome = await self.ordering.decide(await self.dialogs.wanted(filled))
        if outcome.result != "refused":
            return None
        for entry in outcome.audit:
            await self.note(entry)
        return errors(FIELDS.get(outcome.reason, "environment"), _plain(outcome.answers[0].body))


def _field(refused: ShipmateError) -> str:
    """A word the grammar does not know is told under the field it stands in."""
    if isinstance(refused, UserMistake):
        return "environment" if "ENV" in str(refused.facts.get("argument")) else "ref"
    return FIELDS.get(refused.code, "repository")


def _plain(text: str) -> str:
    """Without the marks that a field's error does not show."""
    return text.replace("`", "").replace("*", "")
