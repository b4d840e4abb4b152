"""Comments on pull requests and issues, and reactions on them. https://docs.github.com/en/rest/issues/comments"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.github import limits
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.times import parsed, written

CLOCKS_DIFFER = timedelta(minutes=5)
BotLogin = Callable[[], Awaitable[str]]
"""The login our own comments stand under."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment. `author` is a login; an app's ends in `[bot]`."""

    id: int
    body: str
    author: str
    html_url: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """Someone's reaction: +1, -1, laugh, confused, heart, hooray, rocket or eyes."""

    id: int
    content: str
    author: str


def hidden(marker: str) -> str:
    """A marker as a reader does not see it; put it into a comment's body to find the comment again."""
    return f"<!-- {marker} -->"


async def find_comment(
    client: Client, issue_number: int, marker: str, author: str, since: datetime | None = None
) -> Comment | None:
    """The comment by `author` that holds the hidden marker. Anyone can write a marker, so only the author's count.

    `since` leaves out what was last changed before it, which saves pages on a long discussion; clocks may differ.
    """
    wanted = hidden(marker)
    operation = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments"
    query = {"since": written(since - CLOCKS_DIFFER if since else None)}
    async for comment in client.each(operation, _comment, query=query, issue_number=issue_number):
        if comment.author == author and wanted in comment.body:
            return comment
    return None


async def find_comments(client: Client, issue_number: int, markers: Collection[str], author: str) -> list[Comment]:
    """Every comment by `author` that holds one of the hidden markers."""
    wanted = [hidden(marker) for marker in markers]
    operation = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments"
    written_there = await client.listed(operation, _comment, issue_number=issue_number)
    return [one for one in written_there if one.author == author and any(marker in one.body for marker in wanted)]


async def create_comment(client: Client, issue_number: int, body: str) -> Comment:
    """Write a new one. Raises Transient with `maybe_done` when the reply was lost: `ensure_comment` looks then."""
    return await client.call(
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        _comment,
        body={"body": limits.comment_body(body)},
        issue_number=issue_number,
    )


async def ensure_comment(
    client: Client,
    issue_number: int,
    marker: str,
    author: str,
    body: str,
    *,
    since: datetime | None = None,
    look_first: bool = True,
) -> Comment:
    """The comment with the hidden marker, written with `body` when there is none. May be repeated.

    The marker is put in front of the body. One that is found keeps its body: `update_comment` changes it.
    """
    marked = mark(body, marker)
    return await client.once(
        lambda: find_comment(client, issue_number, marker, author, since),
        lambda: create_comment(client, issue_number, marked),
        look_first=look_first,
    )


def mark(body: str, marker: str) -> str:
    """The body with the hidden marker in front, where no cut can take it."""
    return f"{hidden(marker)}\n{body}"


async def update_comment(client: Client, comment_id: int, body: str) -> Comment:
    """Change its body. May be repeated. Raises NotFound when someone deleted it."""
    return await client.call(
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        _comment,
        body={"body": limits.comment_body(body)},
        comment_id=comment_id,
    )


async def list_reactions(client: Client, comment_id: int, content: str | None = None) -> list[Reaction]:
    """The reactions on a comment. https://docs.github.com/en/rest/reactions/reactions"""
    operation = "GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"
    return await client.listed(operation, _reaction, query={"content": content}, comment_id=comment_id)


async def add_reaction(client: Client, comment_id: int, content: str) -> Reaction:
    """React to a comment. May be repeated: GitHub answers with the reaction there is."""
    return await client.call(
        "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
        _reaction,
        body={"content": content},
        repeatable=True,
        comment_id=comment_id,
    )


async def remove_reaction(client: Client, comment_id: int, content: str, author: str) -> None:
    """Take back the author's own reaction. May be repeated; none there is fine."""
    for reaction in await list_reactions(client, comment_id, content):
        if reaction.author == author:
            await _delete_reaction(client, comment_id, reaction.id)


async def _delete_reaction(client: Client, comment_id: int, reaction_id: int) -> None:
    operation = "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}"
    try:
        await client.call(operation, lambda _: None, comment_id=comment_id, reaction_id=reaction_id)
    except NotFound:
        return


def _comment(data: Any) -> Comment:
    return Comment(
        id=int(data["id"]),
        body=data.get("body") or "",
        author=_login(data),
        html_url=data.get("html_url") or "",
        created_at=parsed(data.get("created_at")),
    )


def _reaction(data: Any) -> Reaction:
    return Reaction(int(data["id"]), str(data["content"]), _login(data))


def _login(data: Any) -> str:
    """Who wrote it; a deleted account shows as `ghost`."""
    return (data.get("user") or {}).get("login") or "ghost"
