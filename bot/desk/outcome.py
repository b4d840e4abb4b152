"""What one wish led to, and how several add up to one settlement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.audit import AuditEntry
from bot.model import JobRequest
from bot.store.answers import Answer
from bot.store.changes import Change, Settlement

_WEIGHT = {"acted": 3, "refused": 2, "failed": 1, "ignored": 0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result` is `acted`, `refused`, `failed` or `ignored`; `reason` a stable code."""

    result: str
    reason: str
    jobs: tuple[JobRequest, ...] = ()
    cancels: tuple[tuple[str, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    changes: tuple[Change, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    """The rules that were asked and the value that decided each, plain JSON; the audit trail shows them."""
    audit: tuple[AuditEntry, ...] = ()


def settle(outcomes: Iterable[Outcome]) -> Settlement:
    """All of them in one; the weightiest names the result."""
    given = list(outcomes) or [Outcome("ignored", "nothing_asked")]
    leading = max(given, key=lambda outcome: _WEIGHT[outcome.result])
    return Settlement(
        leading.result,
        leading.reason,
        jobs=tuple(job for outcome in given for job in outcome.jobs),
        cancels=tuple(cancel for outcome in given for cancel in outcome.cancels),
        answers=tuple(answer for outcome in given for answer in outcome.answers),
        changes=tuple(change for outcome in given for change in outcome.changes),
        audit=tuple(entry for outcome in given for entry in outcome.audit),
    )
