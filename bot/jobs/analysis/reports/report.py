"""What an analysis answers, and its published JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.jobs.analysis.languages.exclusions import Excluded
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.days import Days
from bot.jobs.analysis.reports.insights import Insights
from bot.jobs.analysis.reports.series import TimelineRow, moment


@dataclass(frozen=True, slots=True)
class AuthorReport:
    """One author: lines and files of the commit at hand, and what their commits did in the window of time."""

    author: Author
    lines: int
    share: float
    files: int
    commits: int
    added: int
    deleted: int
    first_commit: str | None
    last_commit: str | None
    languages: Mapping[str, int]
    extensions: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """As published; `extensions` counts changed files, `languages` lines."""
        return {
            "name": self.author.name,
            "email": self.author.email,
            "lines": self.lines,
            "share": self.share,
            "files": self.files,
            "commits": self.commits,
            "added": self.added,
            "deleted": self.deleted,
            "firstCommit": self.first_commit,
            "lastCommit": self.last_commit,
            "languages": dict(self.languages),
            "extensions": dict(self.extensions),
        }


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """Lines of one language and their share of all."""

    name: str
    lines: int
    share: float

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {"name": self.name, "lines": self.lines, "share": self.share}


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework, the folder of the application that uses it, and what told so."""

    name: str
    path: str
    evidence: str

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {"name": self.name, "path": self.path, "evidence": self.evidence}


@dataclass(frozen=True, slots=True)
class Ownership:
    """A folder (with what lies deeper than two levels), its lines, and the author who owns most of them."""

    path: str
    lines: int
    top_author: Author
    share: float
    owners: Mapping[Author, int] = field(default_factory=dict)
    """Lines of the few who own most of it."""

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {"path": self.path, "lines": self.lines, "topAuthor": str(self.top_author), "share": self.share}


@dataclass(frozen=True, slots=True)
class Proof:
    """How many files git itself was asked about, and those it attributed otherwise than we had."""

    asked: int = 0
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CoAuthor:
    """Someone named in Co-authored-by trailers, and in how many commits; no part of blame."""

    author: Author
    commits: int

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {"name": self.author.name, "email": self.author.email, "commits": self.commits}


@dataclass(frozen=True, slots=True)
class Report:
    """The contributions to a repository at one commit. `authors` come by lines, then name; paths are readable text."""

    repository: str
    ref: str
    head: str
    generated_at: int
    exact: bool
    files: int
    lines: int
    authors: Sequence[AuthorReport]
    languages: Sequence[LanguageShare]
    frameworks: Sequence[Framework]
    week: Sequence[TimelineRow]
    month: Sequence[TimelineRow]
    ownership: Sequence[Ownership]
    excluded: Sequence[Excluded]
    warnings: Sequence[str]
    per_file: Mapping[str, Mapping[str, int]] | None = None
    co_authors: Sequence[CoAuthor] | None = None
    insights: Insights = field(default_factory=Insights)
    """Always of all authors and the whole history."""
    proof: Proof = field(default_factory=Proof)
    days: Days | None = None
    """The history by day, where it was asked for; not published as such."""
    logins: Mapping[str, str] = field(default_factory=dict)
    """GitHub logins by address in lower case, as far as they are known."""

    def login(self, author: Author) -> str | None:
        """The author's login at GitHub, if it is known."""
        return self.logins.get(author.email.lower()) or author.login

    def to_json(self) -> dict[str, Any]:
        """The published JSON; `perFile` and `coAuthors` only where they were asked for."""
        told = {
            "repository": self.repository,
            "ref": self.ref,
            "head": self.head,
            "generatedAt": moment(self.generated_at),
            "exact": self.exact,
            "files": self.files,
            "lines": self.lines,
            "authors": [entry.to_json() for entry in self.authors],
            "languages": [entry.to_json() for entry in self.languages],
            "frameworks": [entry.to_json() for entry in self.frameworks],
            "timeline": {"week": _timeline(self.week), "month": _timeline(self.month)},
            "ownership": [entry.to_json() for entry in self.ownership],
            "excluded": [{"path": entry.path, "reason": entry.reason} for entry in self.excluded],
            "warnings": list(self.warnings),
            **self.insights.to_json(),
        }
        if self.per_file is not None:
            told["perFile"] = {path: dict(owners) for path, owners in self.per_file.items()}
        if self.co_authors is not None:
            told["coAuthors"] = [entry.to_json() for entry in self.co_authors]
        return told


def _timeline(rows: Sequence[TimelineRow]) -> list[dict[str, Any]]:
    return [
        {
            "start": row.start.isoformat(),
            "author": str(row.author),
            "language": row.language,
            "commits": row.commits,
            "added": row.added,
            "deleted": row.deleted,
        }
        for row in rows
    ]
