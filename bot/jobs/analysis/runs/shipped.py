"""Says what went out between two releases: whose commits, in which languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.jobs.analysis.blame.headfiles import list_files
from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.blame.onepass import walk_and_diff
from bot.jobs.analysis.blame.treewalk import walk
from bot.jobs.analysis.languages.by_path import ContentLanguages, Languages
from bot.jobs.analysis.languages.exclusions import read_attributes
from bot.jobs.analysis.people.identities import Author, AuthorBook
from bot.jobs.analysis.progress import ProgressTeller
from bot.jobs.analysis.reports.series import TimelineRow, count_series
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.repository import open_repository
from bot.jobs.analysis.request import MIB, Window

_MAX_BLOB_BYTES = 100 * MIB


@dataclass(frozen=True, slots=True)
class AuthorShipped:
    """What one author's commits brought."""

    author: Author
    commits: int
    added: int
    deleted: int


@dataclass(frozen=True, slots=True)
class LanguageShipped:
    """What changed in one language."""

    name: str
    added: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Shipped:
    """The contents of a release: authors by commits, languages by changed lines. Merges are not counted."""

    authors: tuple[AuthorShipped, ...]
    languages: tuple[LanguageShipped, ...]


def shipped_between(path: Path, before: str | None, after: str, children: Children | None = None) -> Shipped:
    """What `after` has and `before` had not; everything where nothing was released before.

    Raises what opening and resolving raise.
    """
    repository = open_repository(path)
    head = repository.resolve(after)
    without = [repository.resolve(before).encode()] if before else []
    with Git(repository.objects, head, children or Children(), max_blob_bytes=_MAX_BLOB_BYTES) as git:
        history, changes, silent = History(), Changes(), ProgressTeller(lambda _: None)
        walk_and_diff(git, walk(git, git.head, without), [], history, changes, silent, 1, merges=False)
        files = list_files(git).text
        languages = Languages(read_attributes(git, files), ContentLanguages().read(git, files))
        authors = AuthorBook().resolve(git, history, files.get(b".mailmap"))
        series = count_series(history, changes, authors, languages.of_counted, Window(), merges=False)
    rows = [AuthorShipped(author, did.commits, did.added, did.deleted) for author, did in series.activity.items()]
    return Shipped(tuple(sorted(rows, key=lambda row: (-row.commits, row.author))), _by_language(series.month))


def _by_language(rows: Iterable[TimelineRow]) -> tuple[LanguageShipped, ...]:
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        added, deleted = sums.get(row.language, (0, 0))
        sums[row.language] = (added + row.added, deleted + row.deleted)
    shipped = [LanguageShipped(name, *counts) for name, counts in sums.items()]
    return tuple(sorted(shipped, key=lambda language: (-language.added - language.deleted, language.name)))
