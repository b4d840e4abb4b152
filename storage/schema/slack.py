"""What is known of Slack: who is who, and what channels are about."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m006_slack(schema: Schema) -> None:
    """Slack as a face: where a job was asked for, where an answer goes, and whose GitHub account a person there has."""
    run(
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


def m007_slack_channels(schema: Schema) -> None:
    """What a channel in Slack is about, so that it need not be named there."""
    run(
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


def m014_slack_noise(schema: Schema) -> None:
    """How much a channel is told of its repository's jobs; channels bound before go on being told nothing."""
    run(
        schema,
        "ALTER TABLE slack_channels ADD COLUMN noise TEXT NOT NULL DEFAULT 'off'",
        "CREATE INDEX slack_channels_by_repository ON slack_channels (repository_id)",
    )
