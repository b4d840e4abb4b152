"""The table that a deployment was asked for in: each state its job goes into, and its end, are written back there.

What was begun there for the job ends with it: it may have ended before any stage of it knew of a build.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.api.progress import error_code
from bot.asked import FACE, Asked, Step, Tables
from bot.errors import Permanent, Transient
from bot.model import Job, JobState
from bot.reporters.face import Keep
from bot.reporters.view import JobView

log = logging.getLogger("shipmate.reporters")


@dataclass(frozen=True, slots=True)
class TableFace:
    """Tells jobs that were taken over from the table. Repeatable: a state that stands there is not written again."""

    tables: Tables
    name: str = "table"
    pause_s: float = 1.0

    def concerns(self, job: Job) -> bool:
        """Those asked for there, by nothing else."""
        return job.origin.face == FACE

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """One that the table keeps no more is told there no more. Raises Transient when somebody else wrote first."""
        job, table = view.job, self.tables.deployments
        asked = await table.get(job.id)
        if asked is None:
            return state
        after = asked.followed([Step(state, at) for state, at in view.walked], **_outcome(job))
        if after.steps == asked.steps:
            return state
        if after.state.is_final and after.state is not JobState.COMPLETED:
            await self._stop_build(asked)
        if await table.change(asked, after) is None:
            raise Transient("changed_meanwhile")
        return state

    async def _stop_build(self, asked: Asked) -> None:
        """Before the end is written, so that a death leaves it to the next try. What cannot be stopped hides no end."""
        if asked.build_id is None:
            return
        try:
            await self.tables.stop_build(asked.build_id)
        except Permanent as refused:
            log.warning("a build nobody waits for goes on", extra={"build": asked.build_id, "code": refused.code})


def _outcome(job: Job) -> dict[str, str]:
    """What is known of its end, with the names the API gives it."""
    known = {
        "url": job.result.get("url"),
        "image": job.result.get("newImageUri"),
        "errorCode": error_code(job),
        "errorMessage": job.error_message,
    }
    return {name: str(value) for name, value in known.items() if value}
