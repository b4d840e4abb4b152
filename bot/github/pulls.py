"""Pull requests: what they ask to merge, and from where. https://docs.github.com/en/rest/pulls/pulls"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.github.client.client import Client
from bot.github.fields import Fields


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request. `head_repository` is None when the fork it came from was deleted."""

    id: int
    number: int
    title: str
    state: str
    """`open` or `closed`."""
    merged: bool
    draft: bool
    author: str
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_sha: str
    base_ref: str
    base_repository: str
    default_branch: str
    """Of the base repository."""

    @property
    def from_fork(self) -> bool:
        """Whether its commits come from anywhere else than the base repository; a deleted head counts as a fork."""
        return self.head_repository is None or self.head_repository.lower() != self.base_repository.lower()


async def get_pull(client: Client, number: int) -> PullRequest:
    """Read one. Raises NotFound, for an issue's number too."""
    return await client.call("GET /repos/{owner}/{repo}/pulls/{pull_number}", _read, pull_number=number)


async def list_open_pulls(client: Client, *, base: str | None = None, most: int = 1000) -> list[PullRequest]:
    """The open ones, the newest first, at most `most`; `base` names the branch they go to."""
    query = {"state": "open", "base": base}
    return await client.listed("GET /repos/{owner}/{repo}/pulls", _read, query=query, most=most)


def pull_request(data: Fields) -> PullRequest:
    """Read GitHub's object, of a reply or of a webhook. Raises Unreadable when it is another."""
    head, base, author = data.inside("head"), data.inside("base"), data.inside_maybe("user")
    head_repository, base_repository = head.inside_maybe("repo"), base.inside("repo")
    return PullRequest(
        id=data.number("id"),
        number=data.number("number"),
        title=data.text_maybe("title") or "",
        state=data.text("state"),
        merged=data.has("merged_at"),
        draft=data.flag("draft"),
        author=author.text("login") if author else "ghost",
        head_sha=head.sha("sha"),
        head_ref=head.ref("ref"),
        head_repository=head_repository.full_name("full_name") if head_repository else None,
        base_sha=base.sha("sha"),
        base_ref=base.ref("ref"),
        base_repository=base_repository.full_name("full_name"),
        default_branch=base_repository.ref("default_branch"),
    )


def _read(reply: Any) -> PullRequest:
    return pull_request(Fields(reply))
