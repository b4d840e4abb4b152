"""An engine in memory that keeps every promise of `bot.ports`, for scenarios that are about GitHub and the rules.

What it builds and runs is told by a Dockerfile of its own small language: `RUN echo WORDS` writes a line, `RUN fail`
breaks the build, `RUN hang` never ends, `RUN wait` ends when it is told to, `RUN flood N` writes N lines;
`CMD serve WORDS` answers with the words, `CMD sick` answers 500, `CMD exit N` ends at once, `CMD fall` ends as soon as
it gets traffic, `CMD deaf` runs and listens nowhere. A CMD may be in exec form. `breaks` makes every line that holds
those words fail, which a generated Dockerfile needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bot.errors import Permanent
from bot.ports.engines import Engine
from bot.ports.images import BuildRequest, BuiltImage, LogSink, PushedImage
from bot.ports.running import Instance, InstanceSpec, TrafficStats, TrafficTarget

JOB, SERVICE = "shipmate.job", "shipmate.service"


def dockerfile(serves: str, *steps: str) -> str:
    """A Dockerfile of this engine that serves some words after some steps."""
    return "\n".join(["FROM scratch", *(f"RUN {step}" for step in steps), f"CMD serve {serves}", ""])


@dataclass
class Server:
    """Answers HTTP on a free port of this machine."""

    port: int
    listener: asyncio.Server

    def close(self) -> None:
        self.listener.close()


async def served(answer: object) -> Server:
    """A server that answers each request with what `answer()` gives: a status and words."""
    assert callable(answer)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            status, words = answer()
            head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(words)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + words.encode())
            await writer.drain()
        writer.close()

    listener = await asyncio.start_server(reply, "127.0.0.1", 0)
    return Server(int(listener.sockets[0].getsockname()[1]), listener)


@dataclass
class Copy:
    """One instance. `does` are the words of its image's CMD."""

    spec: InstanceSpec
    does: list[str]
    server: Server | None = None
    exit_code: int | None = None

    @property
    def running(self) -> bool:
        return self.server is not None

    def answer(self) -> tuple[int, str]:
        """What it says to a request."""
        return (500, "sick") if self.does[0] == "sick" else (200, " ".join(self.does[1:]))

    async def start(self) -> None:
        if self.does[0] == "exit":
            self.exit_code = int(self.does[1])
        elif self.server is None:
            self.server, self.exit_code = await served(self.answer), None
            if self.does[0] == "deaf":
                self.server.close()

    def stop(self, exit_code: int = 143) -> None:
        if self.server is not None:
            self.server.close()
            self.server, self.exit_code = None, exit_code

    def seen(self) -> Instance:
        """It as the engine tells it."""
        host, port = ("127.0.0.1", self.server.port) if self.server else (None, None)
        labels = {**self.spec.labels, JOB: self.spec.job_id, SERVICE: self.spec.service}
        return Instance(self.spec.name, self.spec.name, self.running, host, port, self.exit_code, labels=labels)


@dataclass
class Route:
    """One service of the traffic: its address, and where its requests go."""

    targets: dict[str, TrafficTarget] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    server: Server | None = None


@dataclass
class FakeEngine:
    """All that is built and runs here. Outlives the servers that use it, as a real engine does."""

    images: dict[str, str] = field(default_factory=dict)
    copies: dict[str, Copy] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    built: list[BuildRequest] = field(default_factory=list)
    breaks: str = ""
    """A line of a Dockerfile that holds these words fails."""
    stopped_builds: int = 0
    building: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a build hangs or waits."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it, and builds that wait go on."""
    figures: dict[str, TrafficStats] = field(default_factory=dict)
    """What the traffic says it measured of a version, by its own words; else what was answered is counted."""
    shifts: list[dict[str, int]] = field(default_factory=list)
    """Every change of shares, by the versions' own words."""

    def as_engine(self) -> Engine:
        """It as Shipmate holds it."""
        return Engine("docker", FakeBuilder(self), FakeRegistry(), FakeTarget(self), FakeTraffic(self))

    @property
    def running(self) -> list[str]:
        """What runs now, in its own words."""
        return sorted(" ".join(copy.does[1:]) for copy in self.copies.values() if copy.running)

    def live(self, service: str) -> tuple[int, str]:
        """What a service answers now."""
        route = self.routes[service]
        for target in route.targets.values():
            copy = self.copies.get(target.id)
            if target.percent and copy is not None and copy.running:
                route.answered[target.id] = route.answered.get(target.id, 0) + 1
                return copy.answer()
        return 503, "nothing serves"

    def close(self) -> None:
        """End everything."""
        for copy in self.copies.values():
            copy.stop()
        for route in self.routes.values():
            if route.server:
                route.server.close()


