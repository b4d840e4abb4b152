"""Ways in that somebody lent us."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m018_connections(schema: Schema) -> None:
    """`facts` is JSON that may be shown, `sealed` what the connection comes in with."""
    run(
        schema,
        """
        CREATE TABLE connections (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            facts TEXT NOT NULL,
            sealed BLOB NOT NULL,
            created_us INTEGER NOT NULL
        )""",
    )


def m019_connection_names(schema: Schema) -> None:
    """`name` is what settings may call it; `version` grows with each change of what is sealed."""
    run(
        schema,
        "ALTER TABLE connections ADD COLUMN name TEXT",
        "ALTER TABLE connections ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
        "CREATE UNIQUE INDEX connections_by_name ON connections (name)",
    )
