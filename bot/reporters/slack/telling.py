"""Tells one job in one place in Slack: a message that is edited in place; steps and the end in its thread."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.model import Job, JobKind, JobState, Stage
from bot.reporters.face import Keep
from bot.reporters.slack import analysis, blocks
from bot.shown.view import JobView
from bot.slack.api.client import Saying, SlackClient
from bot.slack.api.replies import SlackRefused

GONE = frozenset({"channel_not_found", "is_archived", "is_inactive", "message_not_found", "thread_not_found"})
"""Nobody can be told there any more: a channel or message that people removed is not made again."""
NOT_EDITABLE = frozenset({"cant_update_message", "edit_window_closed"})
TOO_MUCH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
"""Slack does not take these blocks: the words alone are said instead."""
SLACK_ALLOWANCE_S = 60.0
"""How far Slack's clock may be behind ours, when a message is looked for by its time."""

log = logging.getLogger("shipmate.reporters")


@dataclass
class _Told:
    """What the face has said of one job, kept between reports: `state` is its JSON."""

    keep: Keep
    state: dict[str, Any] = field(default_factory=dict)

    async def note(self, **more: Any) -> None:
        """Keep it at once, so that it is not said twice."""
        self.state |= more
        await self.keep(self.state)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job is told: in a channel, or under a message there."""

    channel: str
    thread: str | None = None
    in_full: bool = True
    """With each stage and the end in the thread; else only the log's end there, after a failure."""


@dataclass(frozen=True, slots=True)
class SlackTelling:
    """What Slack refuses for good is logged and ends the telling there."""

    slack: SlackClient
    locale: str = "en"

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep, place: Place) -> Mapping[str, Any]:
        """Say or edit. A lost reply is looked for before anything is said again."""
        told = _Told(keep, dict(state))
        if told.state.get("gone"):
            return told.state
        try:
            await self._tell(view, told, place)
        except SlackRefused as refused:
            if refused.reason not in GONE:
                raise
            log.warning("a job is not told in Slack any more", extra={"job": view.job.id, "reason": refused.reason})
            await told.note(gone=refused.reason)
        return told.state

    async def _tell(self, view: JobView, told: _Told, place: Place) -> None:
        words = analysis if view.job.kind is JobKind.ANALYSIS else blocks
        head = words.head(view, self.locale)
        if "ts" not in told.state:
            fresh = "asked" not in told.state
            ts = await self._say_once(view.job, told, "asked", head, place)
            await told.note(ts=ts, shown=_print(head) if fresh else None)
        ts = str(told.state["ts"])
        if told.state.get("shown") != _print(head):
            await self._edit(place.channel, ts, head)
            await told.note(shown=_print(head))
        if place.in_full:
            await self._steps(view, told, place)
        if view.state.is_final and not told.state.get("ended") and (place.in_full or _failed(view)):
            await self._say_once(view.job, told, "ending", words.end(view, self.locale), _under(place, ts))
            await told.note(ended=True)

    async def _steps(self, view: JobView, told: _Told, place: Place) -> None:
        """The stages that ended since the last report, a line each, in one message; one begun before is ended first.

        A stage that was being told when we died, and is run once more now, is told when it has ended again.
        """
        ended = blocks.steps(view)
        if begun := [Stage(number) for number in told.state.get("telling", [])]:
            if not set(begun) <= set(ended):
                return
            await self._tell_steps(view, told, place, begun)
        known = set(told.state.get("steps", []))
        if new := [stage for stage in ended if int(stage) not in known]:
            await self._tell_steps(view, told, place, new)

    async def _tell_steps(self, view: JobView, told: _Told, place: Place, stages: list[Stage]) -> None:
        numbers = [int(stage) for stage in stages]
        saying = Saying(blocks.steps_text(view, stages, self.locale), key=f"steps {view.job.id} {numbers}")
        await self._say_once(view.job, told, "telling", saying, _under(place, str(told.state["ts"])), numbers)
        await told.note(steps=[*told.state.get("steps", []), *numbers], telling=[])

    async def _say_once(
        self, job: Job, told: _Told, mark: str, saying: Saying, place: Place, marked: object = True
    ) -> str:
        """Say it, unless an earlier try did and only its reply was lost; answers the message's ts."""
        if told.state.get(mark) and saying.key:
            found = await self._found(place, saying.key, job)
            if found is not None:
                return found
        await told.note(**{mark: marked})
        return await _worded(saying, lambda words: self.slack.post(place.channel, words, place.thread))

    async def _found(self, place: Place, key: str, job: Job) -> str | None:
        since_s = job.created_at.timestamp() - SLACK_ALLOWANCE_S
        try:
            return await self.slack.find(place.channel, key, since_s, place.thread)
        except SlackRefused as refused:
            if refused.reason in GONE or refused.reason == "not_in_channel":
                raise
            log.warning("what was said in Slack cannot be looked up", extra={"job": job.id, "reason": refused.reason})
            return None

    async def _edit(self, channel: str, ts: str, head: Saying) -> None:
        """Edit the head; where Slack lets nobody edit any more, the thread still tells the end."""

        async def edit(words: Saying) -> str:
            await self.slack.update(channel, ts, words)
            return ts

        try:
            await _worded(head, edit)
        except SlackRefused as refused:
            if refused.reason not in NOT_EDITABLE:
                raise
            log.warning("a message in Slack cannot be edited", extra={"channel": channel, "reason": refused.reason})


async def _worded(saying: Saying, say: Callable[[Saying], Awaitable[str]]) -> str:
    """With its blocks; where Slack does not take them without its pictures, which Slack may be unable to fetch from
    us; else the words alone."""
    try:
        return await say(saying)
    except SlackRefused as refused:
        if refused.reason not in TOO_MUCH or not saying.blocks:
            raise
        log.error("Slack does not take our blocks; less is said", extra=dict(refused.facts))
        return await _worded(_plainer(saying), say)


def _plainer(saying: Saying) -> Saying:
    """Without its pictures, or where it has none without its blocks."""
    rest = [block for block in saying.blocks if block["type"] != "image"]
    fewer = rest if len(rest) < len(saying.blocks) else ()
    return Saying(saying.text, fewer, key=saying.key)


def _failed(view: JobView) -> bool:
    return view.state is not JobState.COMPLETED and bool(view.tail)


def _under(place: Place, ts: str) -> Place:
    """The thread the head stands in, else the one under it: Slack has no threads within threads."""
    return dataclasses.replace(place, thread=place.thread or ts)


def _print(saying: Saying) -> str:
    """Tells whether the message would look different now."""
    return hashlib.sha256(repr((saying.text, saying.blocks)).encode()).hexdigest()[:16]
