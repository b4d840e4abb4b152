"""Pull requests: what they ask to merge, and from where. https://docs.github.com/en/rest/pulls/pulls"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.github.client import Client


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

    @property
    def from_fork(self) -> bool:
        """Whether its commits come from anywhere else than the base repository; a deleted head counts as a fork."""
        return self.head_repository is None or self.head_repository.lower() != self.base_repository.lower()


async def get_pull(client: Client, number: int) -> PullRequest:
    """Read one. Raises NotFound, for an issue's number too."""
    return await client.call("GET /repos/{owner}/{repo}/pulls/{pull_number}", pull_request, pull_number=number)


async def list_open_pulls(client: Client, *, base: str | None = None, most: int = 1000) -> list[PullRequest]:
    """The open ones, the newest first, at most `most`; `base` names the branch they go to."""
    query = {"state": "open", "base": base}
    return await client.listed("GET /repos/{owner}/{repo}/pulls", pull_request, query=query, most=most)


def pull_request(data: Any) -> PullRequest:
    """Read GitHub's object, of a reply or of a webhook. Raises KeyError, TypeError when it is another."""
    head, base = data["head"], data["base"]
    return PullRequest(
        id=int(data["id"]),
        number=int(data["number"]),
        title=data.get("title") or "",
        state=str(data["state"]),
        merged=data.get("merged_at") is not None,
        draft=bool(data.get("draft")),
        author=(data.get("user") or {}).get("login") or "ghost",
        head_sha=str(head["sha"]),
        head_ref=str(head["ref"]),
        head_repository=head["repo"]["full_name"] if head.get("repo") else None,
        base_sha=str(base["sha"]),
        base_ref=str(base["ref"]),
        base_repository=str(base["repo"]["full_name"]),
    )
