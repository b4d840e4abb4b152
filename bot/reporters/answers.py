"""Sends the replies that are no job's report: refusals, status, help. Each once, found again by its key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot import messages
from bot.clock import Clock
from bot.errors import ShipmateError, Transient
from bot.github.api import GitHub
from bot.github.checks import CheckOutput, CheckReport, ensure_check_run
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.comments import BotLogin, add_reaction, ensure_comment
from bot.github.permissions import REPORT
from bot.reporters.slack.answers import say_in_slack
from bot.slack.api.client import SlackClient
from bot.store.answers import Answer, Answers

TRIES = 30
IDLE_S = 1.0
TAKEN_FOR = timedelta(seconds=5)
"""How long no other process tries an answer that one has taken: who dies meanwhile is waited for no longer."""
CHECK_NAME = "shipmate / deploy"

log = logging.getLogger("shipmate.answers")


class AnswerLoop:
    """Owns the sending; each answer is tried until it is out, or refused for good."""

    def __init__(
        self,
        github: GitHub,
        bot_login: BotLogin,
        answers: Answers,
        *,
        clock: Clock,
        changed: Callable[[float], Awaitable[None]],
        locale: str = "en",
        slack: SlackClient | None = None,
    ) -> None:
        """Without `slack` the answers that go there are closed unsaid."""
        self._github = github
        self._bot_login = bot_login
        self._answers = answers
        self._clock = clock
        self._changed = changed
        self._locale = locale
        self._slack = slack
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            if not await self.drain():
                await self._changed(IDLE_S)

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()

    async def drain(self) -> int:
        """Send what is due now; answers how many went out."""
        try:
            due = await self._answers.due(self._clock())
        except Transient as busy:
            log.warning("the store could not be asked for answers", extra={"code": busy.code})
            return 0
        sent = await asyncio.gather(*(self._send(row_id, answer, attempts) for row_id, answer, attempts in due))
        return sum(sent)

    async def _send(self, row_id: int, answer: Answer, attempts: int) -> bool:
        """Whether it is done with. That it is about to be said is kept first, so that nobody says it unseen again."""
        try:
            if not await self._answers.take(row_id, attempts, self._clock() + TAKEN_FOR):
                return False
            return await self._try(row_id, answer, attempts)
        except Transient as busy:
            log.warning("what became of an answer is not noted", extra={"answer": answer.key, "code": busy.code})
            return False

    async def _try(self, row_id: int, answer: Answer, attempts: int) -> bool:
        """Say it and note that. Raises Transient where the store is not to be had: then it is due again by itself."""
        try:
            await self._say(answer, look_first=attempts > 0)
            await self._answers.sent(row_id, "sent")
        except ShipmateError as error:
            if isinstance(error, NotFound) and attempts:
                await self._answers.sent(row_id, "gone")
                return True
            await self._later(row_id, attempts, error)
            return False
        except Exception:
            log.exception("an answer failed", extra={"answer": answer.key})
            await self._later(row_id, attempts, Transient("unexpected_error"))
            return False
        return True

    async def _say(self, answer: Answer, *, look_first: bool) -> None:
        if answer.slack is not None:
            return await say_in_slack(self._slack, answer.slack, answer, look_first=look_first)
        client = self._github.repository(answer.installation_id, answer.repository, REPORT)
        if answer.reaction and answer.comment_id is not None:
            await add_reaction(client, answer.comment_id, answer.reaction)
        if answer.body and answer.number is not None:
            login = await self._bot_login()
            marker = f"shipmate answer:{answer.key}"
            await ensure_comment(client, answer.number, marker, login, answer.body, look_first=look_first)
        if answer.check_sha:
            await self._check(client, answer, look_first)
        return None

    async def _check(self, client: Client, answer: Answer, look_first: bool) -> None:
        title = messages.say(self._locale, f"report.answer_title.{answer.check_conclusion}")
        report = CheckReport(conclusion=answer.check_conclusion, output=CheckOutput(title, answer.body))
        sha = answer.check_sha or ""
        await ensure_check_run(client, sha, answer.check_name or CHECK_NAME, answer.key, report, look_first=look_first)

    async def _later(self, row_id: int, attempts: int, error: ShipmateError) -> None:
        named = error.retry_after_s if isinstance(error, Transient) else None
        wait_s = named or min(900.0, 2.0 ** min(attempts, 10))
        log.warning("an answer will be tried again", extra={"row": row_id, "code": error.code, "wait_s": wait_s})
        if attempts >= TRIES:
            await self._answers.sent(row_id, f"given up: {error.code}")
        else:
            await self._answers.postpone(row_id, self._clock() + timedelta(seconds=wait_s), error.code)