@dataclass
class FakeBuilder:
    """Reads the small language."""

    engine: FakeEngine

    async def mounts_caches(self) -> bool:
        return True

    async def build(self, request: BuildRequest, log: LogSink) -> BuiltImage:
        """Follow the steps."""
        self.engine.built.append(request)
        text = (request.context / request.dockerfile).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if self.engine.breaks and self.engine.breaks in line:
                message = f"`{line}` ended with exit code 1"
                raise Permanent("build_failed", exit_code=1, step=line, line=number, message=message)
            if line.startswith("RUN "):
                await self._step(number, line.split()[1:], log)
        image = "sha256:" + hashlib.sha256(f"{request.tag} {text}".encode()).hexdigest()
        self.engine.images[image] = text
        return BuiltImage(image, request.tag)

    async def _step(self, line: int, words: Sequence[str], log: LogSink) -> None:
        if words[0] == "fail":
            raise Permanent("build_failed", exit_code=1, step="RUN fail", line=line, message="RUN fail ended with 1")
        if words[0] == "echo":
            log(" ".join(words[1:]))
        if words[0] == "flood":
            for number in range(int(words[1])):
                log(f"line {number} " + "x" * 1000)
                if number % 1000 == 0:
                    await asyncio.sleep(0)
        if words[0] in {"hang", "wait"}:
            await self._stand(self.engine.go_on if words[0] == "wait" else asyncio.Event())

    async def _stand(self, until: asyncio.Event) -> None:
        self.engine.building.set()
        try:
            await until.wait()
        except asyncio.CancelledError:
            self.engine.stopped_builds += 1
            raise
        finally:
            self.engine.building.clear()


def _words(command: str) -> list[str]:
    """What a CMD says, in exec form or plain."""
    said = command.removeprefix("CMD ")
    return [str(word) for word in json.loads(said)] if said.startswith("[") else said.split()


class FakeRegistry:
    """No registry is set: images stay."""

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """The local image."""
        return PushedImage(image.id, repository, pushed=False)


