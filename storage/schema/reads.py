"""Indexes for what people ask to read: what happened on a pull request or an issue, and the jobs of a commit."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m016_reads(schema: Schema) -> None:
    """The trail of a pull request or issue by its number, which entries carry among their rules; jobs by commit."""
    run(
        schema,
        "CREATE INDEX audit_of_issue ON audit (repository, json_extract(rules, '$.number'), number)"
        " WHERE json_extract(rules, '$.number') IS NOT NULL",
        "CREATE INDEX jobs_by_commit ON jobs (sha, state, number)",
    )
