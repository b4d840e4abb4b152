"""What came in: webhooks and other requests, what they meant, and the answers to them."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m001_deliveries(schema: Schema) -> None:
    """Webhooks and what they meant. Rows stay for good, so that no number and no guid is ever taken twice."""
    run(
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
