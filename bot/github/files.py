"""A commit's files at GitHub, read in few calls: all paths in one, and many contents in one more each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.errors import Permanent
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.client.graphql import ask
from bot.github.repository import Tree, TreeEntry, blob, folder, tree

MOST_FILE_BYTES = 1_000_000
AT_ONCE = 60
"""Contents asked for in one query."""
MOST_WHOLE = 10
"""Files read each by itself, because a query's answer cut them."""
MOST_FOLDERS = 20
"""Folders listed each by itself, because GitHub cut the list of the whole tree."""
_SYMLINK = "120000"
_BLOB = "... on Blob { text isTruncated oid }"


class CommitFiles:
    """The files of one commit, for inspection: submodules, symbolic links and large files are not read."""

    def __init__(self, client: Client, sha: str, most_bytes: int = MOST_FILE_BYTES) -> None:
        self._client = client
        self._sha = sha
        self._most_bytes = most_bytes
        self._files: dict[str, TreeEntry] = {}
        self._truncated = False
        self._whole_left = MOST_WHOLE

    async def paths(self) -> Sequence[str]:
        """Every file's path: one call, or one more for each folder at the root where GitHub cuts the list."""
        try:
            listed = await tree(self._client, self._sha)
        except Permanent as error:
            if error.code == "github_conflict":  # an empty repository has no tree
                return []
            raise
        entries = list(listed.entries)
        if listed.truncated:
            entries += await self._by_folder()
        self._files = {entry.path: entry for entry in entries if entry.kind == "blob" and entry.mode != _SYMLINK}
        return list(self._files)

    async def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The contents, in one call for each 60; what is missing, binary or too large is left out."""
        wanted = [path for path in paths if self._is_readable(path)]
        found: dict[str, bytes] = {}
        for start in range(0, len(wanted), AT_ONCE):
            found.update(await self._batch(wanted[start : start + AT_ONCE]))
        return found

    def truncated(self) -> bool:
        """Whether some paths are not known."""
        return self._truncated

    def _is_readable(self, path: str) -> bool:
        entry = self._files.get(path)
        return entry is not None and (entry.size_bytes or 0) <= self._most_bytes

    async def _batch(self, paths: Sequence[str]) -> dict[str, bytes]:
        names = {f"f{number}": path for number, path in enumerate(paths)}
        data = await ask(self._client, _query(names), self._variables(names), _objects)
        texts = {path: data[name] for name, path in names.items() if data.get(name)}
        found = {path: text["text"].encode() for path, text in texts.items() if _is_whole(text)}
        return found | await self._whole(path for path, text in texts.items() if text.get("isTruncated"))

    def _variables(self, names: Mapping[str, str]) -> dict[str, str]:
        repository = self._client.repository
        if repository is None:
            raise ValueError("the client is bound to no repository")
        said = {name: f"{self._sha}:{path}" for name, path in names.items()}
        return {"owner": repository.owner, "repo": repository.name, **said}

    async def _whole(self, paths: Iterable[str]) -> dict[str, bytes]:
        """What a query's answer cut, each by a call of its own, as long as there are not too many."""
        found: dict[str, bytes] = {}
        for path in paths:
            if self._whole_left > 0:
                self._whole_left -= 1
                found[path] = await blob(self._client, self._files[path].sha)
        return found

    async def _by_folder(self) -> list[TreeEntry]:
        """The folders at the root each listed whole; those GitHub cuts too, or that are too many, stay incomplete."""
        root = await folder(self._client, self._sha)
        folders = [entry for entry in root.entries if entry.kind == "tree"]
        self._truncated = len(folders) > MOST_FOLDERS
        entries = list(root.entries)
        for one in folders[:MOST_FOLDERS]:
            below = await self._below(one)
            entries += [_moved(entry, one.path) for entry in below.entries]
            self._truncated |= below.truncated
        return entries

    async def _below(self, entry: TreeEntry) -> Tree:
        try:
            return await tree(self._client, entry.sha)
        except NotFound:
            return Tree(entry.sha, (), truncated=True)


def _moved(entry: TreeEntry, under: str) -> TreeEntry:
    return TreeEntry(f"{under}/{entry.path}", entry.kind, entry.mode, entry.sha, entry.size_bytes)


def _query(names: Iterable[str]) -> str:
    """One query for many files; names and paths travel as variables, never in its text."""
    known = list(names)
    declared = "".join(f", ${name}: String!" for name in known)
    asked = "\n".join(f"{name}: object(expression: ${name}) {{ {_BLOB} }}" for name in known)
    return (
        f"query($owner: String!, $repo: String!{declared}) {{ repository(owner: $owner, name: $repo) {{\n{asked}\n}} }}"
    )


def _objects(data: Any) -> dict[str, Any]:
    return dict(data["repository"])


def _is_whole(text: Mapping[str, Any]) -> bool:
    """Whether this is a text file that came whole; a binary one has no text."""
    return isinstance(text.get("text"), str) and not text.get("isTruncated")
