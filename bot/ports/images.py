"""What the work asks of where images come from: the tree they are built of, builders near and far, and a registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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
    asked_at_s: float | None = None
    """When the job was asked for, in seconds since 1970: its build is no older. None in orders kept without it."""


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
