"""Lists and claims read from an index's end: none of them scans or sorts the jobs."""

from __future__ import annotations

import sqlite3

import pytest

from bot.model import JobKind, JobState, Repository
from bot.store.jobs import JobFilter
from storage.jobs import lists as joblists
from storage.opened import OpenStore
from storage.schema.reads import ISSUE
from tests.storage.sample import API

FILTERS = [
    JobFilter(),
    JobFilter(before="dep_x"),
    JobFilter(repository=API),
    JobFilter(repository=API, environment="production", states=(JobState.FAILED,)),
    JobFilter(repository=API, kind=JobKind.ANALYSIS),
    JobFilter(repository=API, pull_number=5, before="dep_x"),
    JobFilter(repository=API, sha="a" * 40),
    JobFilter(repository=Repository(0, "git.example.org/a"), kind=JobKind.ANALYSIS),
    JobFilter(environment="staging"),
    JobFilter(kind=JobKind.PIPELINE, states=(JobState.FAILED, JobState.PENDING)),
    JobFilter(states=(JobState.FAILED,)),
    JobFilter(kind=JobKind.ANALYSIS, within=("acme/*", "other/api")),
]


def plan(connection: sqlite3.Connection, sql: str, values: list[object]) -> list[str]:
    return [row["detail"] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, values)]


@pytest.mark.parametrize("which", FILTERS, ids=str)
async def test_a_list_of_jobs_is_read_from_an_index(opened: OpenStore, which: JobFilter) -> None:
    steps = await opened.database.read(lambda c: plan(c, *joblists.query(which)))
    on_jobs = [step for step in steps if "jobs" in step]
    assert on_jobs
    assert [step for step in on_jobs if step.startswith("SCAN")] == []


async def test_a_claim_looks_only_at_the_heads_of_lanes(opened: OpenStore) -> None:
    seen: list[str] = []

    def watched(connection: sqlite3.Connection) -> None:
        sql = "SELECT number FROM jobs WHERE turn = 1 AND lease_until_us <= ? ORDER BY number LIMIT 1"
        seen.extend(plan(connection, sql, [0]))

    await opened.database.read(watched)
    assert seen == ["SCAN jobs USING INDEX jobs_turn"]


async def test_what_was_said_on_one_issue_is_read_from_an_index(opened: OpenStore) -> None:
    sql = f"SELECT * FROM audit WHERE repository = ? AND {ISSUE} = ? ORDER BY number DESC LIMIT ?"  # noqa: S608 (a name of ours)
    steps = await opened.database.read(lambda c: plan(c, sql, ["acme/api", 7, 50]))
    assert steps == ["SEARCH audit USING INDEX audit_of_issue (repository=? AND <expr>=?)"]


@pytest.mark.parametrize(
    ("sql", "values", "step"),
    [
        (
            "SELECT * FROM releases WHERE repository_id = ? AND active = 1 ORDER BY environment LIMIT ?",
            [7, 500],
            "SEARCH releases USING INDEX releases_active (repository_id=?)",
        ),
        (
            "SELECT * FROM jobs WHERE id IN (?, ?)",
            ["dep_a", "dep_b"],
            "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)",
        ),
    ],
    ids=["what serves", "several jobs"],
)
async def test_what_serves_is_read_from_an_index(opened: OpenStore, sql: str, values: list[object], step: str) -> None:
    assert await opened.database.read(lambda c: plan(c, sql, values)) == [step]


async def test_a_repository_is_found_by_its_name_from_an_index(opened: OpenStore) -> None:
    sql = "SELECT repository_id FROM jobs WHERE lower(repository) = ? ORDER BY number DESC LIMIT 1"
    steps = await opened.database.read(lambda c: plan(c, sql, ["acme/api"]))
    assert steps == ["SEARCH jobs USING INDEX jobs_by_name (<expr>=?)"]
