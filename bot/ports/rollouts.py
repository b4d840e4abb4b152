"""What the work asks of a platform that starts, tests, shifts and retires versions by itself."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.ports.images import LogSink
from bot.ports.running import TrafficStats


class RolloutStatus(enum.Enum):
    """Where a rollout stands. `STUCK`: it went wrong, and going back did too; somebody has to look."""

    GOING = "going"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    STUCK = "stuck"

    @property
    def is_over(self) -> bool:
        return self in {RolloutStatus.DONE, RolloutStatus.UNDONE, RolloutStatus.STUCK}


@dataclass(frozen=True, slots=True)
class RolloutSpec:
    """One version of a service, for a platform that starts, tests, shifts and retires versions by itself."""

    service: str
    """The service's name on the platform, the same for its whole life: [a-z0-9-], at most 60."""
    repository: str
    environment: str
    job_id: str
    image: str
    port: int
    health: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variable name → value; the platform is given references only."""
    command: str | None = None
    memory_mb: int = 512
    cpus: float = 1.0
    read_only: bool = False
    hosts: tuple[str, ...] = ()
    strategy: str = "all"
    """`all` at once, `canary`, `linear`, or `rolling` (no second set of versions, no steps)."""
    percent: float = 10.0
    every_s: int = 0
    bake_s: int = 0
    place: Mapping[str, Any] = field(default_factory=dict)
    """The platform's own settings, as the environment gives them."""
    revision: str | None = None
    """The registered version a rollback goes back to."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version that is registered on the platform and serves nothing yet."""

    revision: str
    """Names it for as long as the platform keeps it; a release remembers it."""
    url: str
    """Where people reach the service; empty where nobody said."""
    test_url: str | None
    """Where the new version answers before production does; None where no such place is set up."""
    before: str | None
    """The revision that serves now; None at the first deployment."""
    place_name: str
    """Where it runs, for people: the cluster's name."""
    last_rollout: str | None = None
    """The newest rollout there was before this one: what is newer is ours."""
    moved: bool = False
    """Whether the service is to stand behind another load balancer than it did."""


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One thing a platform did by itself: `id` grows within a rollout; `kind` is started, succeeded or failed."""

    id: int
    kind: str
    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A rollout as it is now. `stage` is the platform's own word for where in its lifecycle it is."""

    status: RolloutStatus
    stage: str
    reason: str = ""
    waiting: tuple[str, ...] = ()
    """Pauses that last until `go_on` answers them."""
    green_percent: float = 0.0
    running: int = 0
    wanted: int = 0
    happened: tuple[RolloutStep, ...] = ()
    """Every step so far, oldest first, where the platform tells its steps."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a platform's service runs now. `revision` None: there is no such service any more.

    `under_way` is the rollout that changes it at the moment; `stuck` one that went wrong both ways.
    """

    revision: str | None
    under_way: str | None = None
    stuck: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at a rollout: the first and the longest while its next step may come any moment.

    `quiet_s` and `bake_s`: while it surely does not, before and after it has traffic. `probe_s`: between two requests
    of our own to a version that takes traffic.
    """

    first_s: float = 2.0
    longest_s: float = 10.0
    quiet_s: float = 40.0
    bake_s: float = 90.0
    probe_s: float = 1.0


USUAL_PACE = Pace()
"""Where nobody says otherwise."""


class Rollouts(Protocol):
    """A platform that ships blue/green by itself. Every call is repeatable: what the same job began is found again."""

    name: str

    async def prepare(self, spec: RolloutSpec) -> Prepared:
        """Register the version, having looked that it can be rolled out. Raises Permanent, naming what is missing."""

    async def run_once(self, spec: RolloutSpec, revision: str, command: str, log: LogSink) -> int:
        """Run a command in the new version to its end; answers the exit code."""

    async def find(self, spec: RolloutSpec, prepared: Prepared) -> str | None:
        """The rollout this version was begun with; None while none was."""

    async def begin(self, spec: RolloutSpec, prepared: Prepared, *, gated: bool = True) -> str:
        """Roll out; answers the rollout's id. `gated`: it pauses before and after production traffic is touched."""

    async def look(self, rollout: str) -> RolloutView:
        """How it stands."""

    async def go_on(self, rollout: str, pause: str) -> None:
        """End one pause."""

    async def go_back(self, rollout: str) -> None:
        """Ask for everything to be put back; `look` tells when it is."""

    async def measured(
        self, spec: RolloutSpec, rollout: str, seconds: float
    ) -> tuple[TrafficStats | None, TrafficStats | None]:
        """What the platform counted at blue and at green in the last `seconds`; None where it counted nothing."""

    async def output(self, spec: RolloutSpec, rollout: str, lines: int) -> list[str]:
        """The last lines the new version wrote, and why its tasks ended."""

    async def forget(self, spec: RolloutSpec) -> None:
        """Remove the service if this very job made it; anything else stays."""

    async def serving(self, rollout: str) -> Serving | None:
        """What the service that a rollout was of runs now; None where the platform cannot say."""

    async def leftovers(self) -> list[str]:
        """Jobs for which something stands that is of no use once they are over."""

    async def clear(self, job_id: str) -> None:
        """Remove it. Repeatable."""
