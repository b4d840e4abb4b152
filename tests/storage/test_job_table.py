"""Whatever happens in whatever order, the table of jobs stays true: one at a time in a lane, the oldest first."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.errors import LeaseLost
from bot.model import Job, JobState
from storage.opened import OpenStore, open_store
from tests.migrated import put_database
from tests.storage.sample import ENDED, LEASE_S, LOG, NOW, STARTED, request

T = TypeVar("T")
LANES = st.sampled_from(["a", "b"])
FACES = st.sampled_from(["push", "comment"])


class JobTable(RuleBasedStateMachine):
    """Random lives of a few lanes, beside a list that says what must be true."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.now = NOW
        self.order: list[str] = []
        self.holders: dict[str, Job] = {}
        self.lost: list[Job] = []

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.opened: OpenStore = self.do(open_store(put_database(Path(self.folder.name, "jobs.db"))))
        self.jobs = self.opened.store.jobs

    def teardown(self) -> None:
        self.do(self.opened.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(lane=LANES, face=FACES, supersedes=st.booleans())
    def create(self, lane: str, face: str, supersedes: bool) -> None:
        self.order.append(self.do(self.jobs.create(request(lane, face=face, supersedes=supersedes), self.now)).id)

    @rule()
    def claim(self) -> None:
        expected = self.runnable()
        job = self.do(self.jobs.claim("w", self.now, LEASE_S))
        assert (job.id if job else None) == expected
        if job is not None:
            if job.id in self.holders:
                self.lost.append(self.holders[job.id])
            self.holders[job.id] = job

    @rule(seconds=st.sampled_from([1, 6, 11]))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(pick=st.randoms(use_true_random=False), start=st.booleans())
    def work(self, pick: Any, start: bool) -> None:
        if not self.holders:
            return
        job = pick.choice(list(self.holders.values()))
        now = self.stored(job.id)
        if start and now.state is JobState.PENDING:
            self.do(self.jobs.advance(job.id, job.fence, JobState.PROCESSING, None, [STARTED], self.now))
        else:
            self.do(self.jobs.append(job.id, job.fence, [LOG, LOG], self.now))

    @rule(pick=st.randoms(use_true_random=False))
    def beat(self, pick: Any) -> None:
        if self.holders:
            job = pick.choice(list(self.holders.values()))
            if self.stored(job.id).lease_owner is not None:
                self.do(self.jobs.heartbeat(job.id, job.fence, self.now, LEASE_S))

    @rule(pick=st.randoms(use_true_random=False))
    def give_back(self, pick: Any) -> None:
        if self.holders:
            job = pick.choice(list(self.holders.values()))
            self.do(self.jobs.give_back(job.id, job.fence))

    @rule(pick=st.randoms(use_true_random=False))
    def finish(self, pick: Any) -> None:
        if self.holders:
            job = self.holders.pop(pick.choice(list(self.holders)))
            self.do(self.jobs.finish(job.id, job.fence, JobState.FAILED, [ENDED], self.now, result={}))

    @rule(pick=st.randoms(use_true_random=False))
    def cancel(self, pick: Any) -> None:
        if self.order:
            self.do(self.jobs.ask_cancel(pick.choice(self.order), "bob", self.now))

    @rule()
    def write_under_a_lost_fence(self) -> None:
        for job in self.lost:
            try:
                self.do(self.jobs.append(job.id, job.fence, [LOG], self.now))
            except LeaseLost:
                continue
            raise AssertionError("a lost lease wrote")

    @invariant()
    def the_world_is_consistent(self) -> None:
        if not hasattr(self, "jobs"):
            return
        stored = [self.stored(job_id) for job_id in self.order]
        self.holders = {key: job for key, job in self.holders.items() if not self.stored(key).state.is_final}
        for lane in ("a", "b"):
            unfinished = [job for job in stored if job.lane == lane and not job.state.is_final]
            assert all(job.fence == 0 for job in unfinished[1:])
        for job in stored:
            numbers = [event.seq for event in self.do(self.jobs.events(job.id))]
            assert numbers == list(range(1, len(numbers) + 1))
            assert (job.ended_at is not None) == job.state.is_final

    def runnable(self) -> str | None:
        """The oldest job that heads its lane and that nobody holds, found the slow way."""
        seen: set[str] = set()
        for job in (self.stored(job_id) for job_id in self.order):
            if job.state.is_final or job.lane in seen:
                continue
            seen.add(job.lane)
            if job.lease_until is None or job.lease_until <= self.now:
                return job.id
        return None

    def stored(self, job_id: str) -> Job:
        job = self.do(self.jobs.get(job_id))
        assert job is not None
        return job


JobTable.TestCase.settings = settings(max_examples=25, stateful_step_count=30)
TestJobTable = JobTable.TestCase
