"""What a delivery asks for, before anyone has said whether it may be: handlers make these, the desk decides on them.

`installation_id` is None where the delivery did not name it, as one of a repository's own hook does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Repository


@dataclass(frozen=True, slots=True)
class Nothing:
    """The delivery asks for nothing; `reason` is a stable code."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeployPush:
    """A branch moved to `sha`."""

    repository: Repository
    installation_id: int | None
    branch: str
    default_branch: str
    sha: str
    actor: str
    actor_id: int | None = None


@dataclass(frozen=True, slots=True)
class NoteHead:
    """A pull request's head is `sha` now: the ledger is told."""

    repository: Repository
    number: int
    sha: str


@dataclass(frozen=True, slots=True)
class NoteName:
    """A repository was renamed or transferred, and is called so now."""

    repository: Repository


@dataclass(frozen=True, slots=True)
class JudgeChange:
    """A pull request's head is `sha` now: whose lines it changes may be told."""

    repository: Repository
    installation_id: int | None
    number: int
    sha: str
    actor: str


@dataclass(frozen=True, slots=True)
class FollowPull:
    """A pull request was opened, got commits or was closed: its preview may follow."""

    repository: Repository
    installation_id: int | None
    number: int
    sha: str
    from_fork: bool
    action: str
    """As GitHub says it: `opened`, `reopened`, `synchronize` or `closed`."""
    actor: str
    actor_id: int


@dataclass(frozen=True, slots=True)
class ObeyComment:
    """Somebody wrote a comment that may hold commands."""

    repository: Repository
    installation_id: int | None
    number: int
    is_pull: bool
    comment_id: int
    actor: str
    actor_id: int
    body: str


@dataclass(frozen=True, slots=True)
class LetMergeQueueGoOn:
    """A merge queue waits for checks of the merge `sha` into the branch `base`."""

    repository: Repository
    installation_id: int | None
    sha: str
    base: str


@dataclass(frozen=True, slots=True)
class ClickButton:
    """Somebody clicked on a check run: `action` is `analyze`, `approve`, `retry`, `cancel` or `rollback`."""

    repository: Repository
    installation_id: int | None
    job_id: str
    action: str
    actor: str
    actor_id: int
    key: str
    """Distinguishes one click from another."""


@dataclass(frozen=True, slots=True)
class RerunAll:
    """Somebody asked for all of our checks of a commit again."""

    repository: Repository
    installation_id: int | None
    sha: str
    actor: str
    actor_id: int
    key: str
    """Distinguishes one time from another."""


Wish = (
    Nothing
    | LetMergeQueueGoOn
    | DeployPush
    | NoteHead
    | NoteName
    | ObeyComment
    | ClickButton
    | RerunAll
    | JudgeChange
    | FollowPull
)
