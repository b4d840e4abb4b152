"""What the audit trail is told of jobs: that one was asked for without a delivery, was to stop, or ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.audit import AuditEntry
from bot.model import JobRequest
from storage import audit
from storage.rows import from_json

FACE_OF_WORK = "worker"


def asked(connection: sqlite3.Connection, request: JobRequest, now: datetime) -> None:
    """A job was asked for where no delivery led to it: over the API, by the server itself."""
    origin = request.origin
    entry = AuditEntry(
        actor=origin.actor,
        actor_id=origin.actor_id,
        face=origin.face,
        command=request.kind,
        outcome="acted",
        reason=f"{request.kind}_asked",
        job_id=request.id,
    )
    audit.append(connection, entry, now)


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


def _what_decided(result: Mapping[str, Any]) -> dict[str, Any]:
    failure = result.get("failure")
    return dict(failure) if isinstance(failure, Mapping) else {}
