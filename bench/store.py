"""Whether the store grows slow: lists and claims with 100,000 stored jobs beside the same with 100.

Run: python -m bench.store. Three pairs of files are made: jobs that ended, jobs that all wait behind one busy lane, and
jobs that wait each in a lane of its own. Each question is asked of the small and the big file in turn and must answer
as many rows from both. What the quickest quarter took at most is printed with its ratio: it is what the question costs
when no other program disturbs it. No ratio may be over 1.5.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import quantiles

from bench.figure import Figure, at_most
from bench.report import main, require_no_options
from bot.model import Job, JobKind, JobState, Repository
from bot.store.jobs import JobFilter
from bot.store.store import Store
from storage.opened import OpenStore, open_store

SMALL, BIG = 100, 100_000
BENCH = "store"
RATIO_GOAL = 1.5
ROUNDS = 300
LIMIT = 5
FACE = "check_run"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
Question = Callable[[Store], Awaitable[int]]


def ended(number: int) -> dict[str, object]:
    """A job that came to its end."""
    state = JobState.FAILED if number % 2 else JobState.COMPLETED
    return {"lane": f"lane {number % 10}", "state": state, "turn": 0, "ended_us": 1}


def behind_one(number: int) -> dict[str, object]:
    """A job that waits for the first one, which is leased for long."""
    lease_until_us = 2**52 if number == 1 else None
    owner = "elsewhere" if number == 1 else None
    return {
        "lane": "lane",
        "state": JobState.PENDING,
        "turn": int(number == 1),
        "lease_until_us": lease_until_us,
        "lease_owner": owner,
    }


def runnable(number: int) -> dict[str, object]:
    """A job that anyone may take."""
    return {"lane": f"lane {number}", "state": JobState.PENDING, "turn": 1}


FILLS = {"ended": ended, "waiting behind one": behind_one, "waiting, each in its own lane": runnable}


def listing(which: JobFilter) -> Question:
    """Ask for one page of a list."""

    async def ask(store: Store) -> int:
        return len(await store.jobs.find(replace(which, limit=LIMIT)))

    return ask


async def second_page(store: Store) -> int:
    """The page that follows the newest jobs."""
    first = await store.jobs.find(JobFilter(limit=LIMIT))
    return len(await store.jobs.find(JobFilter(before=first[-1].id, limit=LIMIT)))


async def claim(store: Store) -> int:
    """Take the next job, where there is one, and hand it back."""
    job: Job | None = await store.jobs.claim("bench", NOW, 60)
    if job is not None:
        await store.jobs.give_back(job.id, job.fence)
    return int(job is not None)


async def behind(store: Store) -> int:
    """What one face has to tell, when all is told."""
    return len(await store.reports.behind(FACE, LATER))


APP = Repository(1, "acme/app1")
QUESTIONS: dict[str, Question] = {
    "newest jobs": listing(JobFilter()),
    "second page": second_page,
    "of a repository": listing(JobFilter(repository=APP)),
    "of an environment": listing(JobFilter(environment="env1")),
    "of a kind": listing(JobFilter(kind=JobKind.ANALYSIS)),
    "of a pull request": listing(JobFilter(repository=APP, pull_number=1)),
    "of a repository and kind": listing(JobFilter(repository=APP, kind=JobKind.ANALYSIS)),
    "of a repository and environment": listing(JobFilter(repository=APP, environment="env1")),
    "failed": listing(JobFilter(states=(JobState.FAILED,))),
    "waiting": listing(JobFilter(states=(JobState.PENDING,))),
    "running": listing(JobFilter(states=(JobState.BUILDING, JobState.DEPLOYING))),
    "claim": claim,
    "reports behind": behind,
}


def measure(arguments: list[str]) -> list[Figure]:
    """The question that grew most, in each pair of files."""
    require_no_options("store", arguments)
    return asyncio.run(_measured())


async def _measured() -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, fill in FILLS.items():
            small, big = [await _filled(f"sqlite:///{folder}/{kind}-{count}.db", count, fill) for count in (SMALL, BIG)]
            figures.append(await _compare(kind, small.store, big.store))
            await asyncio.gather(small.close(), big.close())
    return figures


async def _compare(kind: str, small: Store, big: Store) -> Figure:
    """Print one table and answer its worst line."""
    print(f"\n{kind:34} {SMALL:>10,} {BIG:>10,}  ratio")
    figures = []
    for name, question in QUESTIONS.items():
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            answers = [await _timed(question, store, taken) for store, taken in zip((small, big), times, strict=True)]
            assert answers[0] == answers[1], f"{name}: {answers}"
        small_ms, big_ms = (quantiles(taken, n=4)[0] * 1e3 for taken in times)
        print(f"{name:34} {small_ms:8.3f}ms {big_ms:8.3f}ms {big_ms / small_ms:6.2f}")
        what = f"{BIG:,} jobs, {kind}: worst is {name}"
        figures.append(at_most(BENCH, what, big_ms, "ms", f"with {SMALL}", small_ms, most=RATIO_GOAL))
    return max(figures, key=lambda figure: figure.ratio)


async def _timed(question: Question, store: Store, taken: list[float]) -> int:
    begun = time.perf_counter()
    answer = await question(store)
    taken.append(time.perf_counter() - begun)
    return answer


async def _filled(url: str, count: int, fill: Callable[[int], dict[str, object]]) -> OpenStore:
    """A new file with `count` jobs, all told; written as rows, since what is measured is reading them."""
    opened = await open_store(url)
    rows = [{**_row(number), **fill(number)} for number in range(1, count + 1)]
    names, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
    await opened.database.write(lambda c: c.executemany(f"INSERT INTO jobs ({names}) VALUES ({marks})", rows).rowcount)
    await behind(opened.store)
    await opened.database.write(lambda c: c.execute("UPDATE reports SET behind = 0, told_seq = 1").rowcount)
    return opened


def _row(number: int) -> dict[str, object]:
    """What all jobs have; 100 of them hold at least one page of every list."""
    return {
        "number": number,
        "id": f"dep_{number:010}",
        "kind": JobKind.ANALYSIS if number // 20 % 2 else JobKind.DEPLOY,
        "repository_id": number % 5,
        "repository": f"acme/app{number % 5}",
        "sha": "a" * 40,
        "ref": "main",
        "environment": f"env{number // 5 % 2}",
        "face": "push",
        "actor": "alice",
        "installation_id": 1,
        "pull_number": number % 10,
        "created_us": 1_767_225_600_000_000 + number,
        "last_seq": 1,
        "spec": "{}",
    }


if __name__ == "__main__":
    main(measure)
