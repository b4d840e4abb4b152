"""Inspects a tree behind an API in three calls: all paths, the usual manifests, then what those turned out to need."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

from bot.inspect.candidates import MAX_DEPTH
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import BuildOverrides, Inspection
from bot.inspect.paths import PathIndex, is_demoted, is_output, parent
from bot.inspect.tree import REMOTE_READS, ListingTree, RemoteTree

_FIRST = re.compile(
    r"(?:.*/)?(?:package\.json|project\.json|nx\.json|deno\.jsonc?|requirements\.txt|pyproject\.toml|Pipfile|Procfile|go\.mod|go\.work|main\.go|embed\.go|Cargo\.toml|"
    r"pom\.xml|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|build\.sbt|project\.clj|deps\.edn|Gemfile|composer\.json|"
    r"mix\.exs|gleam\.toml|pubspec\.yaml|Package\.swift|shard\.yml|stack\.yaml|package\.yaml|[\w.-]+\.(?:csproj|fsproj|cabal)|"
    r"(?:Dockerfile|Containerfile)|\.tool-versions|mise\.toml|\.nvmrc|\.node-version|\.python-version|\.ruby-version|"
    r"runtime\.txt|pnpm-workspace\.yaml|angular\.json|(?:next|nuxt|astro|svelte|vite)\.config\.[cm]?[jt]s)"
)


def wanted(paths: Sequence[str], files: Mapping[str, bytes] | None = None, *, limit: int = REMOTE_READS) -> list[str]:
    """What inspection would read next.

    Without `files` the usual manifests, shallow ones first; with what was read so far, the rest it asks for. Both
    answers together stay within `limit` files.
    """
    if files is None:
        return _first_round(paths)[: limit * 2 // 3]
    tree = _RecordingTree(paths, files)
    inspect_tree(tree)
    return tree.missed[: max(0, limit - len(files))]


def _first_round(paths: Sequence[str]) -> list[str]:
    usual = [p for p in PathIndex(paths).all() if p.count("/") <= MAX_DEPTH and _FIRST.fullmatch(p)]
    solid = [p for p in usual if not is_output(p)]
    return sorted(solid, key=lambda p: (is_demoted(parent(p)), p.count("/"), p))


class _RecordingTree(ListingTree):
    """A listing that notes which existing files were asked for and not given."""

    def __init__(self, paths: Sequence[str], files: Mapping[str, bytes | str]) -> None:
        super().__init__(paths, files)
        self._given = files
        self.missed: list[str] = []

    def read(self, path: str) -> bytes | None:
        """The given content; a miss is remembered."""
        if path not in self._given and path not in self.missed:
            self.missed.append(path)
        return super().read(path)


async def read_remote(tree: RemoteTree, *, limit: int = REMOTE_READS) -> ListingTree:
    """The parts of a remote tree that inspection needs, in at most two batches of reads after the list of paths."""
    paths = list(await tree.paths())
    first = await asyncio.to_thread(wanted, paths, limit=limit)
    files: dict[str, bytes] = dict(await tree.read_many(first)) if first else {}
    rest = [path for path in await asyncio.to_thread(wanted, paths, files, limit=limit) if path not in first]
    if rest:
        files.update(await tree.read_many(rest))
    unread = [path for path in (*first, *rest) if path not in files]
    return ListingTree(paths, files, truncated=tree.truncated(), unread=unread)


async def inspect_remote(tree: RemoteTree, overrides: BuildOverrides | None = None) -> Inspection:
    """Inspect a repository through its API. Errors of the API are the tree's own and pass through."""
    return await asyncio.to_thread(inspect_tree, await read_remote(tree), overrides)
