"""What a deployment is that was asked for away from the server: kept in a table which two sides move on, each once."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from bot.model import JobState, Repository

FACE = "table"
"""Where a job was asked for that is made of one."""


class Waits(enum.StrEnum):
    """Who has to act on it next; nobody once the server has a job of it, or it ended."""

    WORK = "work"
    """What inspects it and starts its build."""
    SERVER = "server"
    """Who makes a job of it, or notes that it ended before there was one."""


@dataclass(frozen=True, slots=True)
class Step:
    """A state it went into, and when."""

    state: JobState
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about it at GitHub: whose repository, and the commit its branch was at."""

    repository: Repository
    installation_id: int
    login: str
    sha: str
    environment: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One deployment that was asked for. `user` is a login or GitHub's number of an account; `asker` let it in.

    `revision` grows with each write: one that was made of an older revision is refused.
    """

    id: str
    user: str | int
    repo: str
    branch: str
    steps: tuple[Step, ...]
    environment: str | None = None
    asker: str = ""
    language: str = "en"
    waits: Waits | None = None
    revision: int = 1
    found: Found | None = None
    build_id: str | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    """What its end is told with: `errorCode`, `errorMessage`, `url`."""

    @property
    def state(self) -> JobState:
        """Where it stands."""
        return self.steps[-1].state

    @property
    def created_at(self) -> datetime:
        """When it was asked for."""
        return self.steps[0].at

    @property
    def moved_at(self) -> datetime:
        """When it last went into another state."""
        return self.steps[-1].at

    @property
    def vain_build(self) -> str | None:
        """The build that was begun for it, where it ended without going live: nobody waits for that one any more."""
        return self.build_id if self.state.is_final and self.state is not JobState.COMPLETED else None

    def same_request(self, other: Asked) -> bool:
        """Whether both ask for the very same thing."""
        return _request(self) == _request(other)

    def gone_to(self, state: JobState, at: datetime, waits: Waits | None, **outcome: Any) -> Asked:
        """The same one step further."""
        return replace(self, steps=(*self.steps, Step(state, at)), waits=waits, outcome={**self.outcome, **outcome})

    def followed(self, walked: Sequence[Step], **outcome: Any) -> Asked:
        """With the states its job went through beside those it went through before; one that ended stays as it is."""
        if self.state.is_final:
            return self
        known = {step.state for step in self.steps}
        new = tuple(step for step in walked if step.state not in known)
        return replace(self, steps=(*self.steps, *new), waits=None, outcome={**self.outcome, **outcome})


class AskedTable(Protocol):
    """Where they are kept. What is written is there before a call returns; every call may be repeated."""

    async def add(self, asked: Asked) -> Asked:
        """Keep a new one; answers it, or the one that has its id already."""

    async def get(self, deployment_id: str) -> Asked | None:
        """As it is now; None for one that is unknown, or was kept long enough."""

    async def change(self, before: Asked, after: Asked) -> Asked | None:
        """Keep `after` in place of `before`; answers it as it is kept. None: somebody else changed it first."""

    async def waiting(self, on: Waits, until: datetime, limit: int = 50) -> list[str]:
        """Ids of those that wait for this side and were asked for until then, the oldest first."""


@dataclass(frozen=True, slots=True)
class Place:
    """An account of GitHub that the app is installed in."""

    installation_id: int
    login: str
    account_id: int
    suspended: bool = False


class PlaceTable(Protocol):
    """Which installation an account has, by its login or its number. Every call may be repeated."""

    async def find(self, user: str | int) -> Place | None:
        """The account's installation as far as it is known."""

    async def put(self, place: Place) -> None:
        """Keep one, under its login and under its number."""

    async def remove(self, place: Place) -> None:
        """The app is not installed there any more."""

    async def all(self) -> list[Place]:
        """Every one that is kept."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What the server holds of them, where it is told their names."""

    deployments: AskedTable
    places: PlaceTable


def _request(asked: Asked) -> tuple[Any, ...]:
    return asked.user, asked.repo, asked.branch, asked.environment
