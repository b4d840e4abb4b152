"""What the audit trail is told of jobs: that one was asked for without a delivery, was to stop, or ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.audit import AuditEntry
from bot.model import JobRequest
from bot.store.previews import Preview
from storage import audit
from storage.rows import from_json

FACE_OF_WORK = "worker"
NO_RULES = frozenset({"remarks", "fix"})
"""Facts of a failure that tell how to mend it, not what decided."""
OURSELVES = "shipmate"
"""Who did what nobody asked for."""


def asked(connection: sqlite3.Connection, request: JobRequest, known: Sequence[AuditEntry], now: datetime) -> None:
    """A job was asked for where no delivery led to it, over the API or by the server itself: what is `known` of it."""
    for entry in known or (_asking(request),):
        audit.append(connection, entry, now)


def _asking(request: JobRequest) -> AuditEntry:
    origin = request.origin
    return AuditEntry(
        actor=origin.actor,
        actor_id=origin.actor_id,
        face=origin.face,
        command=request.kind,
        outcome="acted",
        reason=f"{request.kind}_asked",
        job_id=request.id,
    )


def asked_to_stop(connection: sqlite3.Connection, job_id: str, by: str, now: datetime) -> None:
    """A program asked a job to stop."""
    audit.append(connection, AuditEntry(by, "api", "cancel", "acted", "cancel_asked", job_id=job_id), now)


def ended(
    connection: sqlite3.Connection, row: sqlite3.Row, state: str, code: str | None, result: str, by: str, now: datetime
) -> None:
    """A job ended, `by` whom it was stopped or else asked for, and the values that decided."""
    entry = AuditEntry(
        actor=by,
        actor_id=row["actor_id"] if by == row["actor"] else None,
        face=FACE_OF_WORK,
        command=row["kind"],
        outcome=state,
        reason=code or state.lower(),
        repository=row["repository"],
        rules=_what_decided(from_json(result)),
        environment=row["environment"],
        sha=row["sha"],
        job_id=row["id"],
    )
    audit.append(connection, entry, now)


def preview_ended(connection: sqlite3.Connection, preview: Preview, now: datetime) -> None:
    """A preview ended that nobody told to: its pull request was closed, or its time was over."""
    entry = AuditEntry(
        actor=preview.ended_by or OURSELVES,
        face=FACE_OF_WORK,
        command="preview",
        outcome="acted",
        reason=f"preview_{preview.ending}",
        repository=preview.repository.full_name,
        rules={"number": preview.number},
        environment=preview.environment,
    )
    audit.append(connection, entry, now)


def _what_decided(result: Mapping[str, Any]) -> dict[str, Any]:
    failure = result.get("failure")
    facts = failure if isinstance(failure, Mapping) else {}
    return {name: value for name, value in facts.items() if name not in NO_RULES}
