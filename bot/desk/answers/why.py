"""Words for `/why`: the rule that decided, its values beside their limits, what was different, who, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.audit import AuditRecord
from bot.jobs.deploy.difference import Says, differences
from bot.jobs.deploy.plan import Plan
from bot.model import Event, JobKind, JobState, Release
from bot.shown import markdown
from bot.shown.titles import title_of
from bot.shown.view import JobView

SAID_CHARACTERS = 8
"""So long a value may stand in the sentence by itself: it is not repeated below."""
FIGURES = ("requests", "errorPercent", "p50Ms", "p95Ms")
NOT_VALUES = frozenset({"green", "blue", "limits", "verdict", "why", "number", "fix"})
"""Facts that are told above the values, or say nothing of what decided."""
TOLD_IN_THE_HEAD = frozenset({"actor", "command", "has"})
"""Facts of a refusal that its first line tells, or the role that was found."""
MOST_VALUES = 12
MOST_RECORDS = 12
VALUE_CHARACTERS = 120
_PAIRS = re.compile(r"\s(?:--|—|–)\s")


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of a job. `before` is the release it was to follow."""

    view: JobView
    story: tuple[Event, ...]
    trail: tuple[AuditRecord, ...]
    before: Release | None


def refusal_text(record: AuditRecord, say: Says, locale: str) -> str:
    """What was said, by whom, the rule that said no, the values it went by; the sentence names the next step."""
    entry = record.entry
    head = say(
        "why.refused",
        command=messages.neutral(_without_values(entry.raw) or entry.command, VALUE_CHARACTERS),
        actor=messages.neutral(entry.actor),
        at=_moment(record),
        code=entry.reason,
    )
    sentence = messages.failure(locale, entry.reason, messages.harmless(entry.rules))
    rules = {name: value for name, value in entry.rules.items() if name not in TOLD_IN_THE_HEAD}
    return "\n\n".join(part for part in (head, sentence, _values(rules, say)) if part)


def _without_values(raw: str) -> str:
    """The words that were said, but for `-- KEY=VALUE…`: a value may be a secret."""
    said, *values = _PAIRS.split(raw, maxsplit=1)
    return f"{said} -- …" if values else said


def job_text(told: Told, say: Says, locale: str) -> str:
    """Where it stands and why, and everything that decided."""
    view = told.view
    sentence = markdown.sentence(view, locale) or view.job.error_message or ""
    figures = _figures(_judged(told), say)
    code = f" · `{view.job.error_code}`" if view.job.error_code else ""
    parts = [
        f"{_headline(view, locale)} · `{view.job.id}`{code}",
        sentence,
        figures,
        _values(_untold(view.job.result.get("failure") or {}, sentence, figures), say),
        _differences(told, say),
        _trail(told.trail, say),
        f"{say('report.tail')}\n\n{markdown.fenced(view.tail)}" if view.tail else "",
        _next_step(view, say),
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(view: JobView, locale: str) -> str:
    icon = markdown.STATE_ICONS.get(view.state, "⏳")
    place = f" · `{view.job.environment}`" if view.job.environment else ""
    return f"{icon} **{title_of(view, locale)}**{place} · `{view.job.sha[:7]}`"


def _judged(told: Told) -> Mapping[str, Any]:
    """The last judgement of the figures: that of the failure, else the last one on the way."""
    failure: Mapping[str, Any] = told.view.job.result.get("failure") or {}
    if "limits" in failure:
        return failure
    judged = (event.details for event in reversed(told.story) if "verdict" in event.details)
    return next(judged, {})


def _figures(judged: Mapping[str, Any], say: Says) -> str:
    """The new version beside the old one and the limits."""
    if not judged:
        return ""
    green, blue, limits = (judged.get(name) or {} for name in ("green", "blue", "limits"))
    head = " | ".join(("", say("why.green"), say("why.blue"), say("why.limit")))
    rows = [
        f"| {say(f'why.figure.{name}')} | {_amount(green.get(name))} | {_amount(blue.get(name))}"
        f" | {_amount(limits.get(name))} |"
        for name in FIGURES
    ]
    told = say("why.judged", verdict=say(f"why.verdict.{judged['verdict']}"), percent=judged.get("percent"))
    return "\n".join([told, "", f"| {head} |", "|---|---:|---:|---:|", *rows])


def _amount(value: Any) -> str:
    return messages.UNKNOWN if value is None else f"{value:g}"


def _values(rules: Mapping[str, Any], say: Says) -> str:
    """The rules that were asked, each with the value that decided."""
    shown = [(name, value) for name, value in rules.items() if name not in NOT_VALUES and value not in (None, "", [])]
    if not shown:
        return ""
    head = f"| {say('why.rule')} | {say('why.value')} |\n|---|---|"
    rows = [f"| `{messages.neutral(name)}` | {_value(value)} |" for name, value in shown[:MOST_VALUES]]
    return "\n".join([head, *rows])


def _untold(rules: Mapping[str, Any], sentence: str, figures: str) -> Mapping[str, Any]:
    """The values that the sentence and the table of figures, which names its share of traffic, do not tell."""
    kept = {name: value for name, value in rules.items() if not (figures and name == "percent")}
    return {
        name: value
        for name, value in kept.items()
        if not (isinstance(value, str) and len(value) >= SAID_CHARACTERS and value in sentence)
    }


def _value(value: Any) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return messages.neutral(words, VALUE_CHARACTERS)


def _differences(told: Told, say: Says) -> str:
    """What the job was to change; an analysis changes nothing."""
    job = told.view.job
    if job.kind not in {JobKind.DEPLOY, JobKind.ROLLBACK}:
        return ""
    environment = Plan.from_json(job.spec).environment
    lines = [f"- {line}" for line in differences(say, environment, job.sha, told.before)]
    return "\n".join([say("why.changes"), *lines])


def _trail(trail: Sequence[AuditRecord], say: Says) -> str:
    """Who did what, and what was decided, oldest first."""
    if not trail:
        return ""
    head = " | ".join(say(f"why.{name}") for name in ("at", "who", "what", "outcome"))
    return "\n".join([say("why.trail"), "", f"| {head} |", "|---|---|---|---|", *_rows(trail[-MOST_RECORDS:])])


def _rows(trail: Sequence[AuditRecord]) -> Iterator[str]:
    for record in trail:
        entry = record.entry
        said = f"{messages.neutral(entry.command)} ({messages.neutral(entry.face)})"
        yield f"| {_moment(record)} | {messages.neutral(entry.actor)} | {said} | {entry.outcome} `{entry.reason}` |"


def _moment(record: AuditRecord) -> str:
    return record.at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _next_step(view: JobView, say: Says) -> str:
    """What to say next, where there is something."""
    job = view.job
    if job.hold is not None:
        return say("why.next.held", job=job.id) if job.hold.approvals else ""
    if not job.state.is_final:
        return say("why.next.under_way", job=job.id, environment=job.environment)
    if job.state is JobState.COMPLETED:
        can_go_back = job.kind is JobKind.DEPLOY and not view.is_rehearsal
        return say("why.next.live", environment=job.environment) if can_go_back else ""
    return "" if job.state is JobState.SUPERSEDED else say("why.next.retry", job=job.id)
