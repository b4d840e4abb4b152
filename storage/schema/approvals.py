"""Jobs that wait for people, who approved them, and which commits of forks are trusted."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m010_approvals(schema: Schema) -> None:
    """`held` is 1 while a job waits outside of its lane for what `hold` says, and then its turn is 0."""
    run(
        schema,
        "ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE jobs ADD COLUMN hold TEXT",
        "CREATE INDEX jobs_held ON jobs (number) WHERE held = 1",
        """
        CREATE TABLE approvals (
            job TEXT NOT NULL REFERENCES jobs (id),
            sha TEXT NOT NULL,
            actor_id INTEGER NOT NULL,
            actor TEXT NOT NULL,
            face TEXT NOT NULL,
            at_us INTEGER NOT NULL,
            PRIMARY KEY (job, actor_id)
        )""",
        """
        CREATE TABLE trusted (
            repository_id INTEGER NOT NULL,
            number INTEGER NOT NULL,
            sha TEXT NOT NULL,
            actor_id INTEGER NOT NULL,
            actor TEXT NOT NULL,
            at_us INTEGER NOT NULL,
            PRIMARY KEY (repository_id, sha)
        )""",
    )
