"""Brings a database to the shape this code expects, step by step, and refuses one that is newer."""

from __future__ import annotations

import contextlib
import sqlite3

from sqlite_utils import Database as Schema
from sqlite_utils.migrations import Migrations

from bot.errors import UserMistake
from storage.connection import connect, path_of
from storage.faults import translated

shipmate = Migrations("shipmate")


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


def _run(schema: Schema, *statements: str) -> None:
    for statement in statements:
        schema.execute(statement)


@shipmate()
def m001_deliveries(schema: Schema) -> None:
    """Webhooks and what they meant. Rows stay for good, so that no number and no guid is ever taken twice."""
    _run(
        schema,
        """
        CREATE TABLE deliveries (
            seq INTEGER PRIMARY KEY,
            guid BLOB NOT NULL UNIQUE,
            event TEXT NOT NULL,
            received_us INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_us INTEGER NOT NULL DEFAULT 0,
            claimed_by TEXT,
            outcome TEXT,
            reason TEXT,
            semantic_key TEXT,
            settled_us INTEGER,
            body BLOB
        )""",
        "CREATE INDEX deliveries_unsettled ON deliveries (seq) WHERE outcome IS NULL",
        "CREATE TABLE acts (semantic_key TEXT PRIMARY KEY, delivery_seq INTEGER NOT NULL)",
        """
        CREATE TABLE heads (
            repository_id INTEGER NOT NULL,
            number INTEGER NOT NULL,
            sha TEXT NOT NULL,
            received_us INTEGER NOT NULL,
            received_seq INTEGER NOT NULL,
            PRIMARY KEY (repository_id, number)
        )""",
        """
        CREATE TABLE answers (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            delivery_seq INTEGER NOT NULL,
            repository_id INTEGER NOT NULL,
            repository TEXT NOT NULL,
            installation_id INTEGER NOT NULL,
            number INTEGER,
            body TEXT NOT NULL,
            comment_id INTEGER,
            reaction TEXT,
            check_sha TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_us INTEGER NOT NULL DEFAULT 0,
            sent INTEGER NOT NULL DEFAULT 0,
            note TEXT
        )""",
        "CREATE INDEX answers_unsent ON answers (id) WHERE sent = 0",
        "CREATE INDEX answers_of_delivery ON answers (delivery_seq)",
    )


@shipmate()
def m002_jobs(schema: Schema) -> None:
    """Jobs, their events and facts. `turn` is 1 for the oldest unfinished job of each lane and 0 for all others."""
    _run(
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


@shipmate()
def m003_reports(schema: Schema) -> None:
    """How far each face has told each job. `behind` is 1 while the job has events the face has not told."""
    _run(
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


@shipmate()
def m004_releases(schema: Schema) -> None:
    """What went live; one release at most is active in an environment."""
    _run(
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


@shipmate()
def m005_keys_and_secrets(schema: Schema) -> None:
    """Keys for programs, hashed, and secrets of repositories, sealed."""
    _run(
        schema,
        """
        CREATE TABLE keys (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            hash BLOB NOT NULL,
            created_us INTEGER NOT NULL,
            last_used_us INTEGER,
            revoked_us INTEGER
        )""",
        """
        CREATE TABLE secrets (
            repository TEXT NOT NULL,
            name TEXT NOT NULL,
            sealed BLOB NOT NULL,
            updated_us INTEGER NOT NULL,
            PRIMARY KEY (repository, name)
        )""",
    )


@shipmate()
def m006_slack(schema: Schema) -> None:
    """Slack as a face: where a job was asked for, where an answer goes, and whose GitHub account a person there has."""
    _run(
        schema,
        "ALTER TABLE jobs ADD COLUMN channel TEXT",
        "ALTER TABLE jobs ADD COLUMN thread TEXT",
        "ALTER TABLE answers ADD COLUMN slack TEXT",
        """
        CREATE TABLE slack_links (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            github_id INTEGER NOT NULL,
            github_login TEXT NOT NULL,
            linked_us INTEGER NOT NULL,
            PRIMARY KEY (team_id, user_id)
        )""",
        """
        CREATE TABLE slack_tickets (
            hash BLOB PRIMARY KEY,
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            user_name TEXT NOT NULL,
            team_name TEXT NOT NULL,
            channel TEXT NOT NULL,
            expires_us INTEGER NOT NULL
        )""",
    )


@shipmate()
def m007_slack_channels(schema: Schema) -> None:
    """What a channel in Slack is about, so that it need not be named there."""
    _run(
        schema,
        """
        CREATE TABLE slack_channels (
            channel TEXT PRIMARY KEY,
            repository_id INTEGER NOT NULL,
            repository TEXT NOT NULL,
            environment TEXT,
            bound_us INTEGER NOT NULL
        )""",
    )
