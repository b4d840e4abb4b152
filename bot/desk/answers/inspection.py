"""What `/inspect` answers: a table an application with the why of each value, warnings, and what is not clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import messages
from bot.desk.looking import Looked

if TYPE_CHECKING:
    from bot.inspect.model import AppPlan, Evidence, Notice

MOST_APPS = 10
MOST_WARNINGS = 20
VALUE_CHARACTERS = 160


def inspection_text(looked: Looked, locale: str) -> str:
    """Markdown. What stands in the repository is somebody else's: it is shown as code, or without its power."""
    found = looked.inspection
    parts = [messages.say(locale, "inspect.title", repository=looked.repository.full_name, sha=looked.sha[:7])]
    parts += [_table(app, locale) for app in found.apps[:MOST_APPS]]
    if len(found.apps) > MOST_APPS:
        parts.append(messages.say(locale, "inspect.more", count=len(found.apps) - MOST_APPS))
    if found.warnings:
        lines = [f"- {_warned(notice)}" for notice in found.warnings[:MOST_WARNINGS]]
        parts.append("\n".join([messages.say(locale, "inspect.warnings"), "", *lines]))
    return "\n\n".join([*parts, *_question(looked, locale)])


def _question(looked: Looked, locale: str) -> list[str]:
    """What to write into the settings where it is not clear what is meant."""
    if not looked.inspection.apps:
        return [messages.say(locale, "inspect.nothing")]
    choices = looked.inspection.choices()
    fenced = "\n".join(choice.replace("`", "'") for choice in choices)
    return [f"{messages.say(locale, 'inspect.unclear')}\n\n```\n{fenced}\n```"] if choices else []


def _table(app: AppPlan, locale: str) -> str:
    names = [messages.say(locale, f"inspect.{key}") for key in ("what", "value", "why", "where")]
    title = messages.say(locale, "inspect.app", path=_plain(app.path), percent=round(app.confidence * 100))
    head = f"| {' | '.join(names)} |\n|---|---|---|---|"
    return "\n".join([title, "", head, *(_row(item) for item in app.evidence)])


def _row(item: Evidence) -> str:
    place = f"{item.path}:{item.line}" if item.path and item.line else item.path
    cells = [item.field, _code(str(item.value)), messages.neutral(item.why), _code(place) if place else ""]
    return f"| {' | '.join(cells)} |"


def _warned(notice: Notice) -> str:
    place = f"{notice.path}:{notice.line}" if notice.path and notice.line else notice.path
    text = messages.neutral(notice.text)
    return f"{_code(place)}: {text}" if place else text


def _code(text: str) -> str:
    return f"`{_plain(text)}`"


def _plain(text: str) -> str:
    """On one line, without what could end code or a table's cell."""
    flat = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return flat if len(flat) <= VALUE_CHARACTERS else flat[: VALUE_CHARACTERS - 1] + "…"
