"""Says what a page of a report says, in its language, and calls people, languages and folders by their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot import messages
from bot.jobs.analysis.faces.canvas import REST
from bot.jobs.analysis.faces.names import Names
from bot.jobs.analysis.faces.words import language_name
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.report import Report

SHOWN = 15
"""Rows of a table that are not folded away."""


class Voice:
    """One report's words in one language, and the colours of its people."""

    def __init__(self, report: Report, locale: str) -> None:
        self.locale = locale
        self.colours = {entry.author: at for at, entry in enumerate(report.authors[:REST]) if entry.lines}
        """Of the authors with the most lines; all others share one."""
        self._names = Names(entry.author for entry in report.authors[:SHOWN])

    def say(self, key: str, **facts: Any) -> str:
        """A sentence of the page."""
        return messages.say(self.locale, f"contributions.{key}", **facts)

    def word(self, key: str) -> str:
        """A word that other faces of an analysis use too."""
        return messages.say(self.locale, f"analysis.{key}")

    def name(self, author: Author) -> str:
        """How an author is called beside the others of the page."""
        return self._names.of(author)

    def marked(self, name: str, author: Author) -> str:
        """The name, with a word where it is a bot's."""
        return self.say("bot", name=name) if author.is_bot else name

    def colour(self, author: Author) -> int:
        """The number of an author's series."""
        return self.colours.get(author, REST)

    def languages(self, names: Iterable[str], most: int) -> str:
        """The first few languages, as one text."""
        return ", ".join([self.language(name) for name in names][:most])

    def language(self, name: str) -> str:
        """A language as people read it."""
        return language_name(self.locale, name)

    def folder(self, path: str) -> str:
        """A folder as people read it."""
        return self.say("top_level") if path == "." else path
