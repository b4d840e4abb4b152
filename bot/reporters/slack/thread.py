"""The Slack face: a job is told in the channel or thread where it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.model import Job
from bot.reporters.face import Keep
from bot.reporters.slack.telling import Place, SlackTelling
from bot.shown.view import JobView


@dataclass(frozen=True, slots=True)
class SlackFace:
    """Tells a job where somebody in Slack asked for it, from its start to its end."""

    telling: SlackTelling
    name: str = "slack"
    pause_s: float = 2.0

    def concerns(self, job: Job) -> bool:
        return job.origin.channel is not None

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Say or edit. Repeatable."""
        origin = view.job.origin
        return await self.telling.tell(view, state, keep, Place(origin.channel or "", origin.thread))
