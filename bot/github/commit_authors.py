"""Whose commits carry an address: the login GitHub shows beside them. https://docs.github.com/en/rest/commits/commits"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.github.client.client import Client, Query
from bot.github.client.failures import NotFound

NEWEST = 200
"""Commits read in one go, a hundred a request, before anyone is asked about alone."""
AT_ONCE = 4


class CommitAuthor(NamedTuple):
    """The address in a commit, in lower case, and the login of its account; None where GitHub knows none."""

    email: str
    login: str | None


async def logins_of(client: Client, emails: Sequence[str], sha: str) -> dict[str, str | None]:
    """The login behind each address: from the newest commits of `sha`, then for the others from one commit each.

    GitHub links an address only to an account that has proven it. Raises Transient or Permanent.
    """
    recent = dict(await _authors(client, {"sha": sha}, NEWEST))
    found = {email: recent[email] for email in emails if email in recent}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(email: str) -> CommitAuthor:
        async with gate:
            theirs = await _authors(client, {"sha": sha, "author": email, "per_page": 1}, 1)
        return CommitAuthor(email, theirs[0].login if theirs else None)

    others = await asyncio.gather(*(one(email) for email in emails if email not in recent))
    return {**found, **dict(others)}


async def _authors(client: Client, query: Query, most: int) -> list[CommitAuthor]:
    """No commits where GitHub does not know the commit or the address."""
    try:
        return await client.listed("GET /repos/{owner}/{repo}/commits", _author, query=query, most=most)
    except NotFound:
        return []


def _author(commit: Any) -> CommitAuthor:
    account = commit.get("author") or {}
    return CommitAuthor(str(commit["commit"]["author"]["email"]).lower(), account.get("login"))
