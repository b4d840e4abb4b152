"""The table that a deployment was asked for in: each state its job goes into, and its end, are written back there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.api.progress import error_code
from bot.asked import FACE, AskedTable, Step
from bot.errors import Transient
from bot.model import Job
from bot.reporters.face import Keep
from bot.shown.view import JobView


@dataclass(frozen=True, slots=True)
class TableFace:
    """Tells jobs that were taken over from the table. Repeatable: a state that stands there is not written again."""

    table: AskedTable
    name: str = "table"
    pause_s: float = 1.0

    def concerns(self, job: Job) -> bool:
        """Those asked for there, by nothing else."""
        return job.origin.face == FACE

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """One that the table keeps no more is told there no more. Raises Transient when somebody else wrote first."""
        job = view.job
        asked = await self.table.get(job.id)
        if asked is None:
            return state
        after = asked.followed([Step(state, at) for state, at in view.walked], **_outcome(job))
        if after.steps == asked.steps:
            return state
        if await self.table.change(asked, after) is None:
            raise Transient("changed_meanwhile")
        return state


def _outcome(job: Job) -> dict[str, str]:
    """What is known of its end, with the names the API gives it."""
    known = {
        "url": job.result.get("url"),
        "image": job.result.get("newImageUri"),
        "errorCode": error_code(job),
        "errorMessage": job.error_message,
    }
    return {name: str(value) for name, value in known.items() if value}
