"""What one delivery leads to, as it is written in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.approvals import Approve, EndHeld, Trust
from bot.audit import AuditEntry
from bot.locks import Lock
from bot.model import Job, JobRequest, Repository
from bot.store.answers import Answer


@dataclass(frozen=True, slots=True)
class HeadMove:
    """The head of a pull request as a delivery told it. `received_seq` is the delivery's order of receipt."""

    repository_id: int
    number: int
    sha: str
    received_at: datetime
    received_seq: int


@dataclass(frozen=True, slots=True)
class NameChange:
    """What a repository is called since a delivery told it."""

    repository: Repository
    received_at: datetime


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """A preview is wanted until `ends_at`. Refused("too_many_previews") where a repository has `most` already."""

    repository: Repository
    installation_id: int
    number: int
    ends_at: datetime
    most: int


@dataclass(frozen=True, slots=True)
class ExtendPreview:
    """A preview that is open ends then."""

    repository_id: int
    number: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class EndPreview:
    """A preview is not wanted any more, and why."""

    repository_id: int
    number: int
    why: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class TakeLock:
    """A lock is claimed, in place of those of others that were seen and may be taken over; their holders are told.

    Refused("environment_locked") when it is another's by then.
    """

    lock: Lock
    over: tuple[Lock, ...] = ()
    notices: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseLocks:
    """These very locks end; whoever else held one is told. Refused("not_locked") when one is over by then."""

    locks: tuple[Lock, ...]
    notices: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowAgain:
    """The check run of a job is shown as it is once more: GitHub opened it again."""

    job_id: str


Change = (
    TakeLock
    | ReleaseLocks
    | HeadMove
    | NameChange
    | Approve
    | Trust
    | EndHeld
    | OpenPreview
    | ExtendPreview
    | EndPreview
    | ShowAgain
)
"""What a decision changes beside jobs and answers."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that one delivery led to, written in one transaction."""

    outcome: str
    """`acted`, `ignored`, `refused` or `failed`."""
    reason: str
    semantic_key: str | None = None
    jobs: tuple[JobRequest, ...] = ()
    cancels: tuple[tuple[str, str], ...] = ()
    """(job id, login of who asked)."""
    answers: tuple[Answer, ...] = ()
    changes: tuple[Change, ...] = ()
    audit: tuple[AuditEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """`acted` is False when the semantic key had been acted on before: then nothing but the outcome was written."""

    acted: bool
    jobs: tuple[Job, ...] = ()
