"""The face of channels that are about a repository: told of jobs asked for elsewhere, as loud as each was set."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import ShipmateError
from bot.model import Job, JobKind, JobState
from bot.previews import pull_of
from bot.reporters.face import Keep
from bot.reporters.slack.telling import Place, SlackTelling
from bot.shown.view import JobView
from bot.slack.api.replies import SlackRefused
from bot.store.slack import BoundChannel, Noise, SlackChannels

BAD_ENDS = frozenset({JobState.FAILED, JobState.TIMED_OUT, JobState.ROLLED_BACK})
TOLD_KINDS = frozenset({JobKind.DEPLOY, JobKind.ROLLBACK})

log = logging.getLogger("shipmate.reporters")


@dataclass(frozen=True, slots=True)
class SlackChannelsFace:
    """Once a channel was told of a job, its message is kept right; the others hear nothing of it."""

    telling: SlackTelling
    channels: SlackChannels
    name: str = "slack_channels"
    pause_s: float = 2.0

    def concerns(self, job: Job) -> bool:
        return job.kind in TOLD_KINDS

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Tell each channel, whatever comes of the others. Repeatable. Raises the last error when all were tried."""
        told, failed = dict(state), None
        for bound in await self.channels.about(view.job.repository.id):
            if not hears(bound, view, has_heard=bound.channel in told):
                continue
            try:
                told[bound.channel] = await self._tell_in(bound, view, told, keep)
            except ShipmateError as error:
                log.warning("a channel was not told of a job", extra={"channel": bound.channel, "code": error.code})
                failed = failed if _is_not_invited(error) else error
        if failed is not None:
            raise failed
        return told

    async def _tell_in(self, bound: BoundChannel, view: JobView, told: dict[str, Any], keep: Keep) -> Mapping[str, Any]:
        async def keep_one(state: Mapping[str, Any]) -> None:
            told[bound.channel] = state
            await keep(told)

        place = Place(bound.channel, in_full=bound.binding.noise is Noise.ALL)
        return await self.telling.tell(view, told.get(bound.channel, {}), keep_one, place)


def hears(bound: BoundChannel, view: JobView, *, has_heard: bool) -> bool:
    """Whether a channel is told of this job now."""
    job, binding = view.job, bound.binding
    if job.origin.channel == bound.channel or job.created_at < bound.since:
        return False
    if binding.environment not in {None, job.environment}:
        return False
    if has_heard or binding.noise is Noise.ALL:
        return True
    if binding.environment is None and pull_of(job.environment) is not None:
        return False
    return _asks_for_approval(job) or job.state in BAD_ENDS or (job.state.is_final and binding.noise is Noise.ENDS)


def _is_not_invited(error: ShipmateError) -> bool:
    """Who bound the channel was told so; it is tried again with the next job."""
    return isinstance(error, SlackRefused) and error.reason == "not_in_channel"


def _asks_for_approval(job: Job) -> bool:
    return job.hold is not None and job.hold.approvals > 0
