"""What the work asks of where it runs: source, builder, registry, target and traffic, or rollouts, as protocols."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.model import Job

LogSink = Callable[[str], None]
"""Takes one line of build or run output, without its line end; never blocks, never raises."""


class Source(Protocol):
    """Brings a repository's tree here."""

    def address(self, job: Job) -> str:
        """Where the repository is cloned from, without anything that signs in."""

    async def checkout(self, job: Job, into: Path, log: LogSink) -> None:
        """Leave the tree of exactly `job.sha` in `into` (made anew). Raises Transient or Permanent. Repeatable."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build. Paths are relative to `context`, which is an absolute folder inside the checkout."""

    context: Path
    dockerfile: str
    tag: str
    labels: Mapping[str, str] = field(default_factory=dict)
    build_args: Mapping[str, str] = field(default_factory=dict)
    start_command: str | None = None
    """What starts the application; the process engine needs it, Docker reads the Dockerfile."""
    memory_mb: int | None = None


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image by content: `id` is `sha256:…`; `tag` names it on this engine."""

    id: str
    tag: str


class Builder(Protocol):
    """Makes images."""

    async def mounts_caches(self) -> bool:
        """Whether a Dockerfile for it may mount caches (`RUN --mount=type=cache`), which BuildKit alone can."""

    async def build(self, request: BuildRequest, log: LogSink) -> BuiltImage:
        """Build, streaming the log. Cancelling the task really stops the build. Raises Permanent("build_failed").

        The facts of `build_failed`: `exit_code`, `step` (the failing instruction) and `line` (where the Dockerfile
        has it), each None where not known, and `message`.
        """


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image to run. `uri` is by digest (`registry/name@sha256:…`), or the local `sha256:…` with no registry."""

    uri: str
    repository: str
    pushed: bool


class Registry(Protocol):
    """Keeps images."""

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """Push under `repository:tag` and answer by digest; with no registry set, answer the local image."""


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """One image to build where the sources are not: of `repository` (`acme/api`) at `sha`, cloned from `source`.

    `buildspec` says how, and pushes it to `image_repository` (a name without the registry's host) as `tag`. Plain JSON.
    """

    job_id: str
    repository: str
    source: str
    sha: str
    buildspec: str
    image_repository: str
    tag: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The builder's own settings, as the environment gives them."""
    about: str = ""
    """What the application is, for people."""


@dataclass(frozen=True, slots=True)
class BuildPhase:
    """A phase of a build that is over, by the builder's own name; `message` says why it failed."""

    name: str
    succeeded: bool
    seconds: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class BuildNews:
    """What was not told before. Stored in one step with `mark` (plain JSON), nothing is told twice after a crash."""

    mark: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    phases: tuple[BuildPhase, ...] = ()


TellBuild = Callable[[BuildNews], Awaitable[None]]


class RemoteBuilder(Protocol):
    """Makes images on machines of somebody else, and leaves them in the registry."""

    async def build(self, order: RemoteOrder, tell: TellBuild, after: Mapping[str, Any]) -> PushedImage:
        """The image of the job's one build, told on from the mark `after`; one that began before is followed on.

        Cancelling leaves it running, for the next worker to follow: `stop` ends it. Raises Permanent; where the build
        itself failed, `phase` and `message` are among its facts.
        """

    async def stop(self, order: RemoteOrder) -> None:
        """Stop the job's build, if one began, and wait until it is over. Repeatable."""


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """One running copy of a service. Starting the same `name` twice gives the same instance."""

    name: str
    """Unique on the engine and safe for it: [a-z0-9][a-z0-9_.-]*."""
    image: str
    service: str
    job_id: str
    port: int
    """The port it listens on inside; also given to it as PORT."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: str | None = None
    memory_mb: int = 512
    cpus: float = 1.0
    pids: int = 256
    read_only: bool = False
    """Root file system read-only, with a writable /tmp."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """A running copy. `host`/`port` are where it answers from outside; None while it does not run."""

    id: str
    name: str
    running: bool
    host: str | None
    port: int | None
    exit_code: int | None = None
    out_of_memory: bool = False
    restarts: int = 0
    """How often the engine started it again by itself since it was started on purpose."""
    labels: Mapping[str, str] = field(default_factory=dict)


class Target(Protocol):
    """Where instances run."""

    name: str

    async def start(self, spec: InstanceSpec) -> Instance:
        """Create and start, or find what the same name already started. Raises Permanent("start_failed")."""

    async def wake(self, instance_id: str) -> Instance:
        """Start a stopped instance again. Its address may change. Raises Permanent("instance_gone")."""

    async def look(self, instance_id: str) -> Instance | None:
        """What it is now, by id or name; None when there is none."""

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Ask it to end, end it after `grace_s` seconds; keep it for a later `wake`. Repeatable."""

    async def remove(self, instance_id: str) -> None:
        """Stop it and forget it. Repeatable."""

    async def output(self, instance_id: str, lines: int) -> list[str]:
        """The last lines it wrote."""

    async def owned(self) -> list[Instance]:
        """Every instance this Shipmate made, running or not, with its labels (`shipmate.job`, `shipmate.service`)."""

    async def run_once(self, spec: InstanceSpec, log: LogSink) -> int:
        """Run to its end and remove it; answers the exit code. Cancelling ends it. For release commands."""

    async def remove_image(self, image: str) -> None:
        """Forget an image no release needs any more. Repeatable."""


