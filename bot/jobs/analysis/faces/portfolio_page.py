"""Writes several repositories' sum as one page: who wrote what across all of them, and where."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from bot import messages
from bot.jobs.analysis.faces.names import Names
from bot.jobs.analysis.faces.parts import Cell, Length, Percent, Row, document, facts, folded, note, section, table
from bot.jobs.analysis.faces.words import language_name
from bot.jobs.analysis.reports.codeshares import code_in_words
from bot.jobs.analysis.reports.portfolio import Person, Portfolio
from bot.jobs.analysis.reports.remarks import say_again

SHOWN = 15
"""Rows that are not folded away."""


def render_portfolio(portfolio: Portfolio, locale: str = "en") -> str:
    """The whole page as HTML."""
    page = _Page(portfolio, locale)
    title = page.say("contributions.portfolio", count=len(portfolio.repositories))
    sections = (page.people(), page.repositories(), page.languages(), page.skipped())
    return document(locale, title, f"<header><h1>{escape(title)}</h1>{page.facts()}</header>{''.join(sections)}")


class _Page:
    """The page's sections, as HTML in one language."""

    def __init__(self, portfolio: Portfolio, locale: str) -> None:
        self._portfolio = portfolio
        self._locale = locale
        self._names = Names(person.author for person in portfolio.people[:SHOWN])

    def say(self, key: str, **facts: Any) -> str:
        """A sentence in the page's language."""
        return messages.say(self._locale, key, **facts)

    def facts(self) -> str:
        """The few numbers that matter most."""
        portfolio = self._portfolio
        counts = {"analysis.lines": portfolio.lines, "analysis.files": portfolio.files}
        told = {**counts, "contributions.authors": len(portfolio.people)}
        return facts({self.say(key): f"{count:,}" for key, count in told.items()})

    def people(self) -> str:
        """Who wrote what, and in how many of the repositories."""
        people, heading = self._portfolio.people, self.say("contributions.authors")
        if not people:
            return section(heading, note(self.say("contributions.nobody")))
        words = ("lines", "share", "commits", "repositories", "languages")
        head = [self.say("analysis.author"), "", *(self.say(f"analysis.{word}") for word in words)]
        rows = [self._person(person, people[0].share) for person in people]
        shown = table(self.say("contributions.lines_by_author"), head, rows[:SHOWN], phone=4)
        return section(heading, shown, self._everyone())

    def _person(self, person: Person, top: float) -> list[Cell]:
        return [
            self._names.of(person.author),
            Length(person.share / (top or 1)),
            person.lines,
            Percent(person.share),
            person.commits,
            sum(1 for lines in person.repositories.values() if lines),
            ", ".join(language_name(self._locale, name) for name in list(person.languages)[:3]),
        ]

    def _everyone(self) -> str:
        """All of them, with their lines in each repository."""
        words = ("author", "lines", "share", "commits")
        head = [
            *(self.say(f"analysis.{word}") for word in words),
            *(self.say("contributions.added"), self.say("contributions.deleted"), self.say("analysis.repositories")),
        ]
        rows: list[Row] = [
            [
                *(str(person.author), person.lines, Percent(person.share), person.commits),
                *(person.added, person.deleted, _counted(person.repositories)),
            ]
            for person in self._portfolio.people
        ]
        return folded(
            self.say("contributions.all", count=len(rows)), table(self.say("contributions.authors"), head, rows)
        )

    def repositories(self) -> str:
        """The lines of those people in each repository."""
        return self._ranked(self.say("analysis.repositories"), self._portfolio.repository_lines)

    def languages(self) -> str:
        """All lines by language, and beside them what is code."""
        names = {language_name(self._locale, name): lines for name, lines in self._portfolio.languages.items()}
        code = code_in_words(self._portfolio.language_shares)
        why = note(self.say("contributions.languages.code", languages=code)) if code else ""
        return self._ranked(self.say("analysis.languages"), names, why)

    def skipped(self) -> str:
        """The repositories that are not in it, and why."""
        heading = self.say("contributions.not_analysed")
        rows = [[one.repository, say_again(one.why, self._locale)] for one in self._portfolio.skipped]
        return section(
            heading, table(heading, [self.say("contributions.repository"), self.say("contributions.why")], rows)
        )

    def _ranked(self, heading: str, lines: Mapping[str, int], *more_told: str) -> str:
        """Things by their lines, the largest first; what else is told of them is HTML."""
        total, top = sum(lines.values()) or 1, max(lines.values(), default=0) or 1
        head = [heading, "", self.say("analysis.lines"), self.say("analysis.share")]
        rows: list[Row] = [
            [name, Length(count / top), count, Percent(count / total)]
            for name, count in sorted(lines.items(), key=lambda item: (-item[1], item[0]))
        ]
        more = self.say("contributions.more", count=len(rows) - SHOWN)
        return section(
            heading, table(heading, head, rows[:SHOWN]), folded(more, table(more, head, rows[SHOWN:])), *more_told
        )


def _counted(lines: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in lines.items() if count)