@dataclass
class FakeTarget:
    """Runs copies as servers of this process."""

    engine: FakeEngine
    name: str = "docker"

    async def start(self, spec: InstanceSpec) -> Instance:
        """The same name gives the same copy."""
        if spec.name not in self.engine.copies:
            text = self.engine.images.get(spec.image)
            if text is None:
                raise Permanent("image_gone", image=spec.image)
            does = _words(next(line for line in text.splitlines() if line.startswith("CMD ")))
            self.engine.copies[spec.name] = Copy(spec, does)
        copy = self.engine.copies[spec.name]
        await copy.start()
        return copy.seen()

    async def wake(self, instance_id: str) -> Instance:
        """Start a stopped copy again, on another port."""
        copy = self.engine.copies.get(instance_id)
        if copy is None:
            raise Permanent("instance_gone", instance=instance_id)
        await copy.start()
        return copy.seen()

    async def look(self, instance_id: str) -> Instance | None:
        """None when there is none."""
        copy = self.engine.copies.get(instance_id)
        return copy.seen() if copy else None

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Keep it for a later wake."""
        if instance_id in self.engine.copies:
            self.engine.copies[instance_id].stop()

    async def remove(self, instance_id: str) -> None:
        """Stop and forget."""
        await self.stop(instance_id, 0)
        self.engine.copies.pop(instance_id, None)

    async def output(self, instance_id: str, lines: int) -> list[str]:
        """Its command and its environment, as a careless application would write them."""
        spec = self.engine.copies[instance_id].spec
        return [f"{name}={value}" for name, value in spec.env.items()][-lines:]

    async def owned(self) -> list[Instance]:
        """Every copy."""
        return [copy.seen() for copy in self.engine.copies.values()]

    async def run_once(self, spec: InstanceSpec, log: LogSink) -> int:
        """`false` ends with 1, `printenv` writes the environment."""
        if spec.command == "printenv":
            for name, value in spec.env.items():
                log(f"{name}={value}")
        return 1 if spec.command == "false" else 0

    async def remove_image(self, image: str) -> None:
        """Forget it."""
        self.engine.images.pop(image, None)


@dataclass
class FakeTraffic:
    """One address a service, which answers for the copy that has the traffic."""

    engine: FakeEngine

    async def ensure_service(self, service: str, hosts: Sequence[str] = ()) -> str:
        """Made once."""
        if service not in self.engine.routes:
            route = self.engine.routes[service] = Route()
            route.server = await served(lambda: self.engine.live(service))
        url = await self.service_url(service)
        assert url is not None
        return url

    async def service_url(self, service: str) -> str | None:
        """None when it is not known."""
        route = self.engine.routes.get(service)
        return f"http://127.0.0.1:{route.server.port}" if route and route.server else None

    async def targets(self, service: str) -> list[TrafficTarget]:
        """With their shares."""
        route = self.engine.routes.get(service)
        return list(route.targets.values()) if route else []

    async def serving(self) -> frozenset[str]:
        """Those with a share."""
        routes = self.engine.routes.values()
        return frozenset(one.id for route in routes for one in route.targets.values() if one.percent)

    async def put_target(self, service: str, target: TrafficTarget) -> None:
        """An old one keeps its share."""
        targets = self.engine.routes[service].targets
        percent = targets[target.id].percent if target.id in targets else target.percent
        targets[target.id] = TrafficTarget(target.id, target.host, target.port, percent, target.health)

    async def shift(self, service: str, percents: Mapping[str, int]) -> None:
        """All shares at once."""
        targets = self.engine.routes[service].targets
        for one in list(targets.values()):
            targets[one.id] = TrafficTarget(one.id, one.host, one.port, percents.get(one.id, 0), one.health)
        shown = {self._words(name): percent for name, percent in percents.items()}
        if self.engine.shifts[-1:] != [shown]:
            self.engine.shifts.append(shown)
        for name in percents:
            if self.engine.copies[name].does[0] == "fall":
                self.engine.copies[name].stop(1)

    async def drain(self, service: str, target_id: str, timeout_s: float) -> None:
        """Answers here are never under way."""

    async def remove_target(self, service: str, target_id: str) -> None:
        """Forget it."""
        route = self.engine.routes.get(service)
        if route:
            route.targets.pop(target_id, None)

    async def remove_service(self, service: str) -> None:
        """Forget it and its address."""
        route = self.engine.routes.pop(service, None)
        if route and route.server:
            route.server.close()

    async def stats(self, service: str, since: str | None = None) -> dict[str, TrafficStats]:
        """What the test says was measured, else counts only."""
        if service not in self.engine.routes:
            raise Permanent("unknown_service", service=service)
        answered = self.engine.routes[service].answered
        counted = {name: TrafficStats(answered.get(name, 0), 0, None, None, 0) for name in await self._names(service)}
        return {name: self.engine.figures.get(self._words(name), stats) for name, stats in counted.items()}

    async def mark(self, service: str, name: str) -> None:
        """Nothing is measured here."""

    def _words(self, name: str) -> str:
        copy = self.engine.copies.get(name)
        return " ".join(copy.does[1:]) if copy else name

    async def _names(self, service: str) -> list[str]:
        return [target.id for target in await self.targets(service)]
