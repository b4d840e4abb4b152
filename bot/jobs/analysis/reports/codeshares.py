"""Says in which languages the code of a report is, as GitHub counts it: data and prose are none."""

from __future__ import annotations

from collections.abc import Sequence

from bot.jobs.analysis.languages.linguist import linguist
from bot.jobs.analysis.reports.report import LanguageShare
from bot.jobs.analysis.reports.shares import share

SHOWN = 5
LEAST = 0.0005
"""A smaller share would be told as 0.0 %."""


def code_shown(languages: Sequence[LanguageShare]) -> list[LanguageShare]:
    """The few languages of code that a line has room for, the largest first."""
    return [entry for entry in code_shares(languages) if entry.share >= LEAST][:SHOWN]


def code_in_words(languages: Sequence[LanguageShare]) -> str:
    """The same as text; empty where there is nothing to tell apart."""
    return ", ".join(f"{entry.name} {entry.share:.1%}" for entry in code_shown(languages))


def code_shares(languages: Sequence[LanguageShare]) -> list[LanguageShare]:
    """Programming and markup languages with their shares of these alone; none where there is nothing else beside them.

    GitHub counts bytes, and leaves documentation out; these are lines.
    https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-repository-languages
    """
    code = [entry for entry in languages if linguist().is_code(entry.name)]
    total = sum(entry.lines for entry in code)
    if len(code) == len(languages):
        return []
    return [LanguageShare(entry.name, entry.lines, share(entry.lines, total)) for entry in code]
