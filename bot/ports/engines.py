"""The engines themselves: parts that fit together under a target's name, and the accounts of others they are in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bot.ports.ground import Ground
from bot.ports.images import Builder, Registry, RemoteBuilder
from bot.ports.rollouts import USUAL_PACE, Pace, Rollouts
from bot.ports.running import Target, Traffic


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to run what was asked: the four parts that fit together, under the target's name."""

    name: str
    builder: Builder
    registry: Registry
    target: Target
    traffic: Traffic

    async def forget_image(self, image: str) -> None:
        """Remove a local image no release needs. Repeatable."""
        await self.target.remove_image(image)


@dataclass(frozen=True, slots=True)
class RolloutEngine:
    """One way to run what was asked on a platform that rolls out by itself."""

    name: str
    builder: Builder
    registry: Registry
    rollouts: Rollouts
    forget_image: Callable[[str], Awaitable[None]]
    """Removes an image from where it was built, once it is in the registry or of no use."""
    pace: Pace = USUAL_PACE
    remote: RemoteBuilder | None = None
    """Builds images elsewhere, for environments that ask for it."""
    ground: Ground | None = None
    """Makes what services stand on; None: all of it was prepared by hand."""


class Maker(Protocol):
    """What stages 1 and 2 need of either kind of engine."""

    @property
    def name(self) -> str: ...

    @property
    def builder(self) -> Builder: ...

    @property
    def registry(self) -> Registry: ...

    @property
    def forget_image(self) -> Callable[[str], Awaitable[None]]: ...


AnyEngine = Engine | RolloutEngine


@dataclass(frozen=True, slots=True)
class Errand:
    """What an account is entered for: the connection by its id, and the repository's environment that is deployed."""

    connection: str
    repository: str
    environment: str


class Accounts(Protocol):
    """Accounts that somebody lent us a way into."""

    def entered(self, errand: Errand) -> AbstractAsyncContextManager[RolloutEngine]:
        """The engine over that account, for as long as the deployment needs it. Nothing is asked of it yet.

        Raises Permanent("connection_removed"), and so does each later call once the connection is gone.
        """
