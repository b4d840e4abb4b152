"""Which releases had to give way, and the previews of pull requests with the time they end."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m013_previews(schema: Schema) -> None:
    """One row a pull request that has, or had, a preview: `ending` says why it ends, `down` that nothing is left."""
    run(
        schema,
        "ALTER TABLE releases ADD COLUMN abandoned INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX releases_by_commit ON releases (repository_id, sha)",
        "CREATE INDEX releases_by_image ON releases (image)",
        """
        CREATE TABLE previews (
            repository_id INTEGER NOT NULL,
            number INTEGER NOT NULL,
            repository TEXT NOT NULL,
            installation_id INTEGER NOT NULL,
            opened_us INTEGER NOT NULL,
            ends_us INTEGER NOT NULL,
            ending TEXT,
            ended_by TEXT,
            down INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (repository_id, number)
        )""",
    )
