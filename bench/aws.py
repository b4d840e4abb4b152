"""What Shipmate adds to a deployment on ECS, in time, calls and memory; AWS is emulated, its waiting is real time.

Run: python -m bench.aws [--many 50]. The server is a real process with a Docker engine; AWS and GitHub are played in
two others. One environment gets a first version and an update, alone; then all environments of the repository are
deployed at once. A start of tasks, a bake and a clean-up take minutes there as they do at AWS; what AWS took by itself,
without the pauses it waits for us in, is told by the emulator. The rest of the time from stage 3 to the job's end is
ours: calls, checks, and looks that come late. The build is left out. Processor time and peak memory are those of the
whole server while all are under way; how long each takes then is the emulator's affair, which is one process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aws.clients import AwsAccess, AwsClients, Keys
from bench.figure import CannotMeasure, Figure, at_most, under
from bench.report import main
from bot.engines.docker.api import EngineApi
from bot.engines.standin.bases import make_base
from bot.errors import ShipmateError
from tests.aws.emulator.handle import Emulator
from tests.aws.network import CONTAINER_PORT, Network, lay_out
from tests.aws.real_harbour import REGION, Ocean, RealHarbour
from tests.aws.registry import NO_REGISTRY, PROGRAM, DataPlane
from tests.engines.docker.conftest import BASE
from tests.real_world import REPO

BENCH = "aws"
MANY = 50
"""As many environments as a repository may have."""
OVERHEAD_LIMIT_PERCENT = 3.0
CALLS_OF_A_FIRST, CALLS_OF_AN_UPDATE = 120, 40
MEMORY_LIMIT_MB = 300.0
STARTS_S, BAKES_MINUTES, CLEANS_UP_S = 60.0, 2, 45.0
CROWD_STARTS_S, CROWD_CLEANS_UP_S = 30.0, 10.0
END_LIMIT_S = 600.0
GATE_SLACK_MS = 10_000
"""All services answer from this one machine: how soon they do, while all are deployed at once, says nothing."""
ALONE = "e00"
"""The environment that is deployed alone first; what is built for it is built for no other again."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one deployment from stage 3 to its end, those of them that ECS took by itself, and calls."""

    whole_s: float
    own_s: float
    calls: int

    @property
    def ours_percent(self) -> float:
        """The share that is ours."""
        return 100 * (self.whole_s - self.own_s) / self.whole_s

    def __str__(self) -> str:
        return f"{self.whole_s:.1f} s, of which ECS {self.own_s:.1f} s, {self.calls} calls"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many at once: processor seconds of the server a second, and its peak megabytes."""

    cores: float
    peak_mb: float


def measure(arguments: list[str]) -> list[Figure]:
    """Overhead, calls, memory and processor time against their limits. Raises CannotMeasure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=MANY)
    many = parser.parse_args(arguments).many
    first, update, crowd = asyncio.run(_measured(many))
    return [
        under(BENCH, "overhead of a first deployment", first.ours_percent, "%", OVERHEAD_LIMIT_PERCENT),
        under(BENCH, "overhead of an update", update.ours_percent, "%", OVERHEAD_LIMIT_PERCENT),
        at_most(BENCH, "calls of a first deployment", first.calls, "", "limit", CALLS_OF_A_FIRST, most=1),
        at_most(BENCH, "calls of an update", update.calls, "", "limit", CALLS_OF_AN_UPDATE, most=1),
        under(BENCH, f"server's peak memory, {many} at once", crowd.peak_mb, "MB", MEMORY_LIMIT_MB),
        under(BENCH, f"processors used, {many} at once", crowd.cores, "cores", 1.0),
    ]


