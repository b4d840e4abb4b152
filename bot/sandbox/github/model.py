"""What the simulated GitHub holds: accounts, repositories and what people and apps leave in them."""

import base64
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.github.git import Git

Json = dict[str, Any]

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""Roles on a repository, each allowing what those before it allow."""

COARSE = {"triage": "read", "maintain": "write"}
"""What `permission` says of the roles it has no word for; `role_name` keeps the finer one."""


def iso(moment: float | None) -> str | None:
    """A UTC time the way GitHub writes it, `2011-01-26T19:01:12Z`."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    """A global id of the opaque kind GitHub gives out."""
    return f"{kind}_{base64.urlsafe_b64encode(f'{kind}:{number}'.encode()).decode().rstrip('=')}"


@dataclass
class Account:
    """A person, an organization or an app's own user. `kind` is `User`, `Organization` or `Bot`."""

    id: int
    login: str
    kind: str = "User"
    created_at: float = 0.0
    teams: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of an organization: team slug → login → role (`member` or `maintainer`)."""
    members: set[str] = field(default_factory=set)


@dataclass
class Reaction:
    """One emoji of one account on an issue or a comment."""

    id: int
    user: Account
    content: str
    created_at: float


@dataclass
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    number: int
    user: Account
    body: str
    created_at: float
    updated_at: float
    app: "App | None" = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass
class Issue:
    """An issue; a pull request is one too, with `pull` set."""

    id: int
    number: int
    title: str
    body: str | None
    user: Account
    created_at: float
    updated_at: float
    state: str = "open"
    closed_at: float | None = None
    closed_by: Account | None = None
    labels: list[str] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    pull: "Pull | None" = None


@dataclass
class Pull:
    """What a pull request has beyond its issue. `head_repo` is None once its fork was deleted."""

    id: int
    head_ref: str
    head_sha: str
    head_owner: Account
    head_repo: "Repository | None"
    base_ref: str
    base_sha: str
    draft: bool = False
    merge_commit_sha: str | None = None
    merged_at: float | None = None
    merged_by: Account | None = None
    reviews: list[Json] = field(default_factory=list)

    @property
    def merged(self) -> bool:
        """Whether it went in."""
        return self.merged_at is not None


@dataclass
class CheckSuite:
    """All check runs of one app on one commit."""

    id: int
    head_sha: str
    head_branch: str | None
    app: "App"
    created_at: float
    updated_at: float
    before: str | None = None
    rerequestable: bool = True


@dataclass
class CheckRun:
    """One check run; `annotations` only ever grow."""

    id: int
    suite: CheckSuite
    app: "App"
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    actions: list[Json] = field(default_factory=list)
    annotations: list[Json] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    """Every state it went through, oldest first: `queued`, `in_progress`, `completed: success`."""

    @property
    def state(self) -> str:
        """Status, or conclusion once there is one."""
        return self.conclusion or self.status


@dataclass
class DeploymentStatus:
    """One status of a deployment; `state` may be turned to `inactive` by GitHub later."""

    id: int
    state: str
    creator: Account
    created_at: float
    environment: str
    description: str = ""
    log_url: str = ""
    target_url: str = ""
    environment_url: str = ""


@dataclass
class Deployment:
    """One deployment with its statuses, oldest first."""

    id: int
    sha: str
    ref: str
    task: str
    payload: Any
    environment: str
    description: str | None
    creator: Account
    created_at: float
    transient: bool
    production: bool
    app: "App | None" = None
    original_environment: str = ""
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def state(self) -> str:
        """State of the newest status, `pending` before there is one."""
        return self.statuses[-1].state if self.statuses else "pending"


@dataclass
class CommitStatus:
    """A status set on a commit under a context."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: float


@dataclass
class Repository:
    """One repository and all that was said and done in it."""

    id: int
    owner: Account
    name: str
    git: Git
    created_at: float
    pushed_at: float
    private: bool = False
    default_branch: str = "main"
    description: str | None = None
    archived: bool = False
    parent: "Repository | None" = None
    roles: dict[str, str] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    suites: dict[int, CheckSuite] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)
    """Made by the first deployment to each; they stay until they are deleted."""
    statuses: list[CommitStatus] = field(default_factory=list)
    tree_limit: int = 100_000
    """How many entries a recursive tree lists before it is cut and marked `truncated`."""

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    def role(self, login: str) -> str:
        """The finest role somebody has: the owner is admin, everyone reads what is public."""
        if login == self.owner.login:
            return "admin"
        return self.roles.get(login.lower(), "none" if self.private else "read")

    def allows(self, login: str, role: str) -> bool:
        """Whether somebody has at least this role."""
        return ROLES.index(self.role(login)) >= ROLES.index(role)

    def pull(self, number: int) -> Issue | None:
        """The pull request of this number, None when there is none or it is a plain issue."""
        issue = self.issues.get(number)
        return issue if issue and issue.pull else None


@dataclass
class Installation:
    """The app installed on an account. `selected` None means all repositories of the account."""

    id: int
    account: Account
    permissions: dict[str, str]
    events: list[str]
    created_at: float
    selected: set[int] | None = None
    suspended_at: float | None = None

    def covers(self, repository: Repository) -> bool:
        """Whether the app may act in this repository at all."""
        return repository.owner is self.account and (self.selected is None or repository.id in self.selected)


@dataclass
class App:
    """The one GitHub App of this GitHub."""

    id: int
    slug: str
    name: str
    owner: Account
    bot: Account
    client_id: str
    client_secret: str
    private_key_pem: str
    public_key_pem: str
    webhook_secret: str
    permissions: dict[str, str]
    events: list[str]
    created_at: float


@dataclass
class World:
    """All of the simulated GitHub's memory, with its clock and its counter of ids."""

    app: App
    clock: Callable[[], float] = time.time
    accounts: dict[str, Account] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, Repository] = field(default_factory=dict)
    """Repositories by names they had before, which go on leading to them."""
    installations: dict[int, Installation] = field(default_factory=dict)
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(910_000_001, 7))

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock()

    def next_id(self) -> int:
        """A number no other thing here has."""
        return next(self.ids)

    def account(self, login: str, kind: str = "User") -> Account:
        """The account of this name, made when it is new."""
        key = login.lower()
        if key not in self.accounts:
            self.accounts[key] = Account(self.next_id(), login, kind, self.now())
        return self.accounts[key]

    def repository(self, full_name: str) -> Repository | None:
        """The repository of this `owner/name`, letter case aside."""
        return self.repositories.get(full_name.lower()) or self.renamed.get(full_name.lower())

    def installation_on(self, repository: Repository) -> Installation | None:
        """The installation that covers this repository."""
        return next((one for one in self.installations.values() if one.covers(repository)), None)

    def covered(self, installation: Installation) -> list[Repository]:
        """All repositories of one installation, oldest first."""
        return [one for one in self.repositories.values() if installation.covers(one)]
