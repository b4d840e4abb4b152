"""Locks that people put on environments, and what the line of a lane is told by."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m011_locks(schema: Schema) -> None:
    """One lock an environment; the empty name stands for all of a repository's."""
    run(
        schema,
        """
        CREATE TABLE locks (
            repository_id INTEGER NOT NULL,
            environment TEXT NOT NULL,
            repository TEXT NOT NULL,
            since_us INTEGER NOT NULL,
            until_us INTEGER,
            reason TEXT,
            origin TEXT NOT NULL,
            PRIMARY KEY (repository_id, environment)
        )""",
        "CREATE INDEX locks_until ON locks (until_us) WHERE until_us IS NOT NULL",
        "CREATE INDEX jobs_ended_in_lane ON jobs (lane, number) WHERE ended_us IS NOT NULL AND started_us IS NOT NULL",
        "ALTER TABLE answers ADD COLUMN check_name TEXT",
        "ALTER TABLE answers ADD COLUMN check_conclusion TEXT",
    )
