"""What Shipmate speaks of: jobs and their states, stages, events, releases, and what may follow what."""

from __future__ import annotations

import enum
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

JOB_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
JOB_ID = re.compile(rf"\Adep_[{JOB_ID_ALPHABET}]{{10}}\Z")
FULL_SHA = re.compile(r"\A[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


class JobKind(enum.StrEnum):
    """What a job does."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    PIPELINE = "pipeline"
    ANALYSIS = "analysis"


class JobState(enum.StrEnum):
    """Where a job stands."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    BUILDING = "BUILDING"
    PUSHING = "PUSHING"
    DEPLOYING = "DEPLOYING"
    VERIFYING = "VERIFYING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    ROLLED_BACK = "ROLLED_BACK"
    SUPERSEDED = "SUPERSEDED"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATES


FINAL_STATES = frozenset(
    {
        JobState.COMPLETED,
        JobState.FAILED,
        JobState.TIMED_OUT,
        JobState.CANCELLED,
        JobState.ROLLED_BACK,
        JobState.SUPERSEDED,
    }
)
UNFINISHED = tuple(state for state in JobState if state not in FINAL_STATES)
_ENDINGS = frozenset({JobState.FAILED, JobState.TIMED_OUT, JobState.CANCELLED})

MAY_FOLLOW: Mapping[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.PROCESSING, JobState.SUPERSEDED}) | _ENDINGS,
    JobState.PROCESSING: frozenset({JobState.BUILDING, JobState.PUSHING, JobState.DEPLOYING, JobState.COMPLETED})
    | _ENDINGS,
    JobState.BUILDING: frozenset({JobState.PUSHING, JobState.DEPLOYING, JobState.COMPLETED}) | _ENDINGS,
    JobState.PUSHING: frozenset({JobState.DEPLOYING}) | _ENDINGS,
    JobState.DEPLOYING: frozenset({JobState.VERIFYING, JobState.ROLLED_BACK}) | _ENDINGS,
    JobState.VERIFYING: frozenset({JobState.COMPLETED, JobState.ROLLED_BACK}) | _ENDINGS,
    **{state: frozenset() for state in FINAL_STATES},
}
"""Which state may follow which; a final state is followed by none. A job resumed after a crash keeps its state."""


def may_follow(before: JobState, after: JobState) -> bool:
    """Whether a job in `before` may go to `after`; staying is always allowed while it is not final."""
    return after in MAY_FOLLOW[before] or (before is after and not before.is_final)


class Stage(enum.IntEnum):
    """The six stages of a deployment, as the deploy API numbers them."""

    BUILD = 1
    PUSH = 2
    START = 3
    LIFECYCLE = 4
    SWITCH = 5
    COMPLETE = 6


STATE_OF_STAGE: Mapping[Stage, JobState] = {
    Stage.BUILD: JobState.BUILDING,
    Stage.PUSH: JobState.PUSHING,
    Stage.START: JobState.DEPLOYING,
    Stage.LIFECYCLE: JobState.DEPLOYING,
    Stage.SWITCH: JobState.VERIFYING,
    Stage.COMPLETE: JobState.VERIFYING,
}


