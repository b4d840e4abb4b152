"""Lays a commit's source files out in a folder for tools to read, under names of our own.

A hostile tree may hold any name; so each file is called by a number, keeps only its ending, and is told back by it.
It may be of any size, too; so what people hardly wrote by hand, and what fills the disk, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.jobs.analysis.languages.by_path import read_blobs
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.reports.series import extension
from bot.jobs.analysis.repositories.git import Git

LARGEST_FILE_BYTES = 1 << 20
MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Sources:
    """The folder, what each file in it is really called, and how many were left out for their size."""

    folder: Path
    paths: Mapping[str, str]
    left_out: int = 0

    def path(self, told: str) -> str:
        """The path in the repository of a file a tool told about."""
        return self.paths[Path(told).name]


def lay_out(git: Git, blobs: Mapping[bytes, bytes], folder: Path, *, endings: Iterable[str] = ()) -> Sources:
    """Write the files (path to blob) with these endings, or all, into `folder`: none too large, and not too much."""
    wanted = frozenset(endings)
    chosen = [path for path in sorted(blobs) if extension(path) and (not wanted or extension(path) in wanted)]
    paths, room = {}, MOST_BYTES
    contents = read_blobs(git, (blobs[path] for path in chosen))
    for number, (path, content) in enumerate(zip(chosen, contents, strict=True)):
        if len(content) > min(LARGEST_FILE_BYTES, room):
            continue
        room -= len(content)
        name = f"f{number:06d}{_harmless(extension(path))}"
        (folder / name).write_bytes(content)
        paths[name] = readable(path)
    return Sources(folder, paths, len(chosen) - len(paths))


def _harmless(ending: str) -> str:
    """An ending that is one in any file system."""
    return ending if ending[1:].isalnum() and ending.isascii() and len(ending) <= 12 else ".txt"
