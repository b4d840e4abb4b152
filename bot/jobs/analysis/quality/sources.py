"""Lays a commit's source files out in a folder for tools to read, under names of our own.

A hostile tree may hold any name; so each file is called by a number, keeps only its ending, and is told back by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.jobs.analysis.languages.by_path import read_blobs
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.reports.series import extension
from bot.jobs.analysis.repositories.git import Git


@dataclass(frozen=True, slots=True)
class Sources:
    """The folder, and what each file in it is really called."""

    folder: Path
    paths: Mapping[str, str]

    def path(self, told: str) -> str:
        """The path in the repository of a file a tool told about."""
        return self.paths[Path(told).name]


def lay_out(git: Git, blobs: Mapping[bytes, bytes], folder: Path, *, endings: Iterable[str] = ()) -> Sources:
    """Write the files (path to blob) with these endings, or all, into `folder`."""
    wanted = frozenset(endings)
    chosen = [path for path in sorted(blobs) if extension(path) and (not wanted or extension(path) in wanted)]
    paths = {}
    contents = read_blobs(git, (blobs[path] for path in chosen))
    for number, (path, content) in enumerate(zip(chosen, contents, strict=True)):
        name = f"f{number:06d}{_harmless(extension(path))}"
        (folder / name).write_bytes(content)
        paths[name] = readable(path)
    return Sources(folder, paths)


def _harmless(ending: str) -> str:
    """An ending that is one in any file system."""
    return ending if ending[1:].isalnum() and ending.isascii() and len(ending) <= 12 else ".txt"
