"""What Shipmate adds to a deployment on ECS, in time, calls and memory; AWS is emulated, its waiting is real time.

Run: python -m bench.aws [--many 50]. The server is a real process with a Docker engine; AWS and GitHub are played in
two others. All environments of a repository are deployed at once, then one of them once more. A start of tasks, a bake
and a clean-up take minutes there as they do at AWS; what AWS took by itself, without the pauses it waits for us in, is
told by the emulator. The rest of the time from stage 3 to the job's end is ours: calls, checks, and looks that come
late. The build is left out. Processor time and peak memory are those of the whole server while all are under way.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
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
END_LIMIT_S = 600.0
ALONE = "e00"
"""The environment that is deployed before the clock starts: the commit is built for it, and for no other again."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one deployment from stage 3 to its end, and those of them that ECS took by itself."""

    whole_s: float
    own_s: float

    @property
    def ours_percent(self) -> float:
        """The share that is ours."""
        return 100 * (self.whole_s - self.own_s) / self.whole_s


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many at once: each first deployment, calls of one, processor seconds a second, and peak megabytes."""

    took: Sequence[Took]
    calls: float
    cores: float
    peak_mb: float


def measure(arguments: list[str]) -> list[Figure]:
    """Overhead, calls, memory and processor time against their limits. Raises CannotMeasure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=MANY)
    many = parser.parse_args(arguments).many
    crowd, update, calls = asyncio.run(_measured(many))
    ours = sorted(one.ours_percent for one in crowd.took)
    print(f"{many} at once: overhead {ours[0]:.2f} to {ours[-1]:.2f} %, whole {crowd.took[0].whole_s:.0f} s")
    print(f"the update: {update.whole_s:.1f} s, of which ECS {update.own_s:.1f} s")
    return [
        under(BENCH, f"overhead of a first deployment, {many} at once", median(ours), "%", OVERHEAD_LIMIT_PERCENT),
        under(BENCH, "overhead of an update", update.ours_percent, "%", OVERHEAD_LIMIT_PERCENT),
        at_most(BENCH, "calls of a first deployment", crowd.calls, "", "limit", CALLS_OF_A_FIRST, most=1),
        at_most(BENCH, "calls of an update", calls, "", "limit", CALLS_OF_AN_UPDATE, most=1),
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

    def took(self, environment: str) -> Took:
        """The newest deployment of an environment."""
        rows = self.ask(
            """SELECT j.ended_us - e.at_us FROM jobs j JOIN events e ON e.job = j.number
               WHERE j.environment = ? AND e.type = 'StageStarted' AND e.stage = 3 ORDER BY j.number DESC LIMIT 1""",
            environment,
        )
        service = f"shipmate-{self.github.repository(REPO).id}-{environment}"
        return Took(int(str(rows[0][0])) / 1e6, self.ocean.emulator.took()[service][-1])

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid


async def _measured(many: int) -> tuple[Crowd, Took, int]:
    async with _fleet(many) as fleet:
        emulator = fleet.ocean.emulator
        emulator.goes_wrong()
        await fleet.push("first")
        await fleet.over()
        registry = sum(call.startswith("ecr.") for call in emulator.calls())
        emulator.is_like(minute_s=60.0, lasts_s={"SCALE_UP": STARTS_S, "CLEAN_UP": CLEANS_UP_S})
        emulator.has_image(emulator.started()[0], "serve first")
        together = await _together(fleet, registry)
        emulator.goes_wrong()
        await fleet.push("second")
        await fleet.over()
        return together, fleet.took(ALONE), len(emulator.calls())


async def _together(fleet: Fleet, registry: int) -> Crowd:
    """Every environment at once. `registry`: calls each would have made for an image that nobody had sent before."""
    emulator, names = fleet.ocean.emulator, list(fleet.networks)
    issue = await fleet.github.open_issue(REPO)
    emulator.goes_wrong()
    began_s, busy_s = time.monotonic(), _processor_s(fleet.pid)
    await fleet.github.comment(REPO, issue, f"/deploy main to {','.join(names)}")
    await fleet.over()
    cores = (_processor_s(fleet.pid) - busy_s) / (time.monotonic() - began_s)
    calls = Counter(emulator.calls())
    print("calls of one:", ", ".join(f"{name} {count / len(names):.1f}" for name, count in calls.most_common(8)))
    firsts = [fleet.took(name) for name in names if name != ALONE]
    return Crowd(firsts, calls.total() / len(names) + registry, cores, _peak_mb(fleet.pid))


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