@dataclass(frozen=True, slots=True)
class TrafficTarget:
    """One place a service's requests may go to."""

    id: str
    host: str
    port: int
    percent: int
    health: str | None = None
    """The path that answers when it can serve. An open port alone may be a forwarder's, with nobody behind it yet."""


@dataclass(frozen=True, slots=True)
class TrafficStats:
    """What was measured at one target: latencies in milliseconds, None when it answered no request."""

    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    in_flight: int

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if self.requests else None


class Traffic(Protocol):
    """Sends a service's requests to its targets. Every call is repeatable and durable before it returns."""

    async def ensure_service(self, service: str, hosts: Sequence[str] = ()) -> str:
        """Make the service known; answers its URL, the same for its whole life."""

    async def service_url(self, service: str) -> str | None:
        """Its URL, or None when it is not known."""

    async def targets(self, service: str) -> list[TrafficTarget]:
        """Where its requests may go now, with each share."""

    async def serving(self) -> frozenset[str]:
        """Ids of all targets, of whatever service, that are given requests now."""

    async def put_target(self, service: str, target: TrafficTarget) -> None:
        """Add a target, or change its address; `percent` applies to a new one only."""

    async def shift(self, service: str, percents: Mapping[str, int]) -> None:
        """Set the share of each named target at once; those not named get 0."""

    async def drain(self, service: str, target_id: str, timeout_s: float) -> None:
        """Wait until the target (at 0 percent) answers nothing any more, then end what is left."""

    async def remove_target(self, service: str, target_id: str) -> None: ...

    async def remove_service(self, service: str) -> None: ...

    async def stats(self, service: str, since: str | None = None) -> dict[str, TrafficStats]:
        """Per target id, since the mark named `since` (or the sliding window)."""

    async def mark(self, service: str, name: str) -> None:
        """Count from now under `name`; a name that is known keeps its first moment."""


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


class PartAction(enum.Enum):
    """What becomes of one thing that a service stands on. `ADOPT`: it is somebody else's, and stays as it is."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    ADOPT = "adopt"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One line of a plan: the part by its name and kind, what people know it by, and its id once it has one."""

    action: PartAction
    part: str
    kind: str
    title: str
    id: str = ""
    changes: str = ""
    """What a change gives it."""


PartTold = Callable[[PlannedPart], None]
"""Hears of each part when it is done; never blocks, never raises."""


class Ground(Protocol):
    """Makes what services stand on where it is missing: network, load balancer, cluster, roles."""

    async def planned(self, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
        """Every part, where something has to be done before a deployment; else none. Nothing is done.

        Raises Permanent("ecs_not_provisioned") where something is missing and may not be made unasked.
        """

    async def looked_at(self, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
        """Every part as it is now, with what `provide` would do."""

    async def provide(self, spec: RolloutSpec, told: PartTold) -> None:
        """Do it. Repeatable, also after a crash and by two at once."""

    async def doomed(self, spec: RolloutSpec, images: str | None) -> tuple[PlannedPart, ...]:
        """What `remove` would delete, in that order."""

    async def remove(self, spec: RolloutSpec, told: PartTold, images: str | None) -> None:
        """Delete what was made for this environment, its service first; with `images` that repository of images and
        the secrets too. Repeatable. What was given, or made by somebody else, stays."""


@dataclass(frozen=True, slots=True)
class RolloutEngine:
    """One way to run what was asked on a platform that rolls out by itself."""

    name: str
    builder: Builder
    registry: Registry
    rollouts: Rollouts
    forget_image: Callable[[str], Awaitable[None]]
    """Removes an image from where it was built, once it is in the registry or of no use."""
    pace: Pace = Pace()
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
