"""What a repository holds: its branches, commits, files and tree, read at GitHub without a clone."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from bot.errors import Permanent
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.model import FULL_SHA, Repository

FILE_BYTES = 1024 * 1024
"""The largest file read by default."""
MOST_BRANCHES = 100
"""How many branches are looked at for a commit."""
_SHORT_SHA = re.compile(r"\A[0-9a-f]{7,64}\Z")


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """A repository as it is now."""

    repository: Repository
    default_branch: str
    private: bool
    archived: bool


@dataclass(frozen=True, slots=True)
class BranchHead:
    """Where a branch stands, and whether GitHub protects it."""

    name: str
    sha: str
    protected: bool


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a tree: `kind` is blob, tree or commit (a submodule); mode 120000 is a symbolic link."""

    path: str
    kind: str
    mode: str
    sha: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Tree:
    """All paths of a commit; `truncated` when GitHub left some out."""

    sha: str
    entries: tuple[TreeEntry, ...]
    truncated: bool


async def get_repository(client: Client) -> RepositoryFacts:
    """Read the client's repository. https://docs.github.com/en/rest/repos/repos#get-a-repository"""
    return await client.call("GET /repos/{owner}/{repo}", _facts)


async def branch_head(client: Client, branch: str) -> BranchHead | None:
    """A branch, None when there is none. https://docs.github.com/en/rest/branches/branches#get-a-branch"""
    try:
        return await client.call("GET /repos/{owner}/{repo}/branches/{branch}", _branch_head, branch=branch)
    except NotFound:
        return None


async def resolve(client: Client, ref: str) -> str | None:
    """The full SHA of a branch, else of a tag, else of a SHA of at least seven digits; None when it is none of them.

    A name is asked for as `heads/…` and `tags/…`, so that neither an option-like name nor a tag or branch that looks
    like a SHA can mean anything else. A SHA resolves for commits of forks too: `contains` tells those apart.
    """
    if FULL_SHA.match(ref):
        return await _commit_sha(client, ref)
    for name in (f"heads/{ref}", f"tags/{ref}"):
        sha = await _commit_sha(client, name)
        if sha is not None:
            return sha
    return await _commit_sha(client, ref) if _SHORT_SHA.match(ref) else None


async def contains(client: Client, branch: str, sha: str) -> bool:
    """Whether a commit is in the history of a branch; False too for one that GitHub does not know.

    GitHub finds a fork's commits under the base repository's address as well, so a SHA someone names is not yet one
    of this repository. https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    operation = "GET /repos/{owner}/{repo}/compare/{basehead}"
    basehead = f"{branch}...{sha}"
    try:
        status = await client.call(operation, lambda d: d["status"], query={"per_page": 1}, basehead=basehead)
    except NotFound:
        return False
    return status in {"behind", "identical"}


async def is_in_a_branch(client: Client, sha: str, likely: str, most: int = MOST_BRANCHES) -> bool:
    """Whether a commit is in the history of one of the repository's own branches; `likely` is looked at first.

    Only the first `most` branches are looked at. https://docs.github.com/en/rest/branches/branches#list-branches
    """
    if await contains(client, likely, sha):
        return True
    heads = await client.listed("GET /repos/{owner}/{repo}/branches", _branch_head, most=most)
    if any(head.sha == sha for head in heads):
        return True
    for head in heads:
        if head.name != likely and await contains(client, head.name, sha):
            return True
    return False


async def file_at(client: Client, path: str, ref: str, most_bytes: int = FILE_BYTES) -> bytes | None:
    """A file's bytes at a ref (a full SHA, to be sure); None when there is no file: nothing, a folder, a submodule.

    Raises Permanent("github_file_too_large") above `most_bytes`.
    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    operation = "GET /repos/{owner}/{repo}/contents/{path}"
    try:
        found = await client.call(operation, lambda data: data, query={"ref": ref}, path=path.strip("/"))
    except NotFound:
        return None
    if not isinstance(found, dict) or found.get("type") != "file":
        return None
    if found["size"] > most_bytes:
        raise Permanent("github_file_too_large", path=path, size_bytes=found["size"], most_bytes=most_bytes)
    if found.get("encoding") == "base64":
        return base64.b64decode(found["content"])
    return await blob(client, found["sha"])


async def tree(client: Client, sha: str) -> Tree:
    """Every path of a commit, folders included. GitHub truncates at 100,000 entries or 7 MB.

    https://docs.github.com/en/rest/git/trees#get-a-tree
    """
    operation = "GET /repos/{owner}/{repo}/git/trees/{tree_sha}"
    return await client.call(operation, _tree, query={"recursive": 1}, tree_sha=sha)


async def folder(client: Client, sha: str) -> Tree:
    """What stands directly in a commit's or a tree's root, folders included."""
    return await client.call("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", _tree, tree_sha=sha)


async def _commit_sha(client: Client, ref: str) -> str | None:
    """The SHA of a commit. GitHub answers 404 or 422 for what it does not know, and 409 in an empty repository.

    https://docs.github.com/en/rest/commits/commits#get-a-commit
    """
    operation = "GET /repos/{owner}/{repo}/commits/{ref}"
    try:
        sha = await client.call(operation, lambda data: str(data["sha"]), query={"per_page": 1}, ref=ref)
    except NotFound:
        return None
    except Permanent as error:
        if error.code in {"github_invalid", "github_conflict"}:
            return None
        raise
    return sha if FULL_SHA.match(sha) else None


async def blob(client: Client, sha: str) -> bytes:
    """A file by its own SHA: the way to one GitHub does not put into another reply, such as contents above 1 MB.

    https://docs.github.com/en/rest/git/blobs#get-a-blob
    """
    operation = "GET /repos/{owner}/{repo}/git/blobs/{file_sha}"
    return await client.call(operation, lambda data: base64.b64decode(data["content"]), file_sha=sha)


def _facts(data: Any) -> RepositoryFacts:
    return RepositoryFacts(
        repository=Repository(int(data["id"]), str(data["full_name"])),
        default_branch=str(data["default_branch"]),
        private=bool(data["private"]),
        archived=bool(data.get("archived")),
    )


def _branch_head(data: Any) -> BranchHead:
    return BranchHead(str(data["name"]), str(data["commit"]["sha"]), bool(data["protected"]))


def _tree(data: Any) -> Tree:
    entries = tuple(
        TreeEntry(entry["path"], entry["type"], entry["mode"], entry["sha"], entry.get("size"))
        for entry in data["tree"]
    )
    return Tree(str(data["sha"]), entries, bool(data["truncated"]))
