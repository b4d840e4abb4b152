"""Decides which files are left out of a report: vendored, generated and lock files, unless all are wanted.

It is decided after the blame, never before: a file that is left out may be where another one was renamed from.
"""

from __future__ import annotations

import functools
import signal
import subprocess
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bot.jobs.analysis.languages.linguist import linguist
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.repositories.git import Git

_ATTRIBUTES = ("linguist-vendored", "linguist-generated", "linguist-language")
CHECKED_WITHIN_S = 60.0
"""Git may look at a pattern of many `*` for longer than anybody waits."""

LOCK_FILES = frozenset(
    (
        *("yarn.lock", "bun.lock", "Gemfile.lock", "gems.locked", "go.sum", "go.work.sum", "mix.lock", "rebar.lock"),
        *("pubspec.lock", "Podfile.lock", "Package.resolved", "Cartfile.resolved", "packages.lock.json", "paket.lock"),
        *("gradle.lockfile", "buildscript-gradle.lockfile", "symfony.lock", "shard.lock", "Chart.lock", "conan.lock"),
        *("pylock.toml", "stack.yaml.lock", "cabal.project.freeze", "devbox.lock"),
    )
)
"""What package managers write beside those of Linguist's rules, which knows these by their content or not at all."""

_NO = ("unset", "false")
_YES = ("set", "true")


OF_CHOICE = ("vendored", "generated")
"""Reasons that do not hold where all files are wanted."""

_KEPT = 1 << 16
"""Paths whose answers are remembered: a history's are asked about again after each push."""


class Excluded(NamedTuple):
    """A file left out, and why: `vendored`, `generated`, `too_large` or `history_too_large`."""

    path: str
    reason: str


class Attributes:
    """What the .gitattributes of a commit say about Linguist: attribute and value by readable path; empty for most.

    `unheard` says that they took too long to be understood, and that nothing of them counts.
    """

    def __init__(self, told: Mapping[str, Mapping[str, str]], *, unheard: bool = False) -> None:
        self._told = told
        self.unheard = unheard

    def language(self, path: str) -> str | None:
        """The language the repository itself names for a file."""
        value = self._told.get(path, {}).get("linguist-language")
        return value if value not in (None, *_NO, *_YES) else None

    def reason(self, path: str) -> str | None:
        """Why a file is left out, or None; what the repository says wins over Linguist's own rules, by which alone a
        path is judged that is gone.
        """
        told = self._told.get(path, {})
        for name, holds in zip(OF_CHOICE, _by_rules(path), strict=True):
            value = told.get(f"linguist-{name}")
            if value in _YES or (value not in _NO and holds):
                return name
        return None


@functools.lru_cache(_KEPT)
def _by_rules(path: str) -> tuple[bool, bool]:
    """Whether a path is vendored, and whether generated, by Linguist's rules and the names of lock files."""
    generated = linguist().generated.match(path) or path.rpartition("/")[2] in LOCK_FILES
    return linguist().vendored.match(path), generated


def read_attributes(git: Git, blobs: Mapping[bytes, bytes]) -> Attributes:
    """Ask git for the linguist attributes of every path, by the .gitattributes among `blobs` (path to blob)."""
    files = {path: blob for path, blob in blobs.items() if path.rpartition(b"/")[2] == b".gitattributes"}
    if not any(b"linguist-" in git.run("cat-file", "blob", blob) for blob in files.values()):
        return Attributes({})
    entries = b"".join(b"100644 %s\t%s\0" % (blob, path) for path, blob in files.items())
    git.run("update-index", "-z", "--add", "--index-info", feed=entries)
    asked = b"".join(path + b"\0" for path in blobs)
    told = _check(git, asked)
    return Attributes({}, unheard=True) if told is None else Attributes(_by_path(told.split(b"\0")))


def _check(git: Git, paths: bytes) -> bytes | None:
    """What git tells of the attributes; None when it took too long."""
    child = git.start("check-attr", "--cached", "--stdin", "-z", *_ATTRIBUTES, takes_input=True)
    try:
        told, _ = child.communicate(paths, CHECKED_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        git.finish(child, ok=(-signal.SIGKILL,))
        return None
    git.finish(child)
    return told


def excluded(attributes: Attributes, paths: Iterable[str]) -> list[Excluded]:
    """The files among `paths` that are left out."""
    reasons = ((path, attributes.reason(path)) for path in paths)
    return [Excluded(path, reason) for path, reason in reasons if reason is not None]


def _by_path(tokens: list[bytes]) -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for path, name, value in zip(tokens[::3], tokens[1::3], tokens[2::3], strict=False):
        if value != b"unspecified":
            told.setdefault(readable(path), {})[name.decode()] = value.decode("utf-8", "replace")
    return told