class EventType(enum.StrEnum):
    """What happened to a job, in the past tense."""

    JOB_QUEUED = "JobQueued"
    JOB_HELD = "JobHeld"
    JOB_APPROVED = "JobApproved"
    JOB_RELEASED = "JobReleased"
    JOB_STARTED = "JobStarted"
    LINE_MOVED = "LineMoved"
    JOB_RESUMED = "JobResumed"
    CANCEL_ASKED = "CancelAsked"
    STAGE_STARTED = "StageStarted"
    STAGE_PROGRESSED = "StageProgressed"
    STAGE_FINISHED = "StageFinished"
    STAGE_FAILED = "StageFailed"
    LOG_WRITTEN = "LogWritten"
    TRAFFIC_SHIFTED = "TrafficShifted"
    TRAFFIC_RESTORED = "TrafficRestored"
    JOB_ENDED = "JobEnded"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of a job, numbered from 1 within it; `details` is plain JSON, already masked."""

    job_id: str
    seq: int
    at: datetime
    type: EventType
    message: str
    stage: Stage | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact not numbered yet."""

    type: EventType
    message: str
    stage: Stage | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at GitHub. `id` is GitHub's number, which survives a rename; `full_name` is `owner/name`."""

    id: int
    full_name: str

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a job was asked for, so that it can be answered there."""

    face: str
    """`push`, `comment`, `check_run`, `slack`, `api`, `table` or `shell`."""
    actor: str
    """Login of the one who asked."""
    installation_id: int
    pull_number: int | None = None
    comment_id: int | None = None
    channel: str | None = None
    """The Slack channel it was asked for in."""
    thread: str | None = None
    """The Slack thread in that channel, by the ts of its first message."""
    actor_id: int | None = None
    """GitHub's number of the one who asked, which survives a renamed login; None where it was not told."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a job waits for before it may run; `until` is when it ends without having run."""

    until: datetime
    approvals: int = 0
    """How many people must approve it, beside the one who asked."""
    who: tuple[str, ...] = ()
    """Who may: teams, logins or a role; nobody named means everyone who may write."""
    checks: tuple[str, ...] = ()
    """Checks that must pass on its commit first."""
    after: str | None = None
    """The job that must be completed first: the same command's, in the environment before."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """Work that was asked for and allowed; a job is made of it."""

    kind: JobKind
    lane: str
    repository: Repository
    sha: str
    ref: str
    environment: str
    origin: Origin
    spec: Mapping[str, Any] = field(default_factory=dict)
    """Frozen settings of the job (see `jobs.deploy.plan`), plain JSON."""
    supersedes_waiting: bool = False
    """Whether jobs of the same face still waiting in the lane are replaced by this one."""
    hold: Hold | None = None
    """What it must wait for first, outside of its lane."""
    id: str = field(default_factory=lambda: new_job_id(), compare=False)
    """The id its job will have, so that it can be spoken of in the same breath."""


@dataclass(frozen=True, slots=True)
class Job:
    """One durable piece of work. `fence` grows with each claim: a write under an older fence is refused."""

    id: str
    kind: JobKind
    state: JobState
    lane: str
    repository: Repository
    sha: str
    ref: str
    environment: str
    origin: Origin
    spec: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stage: Stage | None = None
    fence: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    cancel_asked_by: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    hold: Hold | None = None
    """What it still waits for outside of its lane; None once it may run."""


@dataclass(frozen=True, slots=True)
class Release:
    """An image that went live in an environment; kept for rollback with its own environment variables."""

    id: int
    repository_id: int
    environment: str
    version: int
    """1, 2, 3 … within the environment, in the order they went live."""
    job_id: str
    sha: str
    image: str
    """Image reference by digest."""
    instance_id: str
    """Container (or process) that served it."""
    spec: Mapping[str, Any]
    live_at: datetime
    active: bool
    abandoned: bool = False
    """Whether an older one had to take its place."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it was received. `seq` is the order of receipt on this server."""

    seq: int
    guid: str
    event: str
    received_at: datetime
    body: bytes
    attempts: int = 0


def new_job_id() -> str:
    """A new deployment id: `dep_` and ten of [a-z0-9]."""
    return "dep_" + "".join(secrets.choice(JOB_ID_ALPHABET) for _ in range(10))


def job_id_for(asker: str, key: str) -> str:
    """The deployment id that a caller's Idempotency-Key stands for, the same each time."""
    number = int.from_bytes(hashlib.sha256(f"{asker}\0{key}".encode()).digest())
    letters = []
    for _ in range(10):
        number, digit = divmod(number, len(JOB_ID_ALPHABET))
        letters.append(JOB_ID_ALPHABET[digit])
    return "dep_" + "".join(letters)
