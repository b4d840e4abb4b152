"""How far each face has told each job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.model import Job


@dataclass(frozen=True, slots=True)
class Report:
    """How far one face has told one job. `state` is the face's own (ids at GitHub, what was sent last), plain JSON."""

    job: Job
    face: str
    told_seq: int
    last_seq: int
    state: Mapping[str, Any]
    attempts: int


class Reports(Protocol):
    """Each face's cursor over each job's events."""

    async def behind(self, face: str, now: datetime, limit: int = 50) -> list[Report]:
        """Jobs with events this face has not told and that are due."""

    async def told(self, face: str, job_id: str, seq: int, state: Mapping[str, Any]) -> None:
        """Told up to `seq`; clears the attempts."""

    async def keep_state(self, face: str, job_id: str, state: Mapping[str, Any]) -> None:
        """Keep ids at once, without moving the cursor."""

    async def postpone(self, face: str, job_id: str, until: datetime, reason: str) -> None: ...

    async def state(self, face: str, job_id: str) -> Mapping[str, Any] | None: ...

    async def rewind(self, face: str, job_id: str) -> None:
        """Tell the job again from its latest state (the reconciler found the face to disagree)."""
