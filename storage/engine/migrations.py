"""Brings a database to the shape this code expects, step by step, and refuses one that is newer."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

from sqlite_utils import Database as Schema
from sqlite_utils.migrations import Migrations

from bot.errors import UserMistake
from storage.engine.connection import connect, path_of
from storage.engine.faults import translated
from storage.schema import (
    analyses,
    approvals,
    audit,
    connections,
    deliveries,
    jobs,
    keys,
    locks,
    previews,
    reads,
    slack,
)

STEPS: tuple[Callable[[Schema], None], ...] = (
    deliveries.m001_deliveries,
    jobs.m002_jobs,
    jobs.m003_reports,
    jobs.m004_releases,
    keys.m005_keys_and_secrets,
    slack.m006_slack,
    slack.m007_slack_channels,
    jobs.m008_actor_ids,
    analyses.m009_analyses,
    approvals.m010_approvals,
    locks.m011_locks,
    audit.m012_audit,
    previews.m013_previews,
    slack.m014_slack_noise,
    reads.m016_reads,
    connections.m018_connections,
    connections.m019_connection_names,
    keys.m020_key_limits,
    jobs.m021_jobs_by_number,
    analyses.m022_analyses_by_number,
    jobs.m023_repository_names,
)
"""In the order they are applied; a step that was released is never changed, only followed."""

shipmate = Migrations("shipmate")
for step in STEPS:
    shipmate()(step)


def migrate(url: str) -> list[str]:
    """Apply what is missing and answer the names of what was applied now; the folder is made when it is missing.

    All of it is one transaction under the write lock: another process that starts at the same moment waits, then
    finds nothing left to do. Raises UserMistake("bad_setting") for a database newer than this code or a file that is
    none, Transient when it cannot be reached.
    """
    path = path_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.closing(connect(path)) as connection:
            schema = Schema(connection, recursive_triggers=False, execute_plugins=False)
            return _applied_now(schema)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            sentence = f"names {path}, which is no database: give another file"
            raise UserMistake("bad_setting", name="DATABASE_URL", sentence=sentence) from error
        raise translated(error) from error


def is_current(url: str) -> bool:
    """Whether the database is there and lacks no step; nothing is changed. Raises as `migrate` does."""
    path = path_of(url)
    if not path.exists():
        return False
    try:
        with contextlib.closing(connect(path)) as connection:
            return not shipmate.pending(Schema(connection, recursive_triggers=False, execute_plugins=False))
    except sqlite3.Error as error:
        raise translated(error) from error


def _applied_now(schema: Schema) -> list[str]:
    schema.execute("BEGIN IMMEDIATE")
    try:
        _refuse_newer(schema)
        missing = [step.name for step in shipmate.pending(schema)]
        if missing:
            shipmate.apply(schema)
        schema.execute("COMMIT")
    finally:
        schema.rollback()
    return missing


def _refuse_newer(schema: Schema) -> None:
    known = {step.name for step in shipmate.pending(Schema(memory=True))}  # an empty database lacks every step
    strange = [step.name for step in shipmate.applied(schema) if step.name not in known]
    if strange:
        sentence = (
            f"names a database that a newer Shipmate wrote (it has {strange[-1]}): run that version or a newer one"
        )
        raise UserMistake("bad_setting", name="DATABASE_URL", sentence=sentence)
