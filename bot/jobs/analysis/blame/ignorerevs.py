"""Knows which commits a repository wants blame to pass over, and which files that concerns."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from bot.jobs.analysis.blame.lineage import UNRESOLVED, Lineage
from bot.jobs.analysis.repositories.git import Git

FILE = ".git-blame-ignore-revs"
_OID = re.compile(rb"^\s*([0-9a-f]{40}(?:[0-9a-f]{24})?)\s*(?:#.*)?$", re.M)


def ignored_revisions(git: Git) -> frozenset[bytes]:
    """The commits named in the tree's .git-blame-ignore-revs; none where there is no such file."""
    listed = git.run("ls-tree", "-z", "--full-tree", git.head, "--", FILE)
    if not listed:
        return frozenset()
    blob = listed.partition(b"\t")[0].split(b" ")[2]
    return frozenset(_OID.findall(git.run("cat-file", "blob", blob)))


def write_list(folder: Path, revisions: Collection[bytes]) -> Path:
    """A file for `git blame --ignore-revs-file`."""
    path = folder / "ignored-revisions"
    path.write_bytes(b"".join(oid + b"\n" for oid in sorted(revisions)))
    return path


def concerned(lineage: Lineage, revisions: Collection[bytes]) -> list[bytes]:
    """The files some line of which may come through an ignored commit; all others blame the same without it."""
    hit = bytearray(len(lineage.node_path))
    for node in range(len(lineage.node_path) - 1, -1, -1):
        sources = (lineage.node_of_slot[slot] for slot in lineage.slots(node))
        own = lineage.commits[lineage.node_commit[node]] in revisions
        hit[node] = own or any(source != UNRESOLVED and hit[source] for source in sources)
    nodes = zip(lineage.roots, lineage.node_of_slot, strict=False)
    return [path for path, node in nodes if node != UNRESOLVED and hit[node]]
