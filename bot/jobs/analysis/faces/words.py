"""Words that the pages and pictures of a report share."""

from __future__ import annotations

from bot import messages
from bot.jobs.analysis.faces.area import Words
from bot.jobs.analysis.languages.linguist import OTHER


def area_words(locale: str) -> Words:
    """What the picture of languages over time says."""
    return Words(
        messages.say(locale, "contributions.languages_over_time.picture"),
        lambda lines: messages.say(locale, "contributions.scale", lines=lines),
        lambda name, lines: messages.say(locale, "contributions.band", name=name, lines=lines),
    )


def commit_words(locale: str) -> Words:
    """What the picture of commits over time says."""
    return Words(
        messages.say(locale, "contributions.commits_over_time.picture"),
        lambda commits: messages.say(locale, "contributions.commits_scale", commits=commits),
        lambda name, commits: messages.say(locale, "contributions.commits_band", name=name, commits=commits),
    )


def language_name(locale: str, name: str) -> str:
    """A language as people read it: what Linguist has no name for is no language called Other."""
    return messages.say(locale, "contributions.unknown_language") if name == OTHER else name
