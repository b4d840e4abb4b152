"""What GitHub tells us, each as one typed fact, and the key by which the same fact told twice is known.

A delivery's id is not enough: a repository's hook and the app's hook tell of one act under two ids. `semantic_key`
is the same for both, and differs when someone really does a thing again, so it holds whatever tells two acts apart:
the comment's id, the moment GitHub last changed the object, or what a check run showed when it was clicked.
It is None where acting twice on a fact does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.github.pulls import PullRequest
from bot.model import Repository

BRANCH, TAG = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class Person:
    """Who did it: `id` stays when a login is renamed."""

    id: int
    login: str
    is_bot: bool


@dataclass(frozen=True, slots=True)
class Push:
    """A branch or tag was moved, made or deleted; `before` or `after` is all zeros then.

    The key holds the moment of the push: the same two commits can be pushed back and forth.
    """

    repository: Repository
    installation_id: int | None
    sender: Person | None
    """None for a push with a deploy key."""
    pusher: str
    ref: str
    before: str
    after: str
    created: bool
    deleted: bool
    forced: bool
    default_branch: str
    head_message: str
    """The message of the head commit; empty when the ref was deleted."""
    pushed_at: str

    @property
    def branch(self) -> str | None:
        """The branch's name, None for a tag."""
        return self.ref.removeprefix(BRANCH) if self.ref.startswith(BRANCH) else None

    @property
    def tag(self) -> str | None:
        """The tag's name, None for a branch."""
        return self.ref.removeprefix(TAG) if self.ref.startswith(TAG) else None

    @property
    def semantic_key(self) -> str | None:
        return f"push:{self.repository.id}:{self.ref}:{self.before}:{self.after}:{self.pushed_at}"


@dataclass(frozen=True, slots=True)
class PullRequestChanged:
    """A pull request was opened, reopened, closed, edited, taken in or out of draft, or got commits (synchronize)."""

    action: str
    pull: PullRequest
    repository: Repository
    installation_id: int | None
    sender: Person
    base_changed: bool
    """Whether an edit changed the branch it goes to."""
    updated_at: str

    @property
    def semantic_key(self) -> str | None:
        return f"pull_request:{self.pull.id}:{self.action}:{self.pull.head_sha}:{self.updated_at}"


@dataclass(frozen=True, slots=True)
class IssueComment:
    """A comment on an issue or a pull request was created, edited or deleted. Only a created one may command.

    A comment is created once, so its id is the key; an edit counts by its moment.
    """

    action: str
    comment_id: int
    body: str
    author: Person
    url: str
    via_app: str | None
    """The slug of the app that wrote it, if one did."""
    issue_number: int
    is_pull: bool
    is_open: bool
    repository: Repository
    installation_id: int | None
    sender: Person
    updated_at: str

    @property
    def semantic_key(self) -> str | None:
        once = f"issue_comment:{self.action}:{self.comment_id}"
        return f"{once}:{self.updated_at}" if self.action == "edited" else once


@dataclass(frozen=True, slots=True)
class CheckRunAsked:
    """Someone asked for a check run again (`rerequested`), or clicked one of its buttons (`requested_action`).

    GitHub gives a click no id and no time. A second click by the same person on a check run that still shows the same
    is the same ask, made by an impatient hand. What a click leads to changes what the check run shows, and from then on
    a click is a new ask; one that is refused changes nothing, and may be made again.
    """

    action: str
    identifier: str | None
    """Of the button, as `checks.Button` named it; None for `rerequested`."""
    check_run_id: int
    name: str
    head_sha: str
    external_id: str
    app_id: int | None
    pull_numbers: tuple[int, ...]
    """The open pull requests with this head in the same repository; none for a fork's."""
    shown: str
    """A digest of what the check run showed."""
    repository: Repository
    installation_id: int | None
    sender: Person

    @property
    def semantic_key(self) -> str | None:
        asked = f"{self.action}:{self.identifier or ''}"
        return f"check_run:{self.check_run_id}:{asked}:{self.sender.id}:{self.shown}"


@dataclass(frozen=True, slots=True)
class CheckSuiteAsked:
    """Someone asked for all of this app's checks of a commit again."""

    check_suite_id: int
    head_sha: str
    head_branch: str | None
    pull_numbers: tuple[int, ...]
    repository: Repository
    installation_id: int | None
    sender: Person
    updated_at: str

    @property
    def semantic_key(self) -> str | None:
        return f"check_suite:{self.check_suite_id}:rerequested:{self.head_sha}:{self.updated_at}"


@dataclass(frozen=True, slots=True)
class RefChanged:
    """A branch or tag was created or deleted; `ref` is its short name. The push of it tells its commit."""

    action: str
    """`create` or `delete`, as GitHub names these events."""
    kind: str
    """`branch` or `tag`."""
    ref: str
    repository: Repository
    installation_id: int | None
    sender: Person
    pushed_at: str

    @property
    def semantic_key(self) -> str | None:
        return f"{self.action}:{self.repository.id}:{self.kind}:{self.ref}:{self.pushed_at}"


@dataclass(frozen=True, slots=True)
class MergeGroup:
    """A merge queue asks for checks of a merge it made (`checks_requested`), or threw it away (`destroyed`)."""

    action: str
    head_sha: str
    head_ref: str
    base_sha: str
    base_ref: str
    repository: Repository
    installation_id: int | None
    sender: Person | None

    @property
    def semantic_key(self) -> str | None:
        return f"merge_group:{self.repository.id}:{self.action}:{self.head_ref}:{self.head_sha}"


@dataclass(frozen=True, slots=True)
class RepositoryChanged:
    """A repository was created, deleted, renamed, transferred, archived, made public or private, or edited."""

    action: str
    repository: Repository
    previous_name: str | None
    """The name before a rename, without the owner."""
    default_branch: str
    installation_id: int | None
    sender: Person
    updated_at: str

    @property
    def semantic_key(self) -> str | None:
        return f"repository:{self.repository.id}:{self.action}:{self.repository.full_name}:{self.updated_at}"


@dataclass(frozen=True, slots=True)
class InstallationChanged:
    """The app was installed, removed, suspended, brought back, or given new permissions. Only the app is told."""

    action: str
    installation_id: int
    account: str
    repositories: tuple[Repository, ...]
    sender: Person

    semantic_key: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class InstalledRepositoriesChanged:
    """Repositories were added to an installation or taken from it. Only the app is told."""

    installation_id: int
    account: str
    added: tuple[Repository, ...]
    removed: tuple[Repository, ...]
    sender: Person

    semantic_key: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """The user or organisation of an installation has another login. Only the app is told."""

    installation_id: int
    account_id: int
    account: str
    previous: str

    semantic_key: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class AuthorizationRevoked:
    """Someone took back the right they gave the app to act for them. Only the app is told."""

    sender: Person

    semantic_key: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class Ping:
    """GitHub tried the hook; `events` is what the hook is subscribed to."""

    hook_id: int
    events: tuple[str, ...]

    semantic_key: ClassVar[str | None] = None


WebhookEvent = (
    Push
    | PullRequestChanged
    | IssueComment
    | CheckRunAsked
    | CheckSuiteAsked
    | RefChanged
    | MergeGroup
    | RepositoryChanged
    | InstallationChanged
    | InstalledRepositoriesChanged
    | AccountRenamed
    | AuthorizationRevoked
    | Ping
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that is understood and asks for nothing."""

    reason_code: str
    sentence: str
