"""Reports of contribution analyses, and the GitHub logins found for commits' addresses."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m009_analyses(schema: Schema) -> None:
    """One report for each repository of a job, found by job, by ref or by commit."""
    run(
        schema,
        """
        CREATE TABLE analyses (
            number INTEGER PRIMARY KEY,
            job_id TEXT NOT NULL,
            repository TEXT NOT NULL,
            ref TEXT NOT NULL,
            sha TEXT NOT NULL,
            is_default INTEGER NOT NULL,
            is_passing INTEGER NOT NULL,
            made_us INTEGER NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (job_id, repository)
        )""",
        "CREATE INDEX analyses_ref ON analyses (repository, ref)",
        "CREATE INDEX analyses_sha ON analyses (repository, sha)",
        "CREATE INDEX analyses_default ON analyses (repository) WHERE is_default = 1",
        """
        CREATE TABLE commit_logins (
            email TEXT PRIMARY KEY,
            login TEXT,
            asked_us INTEGER NOT NULL
        )""",
    )


def m022_analyses_by_number(schema: Schema) -> None:
    """Reports are found again when their repository is renamed; 0 where it has no number, or nobody knows it."""
    run(
        schema,
        "ALTER TABLE analyses ADD COLUMN repository_id INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE analyses SET repository_id = coalesce((
            SELECT jobs.repository_id FROM jobs WHERE jobs.id = job_id AND lower(jobs.repository) = analyses.repository
        ), 0)""",
        "CREATE INDEX analyses_by_number ON analyses (repository_id, ref) WHERE repository_id > 0",
    )
