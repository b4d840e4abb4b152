"""Indexes for what people ask to read: what happened on a pull request or an issue, and the jobs of a commit."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run

ISSUE = "CASE WHEN json_valid(rules) THEN json_extract(rules, '$.number') END"
"""The number of the pull request or issue an entry was said on; NULL too where somebody made the rules unreadable."""


def m016_reads(schema: Schema) -> None:
    """The trail of a pull request or issue by its number, which entries carry among their rules; jobs by commit."""
    run(
        schema,
        f"CREATE INDEX audit_of_issue ON audit (repository, {ISSUE}, number) WHERE {ISSUE} IS NOT NULL",
        "CREATE INDEX jobs_by_commit ON jobs (sha, state, number)",
    )
