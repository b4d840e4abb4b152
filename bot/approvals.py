"""Approvals as they are given and kept: who let which job run on which commit, and which fork's commit is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Approve:
    """Somebody approves a held job. It counts for this commit alone, and once for each person."""

    job_id: str
    sha: str
    actor: str
    actor_id: int
    face: str


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that was kept."""

    job_id: str
    sha: str
    actor: str
    actor_id: int
    face: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """A maintainer looked at this very commit of a fork's pull request. The next push has another commit."""

    repository_id: int
    number: int
    sha: str
    actor: str
    actor_id: int


@dataclass(frozen=True, slots=True)
class EndHeld:
    """A held job ends without having run; `code` says why, `message` tells people."""

    job_id: str
    code: str
    message: str
