"""Jobs, their events and facts, how far each face has told them, and what went live."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m002_jobs(schema: Schema) -> None:
    """Jobs, their events and facts. `turn` is 1 for the oldest unfinished job of each lane and 0 for all others."""
    run(
        schema,
        """
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            lane TEXT NOT NULL,
            turn INTEGER NOT NULL,
            repository_id INTEGER NOT NULL,
            repository TEXT NOT NULL,
            sha TEXT NOT NULL,
            ref TEXT NOT NULL,
            environment TEXT NOT NULL,
            face TEXT NOT NULL,
            actor TEXT NOT NULL,
            installation_id INTEGER NOT NULL,
            pull_number INTEGER,
            comment_id INTEGER,
            created_us INTEGER NOT NULL,
            started_us INTEGER,
            ended_us INTEGER,
            stage INTEGER,
            fence INTEGER NOT NULL DEFAULT 0,
            lease_owner TEXT,
            lease_until_us INTEGER,
            cancel_asked_by TEXT,
            error_code TEXT,
            error_message TEXT,
            last_seq INTEGER NOT NULL DEFAULT 0,
            spec TEXT NOT NULL,
            result TEXT NOT NULL DEFAULT '{}'
        )""",
        "CREATE INDEX jobs_turn ON jobs (number) WHERE turn = 1",
        "CREATE INDEX jobs_unfinished ON jobs (lane, number) WHERE ended_us IS NULL",
        "CREATE INDEX jobs_unfinished_place ON jobs (repository_id, environment, number) WHERE ended_us IS NULL",
        "CREATE INDEX jobs_waiting ON jobs (lane, number) WHERE state = 'PENDING'",
        "CREATE INDEX jobs_leased ON jobs (lease_owner) WHERE lease_owner IS NOT NULL",
        "CREATE INDEX jobs_by_state ON jobs (state, number)",
        "CREATE INDEX jobs_by_kind ON jobs (kind, state, number)",
        "CREATE INDEX jobs_by_environment ON jobs (environment, state, number)",
        "CREATE INDEX jobs_by_repository ON jobs (repository, state, number)",
        "CREATE INDEX jobs_by_repository_kind ON jobs (repository, kind, state, number)",
        "CREATE INDEX jobs_by_place ON jobs (repository, environment, state, number)",
        "CREATE INDEX jobs_by_pull ON jobs (repository, pull_number, state, number)",
        """
        CREATE TABLE events (
            job INTEGER NOT NULL REFERENCES jobs (number),
            seq INTEGER NOT NULL,
            at_us INTEGER NOT NULL,
            type TEXT NOT NULL,
            message TEXT NOT NULL,
            stage INTEGER,
            details TEXT NOT NULL,
            PRIMARY KEY (job, seq)
        )""",
        """
        CREATE TABLE facts (
            job INTEGER NOT NULL REFERENCES jobs (number),
            stage INTEGER NOT NULL,
            facts TEXT NOT NULL,
            PRIMARY KEY (job, stage)
        )""",
    )


def m003_reports(schema: Schema) -> None:
    """How far each face has told each job. `behind` is 1 while the job has events the face has not told."""
    run(
        schema,
        """
        CREATE TABLE reports (
            job INTEGER NOT NULL REFERENCES jobs (number),
            face TEXT NOT NULL,
            told_seq INTEGER NOT NULL DEFAULT 0,
            behind INTEGER NOT NULL DEFAULT 1,
            state TEXT NOT NULL DEFAULT '{}',
            attempts INTEGER NOT NULL DEFAULT 0,
            due_us INTEGER NOT NULL DEFAULT 0,
            reason TEXT,
            PRIMARY KEY (job, face)
        )""",
        "CREATE INDEX reports_behind ON reports (face, job) WHERE behind = 1",
        "CREATE TABLE faces (face TEXT PRIMARY KEY, enrolled INTEGER NOT NULL)",
    )


def m004_releases(schema: Schema) -> None:
    """What went live; one release at most is active in an environment."""
    run(
        schema,
        """
        CREATE TABLE releases (
            id INTEGER PRIMARY KEY,
            repository_id INTEGER NOT NULL,
            environment TEXT NOT NULL,
            version INTEGER NOT NULL,
            job_id TEXT NOT NULL,
            sha TEXT NOT NULL,
            image TEXT NOT NULL,
            instance_id TEXT NOT NULL,
            spec TEXT NOT NULL,
            live_us INTEGER NOT NULL,
            active INTEGER NOT NULL,
            UNIQUE (repository_id, environment, version)
        )""",
        "CREATE UNIQUE INDEX releases_active ON releases (repository_id, environment) WHERE active = 1",
    )


def m008_actor_ids(schema: Schema) -> None:
    """Who asked, by the number that survives a renamed login; NULL where it was not told."""
    run(schema, "ALTER TABLE jobs ADD COLUMN actor_id INTEGER")


def m021_jobs_by_number(schema: Schema) -> None:
    """A repository's jobs are found by its number, whatever it is called now, and its number by any name it had."""
    run(
        schema,
        "DROP INDEX jobs_by_repository",
        "DROP INDEX jobs_by_repository_kind",
        "DROP INDEX jobs_by_place",
        "DROP INDEX jobs_by_pull",
        "CREATE INDEX jobs_by_repository ON jobs (repository_id, state, number)",
        "CREATE INDEX jobs_by_repository_kind ON jobs (repository_id, kind, state, number)",
        "CREATE INDEX jobs_by_place ON jobs (repository_id, environment, state, number)",
        "CREATE INDEX jobs_by_pull ON jobs (repository_id, pull_number, state, number)",
        "CREATE INDEX jobs_by_name ON jobs (lower(repository), number)",
    )


def m023_repository_names(schema: Schema) -> None:
    """What GitHub told a repository is called since, before any job is asked for under that name."""
    run(
        schema,
        """
        CREATE TABLE repository_names (
            repository_id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            noted_us INTEGER NOT NULL
        )""",
        "CREATE INDEX repository_names_by_name ON repository_names (lower(name))",
    )
