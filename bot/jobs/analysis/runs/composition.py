"""Makes the report out of what a run found: who the authors are, which files count, what is told."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from bot.jobs.analysis.blame.onepass import Owners
from bot.jobs.analysis.languages.by_path import Languages
from bot.jobs.analysis.languages.exclusions import Excluded, excluded
from bot.jobs.analysis.people.identities import Author, readable
from bot.jobs.analysis.reports.assembly import (
    AuthorFilter,
    Tally,
    author_reports,
    by_author,
    language_shares,
    ownership,
    ranked,
)
from bot.jobs.analysis.reports.days import Days, collect_days
from bot.jobs.analysis.reports.insights import gain_insights
from bot.jobs.analysis.reports.remarks import Remark
from bot.jobs.analysis.reports.report import CoAuthor, Report
from bot.jobs.analysis.reports.series import LanguageOf, Series, count_series
from bot.jobs.analysis.reports.treefacts import TreeFacts
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.state import State


def compose(git: Git, request: AnalysisRequest, found: State, tree: TreeFacts) -> Report:
    """The report of one run; `tree` are the facts of the tree the run ended with."""
    left_out = [] if request.all_files else excluded(tree.attributes, map(readable, found.files.text))
    languages = tree.languages
    authors = found.book.resolve(git, found.history, found.files.text.get(b".mailmap"))
    owners = _counted(found, {entry.path for entry in left_out})
    author_of = [authors[identity] for identity in found.history.author]
    tally = _tally(owners, author_of, languages)
    language_of = languages.of if request.all_files else languages.of_counted
    days = _days(request, found, authors, language_of)
    series = days.series() if days else _series(request, found, authors, language_of)
    shown = AuthorFilter(request.authors, without_bots=request.without_bots)
    unread = _unread(found)
    return Report(
        repository=_in_unicode(request.name or request.repository.resolve().name),
        ref=_in_unicode(request.ref),
        head=git.head.decode(),
        generated_at=int(time.time()),
        exact=not found.blame.capped,
        files=len(owners),
        lines=tally.lines.total(),
        authors=[report for report in author_reports(tally, series.activity) if shown.shows(report.author)],
        languages=language_shares(tally),
        frameworks=tree.frameworks,
        week=shown.rows(series.week),
        month=shown.rows(series.month),
        ownership=ownership(tally),
        excluded=sorted([*left_out, *unread]),
        warnings=_warnings(found, unread, tree),
        per_file=_per_file(owners, author_of) if request.per_file else None,
        co_authors=_co_authors(git, request, found),
        insights=gain_insights(found.history, authors, owners.values(), tally.lines),
        days=days,
    )


def _in_unicode(given: str) -> str:
    """A folder's name or a ref as people gave it, fit for JSON: Python keeps bytes that are no UTF-8 as half a sign."""
    return readable(given.encode("utf-8", "surrogateescape"))


def _co_authors(git: Git, request: AnalysisRequest, found: State) -> list[CoAuthor] | None:
    if not request.co_authors:
        return None
    return found.co_authors.count(git, found.history, found.files.text.get(b".mailmap"), request.window)


def _days(request: AnalysisRequest, found: State, authors: Sequence[Author], language_of: LanguageOf) -> Days | None:
    if not request.days:
        return None
    days = collect_days(found.history, found.changes, authors, language_of, merges=request.merges)
    return days.without_bots() if request.without_bots else days


def _series(request: AnalysisRequest, found: State, authors: Sequence[Author], language_of: LanguageOf) -> Series:
    return count_series(found.history, found.changes, authors, language_of, request.window, merges=request.merges)


def _counted(found: State, left_out: set[str]) -> Mapping[bytes, Owners]:
    """The files that count, with their lines by commit."""
    every = found.blame.owners
    return {path: owners for path, owners in every.items() if readable(path) not in left_out} if left_out else every


def _tally(counted: Mapping[bytes, Owners], author_of: Sequence[Author], languages: Languages) -> Tally:
    tally = Tally()
    for path, owners in counted.items():
        tally.add(path, languages.of(path), by_author(owners, author_of))
    return tally


def _per_file(counted: Mapping[bytes, Owners], author_of: Sequence[Author]) -> dict[str, dict[str, int]]:
    """Each file's lines by author, by path; those whose names read alike stand together."""
    files: dict[str, Counter[Author]] = {}
    for path in sorted(counted):
        files.setdefault(readable(path), Counter()).update(by_author(counted[path], author_of))
    return {path: {str(author): lines for author, lines in ranked(owners).items()} for path, owners in files.items()}


def _unread(found: State) -> list[Excluded]:
    """Files that could not be blamed for their size."""
    now = [Excluded(readable(path), "too_large") for path in sorted(found.files.too_large)]
    return now + [Excluded(readable(path), "history_too_large") for path in found.blame.unreadable]


def _warnings(found: State, unread: Sequence[Excluded], tree: TreeFacts) -> list[Remark]:
    told = []
    if unread:
        told.append(Remark("analysis.remark.too_large", {"count": len(unread)}))
    if found.blame.capped:
        told.append(Remark("analysis.remark.capped", {}))
    if tree.attributes.unheard:
        told.append(Remark("analysis.remark.unheard", {}))
    return told
