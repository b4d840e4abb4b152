"""Decides who a commit's author is: mailmap applied by git itself, bots told from people."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from bot.jobs.analysis.blame.history import History
from bot.jobs.analysis.repositories.git import Git

_BOT = re.compile(r"\[bot\]|(?:^|[-_ ])bot$|^(?:dependabot|renovate|greenkeeper|pre-commit-ci|github-actions)\b", re.I)
_NOREPLY = re.compile(r"^(?:\d+\+)?([A-Za-z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com$", re.I)


class Author(NamedTuple):
    """An author after the mailmap; bytes that are no UTF-8 show as the replacement character."""

    name: str
    email: str

    @property
    def is_bot(self) -> bool:
        """Whether the name or address looks like an automation's."""
        return bool(_BOT.search(self.name) or "[bot]@" in self.email.lower())

    @property
    def login(self) -> str | None:
        """The GitHub login a noreply address tells; None for any other address."""
        found = _NOREPLY.match(self.email)
        return found[1] if found else None

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class AuthorBook:
    """The authors of identities as far as they were asked for; one mailmap's answers are kept until it changes."""

    def __init__(self) -> None:
        self._mailmap: bytes | None = None
        self._authors: list[Author] = []

    def resolve(self, git: Git, history: History, mailmap: bytes | None) -> list[Author]:
        """The author of each identity of `history`, by the mailmap of the commit at hand, whose blob is `mailmap`.

        Blame itself keeps commit numbers only: a changed mailmap needs no new blame.
        """
        if mailmap != self._mailmap:
            self._mailmap, self._authors = mailmap, []
        new = [history.oids[number] for number in history.example[len(self._authors) :]]
        if new:
            self._authors = self._authors + map_by_git(git, new)
        return self._authors


def map_by_git(git: Git, commits: Sequence[bytes]) -> list[Author]:
    """The authors of some commits. Git maps them, so that its own rules hold, whatever the names contain."""
    marker = secrets.token_hex(8)
    asked = b"".join(oid + b"\n" for oid in commits)
    output = git.run(
        "log", "--no-walk=unsorted", "--stdin", "--no-patch", f"--format={marker}%H%x00%aN%x00%aE%x00", feed=asked
    )
    told = {}
    for record in output.split(marker.encode())[1:]:
        oid, name, email, _ = record.split(b"\0", 3)
        told[oid] = Author(readable(name), readable(email))
    return [told[oid] for oid in commits]


def readable(raw: bytes) -> str:
    """Text of a name, path or address as people read it; bytes that are no UTF-8 become the replacement character."""
    return raw.decode("utf-8", "replace")
