"""Keys for programs and secrets of repositories."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m005_keys_and_secrets(schema: Schema) -> None:
    """Keys for programs, hashed, and secrets of repositories, sealed."""
    run(
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


def m020_key_limits(schema: Schema) -> None:
    """What a key is limited to, with blanks between; keys that were there before see everything, as they did."""
    run(schema, "ALTER TABLE keys ADD COLUMN repositories TEXT NOT NULL DEFAULT ''")
