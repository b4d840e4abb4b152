"""Holds what every part of the simulated GitHub shares, and tells the app what happened."""

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sandbox.github.faults import Faults, Impossible
from bot.sandbox.github.hooks import Delivery, Hooks
from bot.sandbox.github.limits import Limits
from bot.sandbox.github.model import Account, Installation, Repository, World, node_id
from bot.sandbox.github.shapes import accounts
from bot.sandbox.github.tokens import Tokens

Json = dict[str, Any]
MAX_REQUESTS_KEPT = 20_000


@dataclass(frozen=True)
class Request:
    """One request that was answered, for assertions and for looking on. `token` is the kind of who asked."""

    at: float
    method: str
    path: str
    status: int
    token: str
    ms: float
    operation: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Grant:
    """A code given out by the OAuth web flow, to be changed into a token once."""

    user: Account
    redirect_uri: str
    challenge: str | None
    expires_at: float


@dataclass
class Hub:
    """One simulated GitHub. `base` is its address, without a slash at the end; `root` holds the repositories."""

    world: World
    tokens: Tokens
    limits: Limits
    faults: Faults
    hooks: Hooks
    base: str = ""
    root: Path = Path()
    requests: deque[Request] = field(default_factory=lambda: deque(maxlen=MAX_REQUESTS_KEPT))
    oauth_as: str | None = None
    """Who approves the OAuth web flow; None means that it is denied."""
    grants: dict[str, Grant] = field(default_factory=dict)
    manifest_codes: set[str] = field(default_factory=set)
    query_limits: Limits = field(default_factory=lambda: Limits(resource="graphql"))
    """GraphQL counts its own points."""

    def repository(self, full_name: str) -> Repository:
        """A repository by its `owner/name`. Raises Impossible when there is none."""
        found = self.world.repository(full_name)
        if found is None:
            raise Impossible(f"there is no repository {full_name!r}")
        return found

    def tell(self, repository: Repository, event: str, sender: Account, **parts: Any) -> Delivery | None:
        """Tell the app of something in a repository; None when it isn't installed there or didn't subscribe."""
        installation = self.world.installation_on(repository)
        if installation is None or installation.suspended_at or event not in installation.events:
            return None
        shape = accounts.pushed_repository if event == "push" else accounts.repository
        payload = {**parts, "repository": shape(self.base, repository)}
        if repository.owner.kind == "Organization":
            payload["organization"] = accounts.organization(self.base, repository.owner)
        payload["sender"] = accounts.user(self.base, sender)
        payload["installation"] = _reference(installation)
        return self.hooks.tell(event, payload, installation.id, repository.id)

    def tell_installation(self, installation: Installation, event: str, sender: Account, **parts: Any) -> Delivery:
        """Tell the app of something that concerns an installation as a whole."""
        shape = accounts.installation(self.base, installation, self.world.app)
        payload = {**parts, "installation": shape, "sender": accounts.user(self.base, sender)}
        return self.hooks.tell(event, payload, installation.id, None)

    def note(self, request: Request) -> None:
        """Keep one answered request in the log."""
        self.requests.append(request)


def stopwatch() -> float:
    """A clock for measuring, in seconds."""
    return time.perf_counter()


def _reference(installation: Installation) -> Json:
    return {"id": installation.id, "node_id": node_id("I", installation.id)}
