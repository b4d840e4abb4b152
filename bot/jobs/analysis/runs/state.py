"""What a finished run leaves for the next one: every file's lines, how they came to be, and the series."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.blame.headfiles import HeadFiles
from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.blame.onepass import Blame, Walked
from bot.jobs.analysis.languages.by_path import ContentLanguages
from bot.jobs.analysis.people.identities import AuthorBook
from bot.jobs.analysis.reports.coauthors import CoAuthorBook
from bot.jobs.analysis.runs.past import Past
from bot.jobs.analysis.runs.trace import Trace


@dataclass(slots=True)
class State:
    """A repository as last analysed. `lines` holds each file's commit numbers as the bytes of an array of them.

    `past` and `trace` know where the versions of all files came from; `updates` counts how often the state was brought
    to a newer commit. `book`, `co_authors` and `contents` remember what was asked of git for the report; they are not
    worth a place on disk.
    """

    head: bytes
    files: HeadFiles
    history: History
    changes: Changes
    blame: Blame
    lines: dict[bytes, bytes] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    trace: Trace = field(default_factory=Trace)
    updates: int = 0
    book: AuthorBook = field(default_factory=AuthorBook)
    co_authors: CoAuthorBook = field(default_factory=CoAuthorBook)
    contents: ContentLanguages = field(default_factory=ContentLanguages)

    def keep(self, path: bytes, lines: Lines | None) -> None:
        """Copy the lines of one file."""
        if lines is not None:
            self.lines[path] = lines.tobytes()

    def lines_of(self, path: bytes) -> Lines:
        """The lines of a file of the tree at `head`. Raises KeyError for one that was not blamed."""
        return array("I", self.lines[path])

    def remember(self, walked: Walked, leaving: Mapping[int, int] | None = None) -> None:
        """Take up the lineage of a walk; `leaving` has the known nodes of slots whose file left it."""
        nodes = self.trace.add(walked, self.history.number, leaving or {})
        self.past.place(self.trace.commit[nodes.start :], walked.lineage.node_path, nodes.start)
