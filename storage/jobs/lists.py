"""Lists of jobs, newest first, each read from the end of an index however many jobs are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from bot.model import Job, JobState, Repository
from bot.store.jobs import JobFilter
from storage.jobs.rows import to_job


def listed(connection: sqlite3.Connection, which: JobFilter) -> list[Job]:
    """The jobs that match, newest first."""
    sql, values = query(which)
    return [to_job(row) for row in connection.execute(sql, values)]


def several(connection: sqlite3.Connection, job_ids: Sequence[str]) -> dict[str, Job]:
    """The jobs of these ids that are there."""
    sql = f"SELECT * FROM jobs WHERE id IN ({', '.join('?' * len(job_ids))})"
    return {row["id"]: to_job(row) for row in connection.execute(sql, tuple(job_ids))}


def query(which: JobFilter) -> tuple[str, list[object]]:
    """The statement and its values.

    Each state is asked for alone and the newest of all are kept: with `state IN (…)` no index gives the order, and
    all jobs of those states would be read and sorted.
    """
    states = which.states or tuple(JobState)
    parts, values = [], list[object]()
    for state in states:
        where, given = _conditions(which, state)
        parts.append(f"SELECT * FROM (SELECT number FROM jobs WHERE {where} ORDER BY number DESC LIMIT ?)")
        values += [*given, which.limit]
    union = " UNION ALL ".join(parts)
    sql = f"SELECT jobs.* FROM jobs WHERE number IN ({union}) ORDER BY number DESC LIMIT ?"
    return sql, [*values, which.limit]


def _conditions(which: JobFilter, state: JobState) -> tuple[str, list[object]]:
    equal: dict[str, object] = {
        **_repository(which.repository),
        "environment": which.environment,
        "kind": which.kind,
        "pull_number": which.pull_number,
        "sha": which.sha,
        "state": state,
    }
    asked = {name: value for name, value in equal.items() if value is not None}
    where, values = [f"{name} = ?" for name in asked], list[object](asked.values())
    if which.within:
        where.append(f"({' OR '.join(['lower(repository) GLOB ?'] * len(which.within))})")
        values += which.within
    if which.before is not None:
        where.append("number < (SELECT number FROM jobs WHERE id = ?)")
        values.append(which.before)
    return " AND ".join(where), values


def _repository(repository: Repository | None) -> dict[str, object]:
    if repository is None:
        return {}
    by_name = {} if repository.id else {"repository": repository.full_name}
    return {"repository_id": repository.id, **by_name}
