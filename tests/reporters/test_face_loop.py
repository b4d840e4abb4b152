"""What a face is told, and when: the first report, the start and the end at once, the rest with pauses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.clock import utc_now
from bot.links import Links
from bot.masking import Masker
from bot.model import EventType, Job, JobState, NewEvent
from bot.reporters.face import FaceLoop, Keep, Telling
from bot.shown.view import JobView
from storage.opened import OpenStore, open_store
from tests.migrated import put_database
from tests.storage.sample import ENDED, STARTED, claimed, request


@dataclass
class PatientFace:
    """Bears a report an hour, and notes the states it was told."""

    told: list[JobState] = field(default_factory=list)
    name: str = "check_run"
    pause_s: float = 3600.0

    def concerns(self, job: Job) -> bool:
        return True

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        self.told.append(view.state)
        return state


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[OpenStore]:
    store = await open_store(put_database(tmp_path / "shipmate.db"))
    yield store
    await store.close()


async def test_the_start_and_the_end_are_told_at_once_and_what_is_between_waits(opened: OpenStore) -> None:
    jobs, face = opened.store.jobs, PatientFace()
    links = Links("http://localhost", b"key")
    telling = Telling(jobs, opened.store.reports, links, Masker(), utc_now, opened.database.watch().wait)
    loop = FaceLoop(face, telling)
    await jobs.create(request(), utc_now())
    await loop.drain()
    job = await claimed(jobs, at=utc_now())
    await jobs.advance(job.id, job.fence, JobState.PROCESSING, None, [STARTED], utc_now())
    await loop.drain()
    line = NewEvent(EventType.LOG_WRITTEN, "1 lines", None, {"lines": ["hello"]})
    await jobs.append(job.id, job.fence, [line], utc_now())
    await loop.drain()
    assert face.told == [JobState.PENDING, JobState.PROCESSING]
    await jobs.finish(job.id, job.fence, JobState.FAILED, [ENDED], utc_now(), result={})
    await loop.drain()
    assert face.told == [JobState.PENDING, JobState.PROCESSING, JobState.FAILED]
