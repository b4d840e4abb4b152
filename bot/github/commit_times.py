"""When commits were made, as the commits say themselves. https://docs.github.com/en/rest/commits/commits"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.github.client.client import Client
from bot.github.client.failures import NotFound

MOST = 200
"""Commits read before a commit; a hundred a request."""


async def times_before(client: Client, sha: str) -> dict[str, datetime]:
    """The committer's date of a commit and of the newest before it, by full SHA; none where GitHub has it no more.

    A date is whatever its author's machine said: good for a figure, never for a decision.
    """
    try:
        listed = await client.listed(
            "GET /repos/{owner}/{repo}/commits", _time, query={"sha": sha, "per_page": 100}, most=MOST
        )
    except NotFound:
        return {}
    return dict(listed)


def _time(commit: Any) -> tuple[str, datetime]:
    return str(commit["sha"]), datetime.fromisoformat(commit["commit"]["committer"]["date"])
