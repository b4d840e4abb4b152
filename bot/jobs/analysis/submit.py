"""The one way to ask for an analysis: whoever asks knows neither the queue nor the engine behind it."""

from __future__ import annotations

from typing import Protocol

from bot.clock import Clock
from bot.errors import Refused
from bot.jobs.analysis.plan import AnalysisPlan, Subject
from bot.model import UNFINISHED, Job, JobKind, JobRequest, Origin, Repository
from bot.store.jobs import JobFilter, Jobs


class Submit(Protocol):
    """Takes an analysis on. The embedded queue is `JobQueue`; another engine only has to satisfy this."""

    async def submit(self, plan: AnalysisPlan, origin: Origin) -> tuple[Job, bool]:
        """The job, and whether it is a new one: the same question asked again while it is answered is one job.

        Raises Refused("queue_full") or Transient.
        """

    async def cancel(self, job: Job, by: str) -> Job:
        """Ask for its end; the job as it is then. Raises Refused("job_over")."""


class JobQueue:
    """The store's own jobs."""

    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock

    async def submit(self, plan: AnalysisPlan, origin: Origin) -> tuple[Job, bool]:
        request = analysis_request(plan, origin)
        known = await under_way(self._jobs, request)
        return (known, False) if known else (await self._jobs.create(request, self._clock()), True)

    async def cancel(self, job: Job, by: str) -> Job:
        if job.state.is_final:
            raise Refused("job_over", job=job.id, state=job.state.value)
        return await self._jobs.ask_cancel(job.id, by, self._clock()) or job


async def under_way(jobs: Jobs, request: JobRequest) -> Job | None:
    """The unfinished job that answers the same question on the same face."""
    waiting = await jobs.find(JobFilter(repository=request.repository, kind=JobKind.ANALYSIS, states=UNFINISHED))
    same = (job for job in waiting if (job.spec, job.origin.face) == (request.spec, request.origin.face))
    return next(same, None)


def analysis_request(plan: AnalysisPlan, origin: Origin) -> JobRequest:
    """The job of a plan, in the lane of its repository: one analysis of a repository at a time.

    What nobody asked for replaces what waits there of the same kind: the newer commit is the one that counts.
    """
    first = plan.targets[0]
    lane = f"analysis {first.repository_id or first.name}"
    return JobRequest(
        JobKind.ANALYSIS,
        f"{lane} #{origin.pull_number}" if plan.subject is Subject.CHANGE else lane,
        Repository(first.repository_id, first.name),
        first.sha,
        first.ref,
        "",
        origin,
        plan.to_json(),
        supersedes_waiting=plan.is_passing,
    )