class Fleet(RealHarbour):
    """A repository with many environments, each a service on ECS of its own."""

    def __init__(self, folder: Path, engine: EngineApi, ocean: Ocean, networks: dict[str, Network]) -> None:
        super().__init__(folder, engine, ocean)
        self.networks = networks

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "SHIPMATE_CONCURRENCY": str(len(self.networks) + 1)}

    def _settings(self) -> str:
        settings = {name: self._of(network) for name, network in self.networks.items()}
        settings[ALONE]["branch"] = "main"
        return yaml.safe_dump({"environments": settings})

    def _of(self, network: Network) -> dict[str, Any]:
        return {
            "target": "ecs",
            "port": CONTAINER_PORT,
            "env": {"PORT": str(CONTAINER_PORT)},
            "traffic": {"bake": f"{BAKES_MINUTES}m"},
            "gate": {"p95_slack_ms": GATE_SLACK_MS},
            "ecs": {**network.place(), "family": network.name, "desired_count": 1},
        }

    async def over(self) -> None:
        """Wait until every deployment that was asked for is over. Raises RuntimeError for one that failed."""
        await self.github.settle()
        await self.until(lambda: self._left() == 0, END_LIMIT_S, every_s=0.5)
        failed = self.ask("SELECT environment, state, error_message FROM jobs WHERE state != 'COMPLETED'")
        if failed:
            raise RuntimeError(f"not every deployment went well: {failed[:3]}")

    def _left(self) -> int:
        """Deliveries that were not read yet, and jobs that are not over."""
        rows = self.ask(
            """SELECT (SELECT count(*) FROM deliveries WHERE outcome IS NULL)
                    + (SELECT count(*) FROM jobs WHERE ended_us IS NULL)"""
        )
        return int(str(rows[0][0]))

    async def alone(self, version: str) -> Took:
        """Push a version to the environment that is deployed alone, and wait for its end."""
        emulator = self.ocean.emulator
        emulator.is_like(minute_s=60.0, lasts_s={"SCALE_UP": STARTS_S, "CLEAN_UP": CLEANS_UP_S})
        emulator.goes_wrong()
        await self.push(version)
        await self.over()
        rows = self.ask(
            """SELECT j.ended_us - e.at_us FROM jobs j JOIN events e ON e.job = j.number
               WHERE e.type = 'StageStarted' AND e.stage = 3 ORDER BY j.number DESC LIMIT 1"""
        )
        service = f"shipmate-{self.github.repository(REPO).id}-{ALONE}"
        return Took(int(str(rows[0][0])) / 1e6, emulator.took()[service][-1], len(emulator.calls()))

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid


async def _measured(many: int) -> tuple[Took, Took, Crowd]:
    async with _fleet(many) as fleet:
        first, update = await fleet.alone("first"), await fleet.alone("second")
        print(f"a first deployment: {first}; an update: {update}", flush=True)
        return first, update, await _together(fleet)


async def _together(fleet: Fleet) -> Crowd:
    """Every environment at once, by one comment; tasks of an image that is known are small processes."""
    emulator = fleet.ocean.emulator
    emulator.is_like(lasts_s={"SCALE_UP": CROWD_STARTS_S, "CLEAN_UP": CROWD_CLEANS_UP_S})
    emulator.has_image(emulator.started()[-1], "serve second")
    issue = await fleet.github.open_issue(REPO)
    began_s, busy_s = time.monotonic(), _processor_s(fleet.pid)
    await fleet.github.comment(REPO, issue, f"/deploy main to {','.join(fleet.networks)}")
    await fleet.over()
    cores = (_processor_s(fleet.pid) - busy_s) / (time.monotonic() - began_s)
    return Crowd(cores, _peak_mb(fleet.pid))


@asynccontextmanager
async def _fleet(many: int) -> AsyncIterator[Fleet]:
    """The server with all that it deploys to, gone at the end. Raises CannotMeasure."""
    if shutil.which(PROGRAM) is None:
        raise CannotMeasure(NO_REGISTRY)
    async with AsyncExitStack() as stack:
        engine = EngineApi()
        stack.push_async_callback(engine.close)
        try:
            await make_base(engine, "python", [BASE])
        except ShipmateError as error:
            raise CannotMeasure(f"No Docker engine can be used ({error}): install and start Docker.") from error
        images = stack.enter_context(DataPlane())
        emulator = stack.enter_context(Emulator())
        clients = AwsClients(AwsAccess(REGION, emulator.url, _keys))
        stack.push_async_callback(clients.close)
        networks = {f"e{number:02}": await lay_out(clients) for number in range(many)}
        folder = Path(tempfile.mkdtemp(prefix="bench"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        ocean = Ocean(emulator, clients, networks[ALONE], images.host)
        fleet = await stack.enter_async_context(Fleet(folder, engine, ocean, networks))
        fleet.github.limits.settings.secondary = False
        yield fleet


async def _keys() -> Keys:
    return Keys("AKIAEXAMPLE", "secret")


def _processor_s(pid: int) -> float:
    """Processor time a process has used (utime and stime of proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_mb(pid: int) -> float:
    """The most memory that was ever resident of a process (VmHWM of proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(measure)
