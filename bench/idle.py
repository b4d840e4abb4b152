"""How much memory the idle server takes, and how soon after its start it is ready.

Run: python -m bench.idle [--starts 5]. Each start is a real `serve` in a folder of its own: no file, no router there
yet, so that it makes both. Memory is the resident set of each process after a while without work; the server's is held
to the limit after one deployment too, when all that work needs is loaded. The costliest imports are told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figure import Figure, under
from bench.report import main
from bench.world import LOOK_S, new_folder, world
from bot.config import from_environment
from bot.demo.server import server_environment, serving
from bot.engines.router.client import RouterClient
from bot.sandbox.sandbox import Sandbox

BENCH = "idle"
MEMORY_LIMIT_MB = 100.0
START_LIMIT_S = 1.0
STARTS = 5
IDLE_S = 3.0
IMPORTS_TOLD = 8
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)")


@dataclass(frozen=True, slots=True)
class Idle:
    """Seconds until ready, and then resident megabytes of the server and of the router's two processes."""

    start_s: float
    server_mb: float
    supervisor_mb: float
    serving_mb: float


def measure(arguments: list[str]) -> list[Figure]:
    """Medians of several starts. Without Docker the server is measured before work only: CannotMeasure is raised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=STARTS)
    starts = [asyncio.run(_started()) for _ in range(parser.parse_args(arguments).starts)]
    print(f"starts: {', '.join(f'{one.start_s:.2f}' for one in starts)} s")
    print(f"router: supervisor {median(one.supervisor_mb for one in starts):.0f} MB", end=", ")
    print(f"serving process {median(one.serving_mb for one in starts):.0f} MB")
    print("costliest imports:", ", ".join(f"{name} {cost_ms:.0f} ms" for name, cost_ms in costliest_imports()))
    return [
        under(BENCH, "start to ready", median(one.start_s for one in starts), "s", START_LIMIT_S),
        under(BENCH, "server, idle since its start", median(one.server_mb for one in starts), "MB", MEMORY_LIMIT_MB),
        under(BENCH, "server, idle after a deployment", asyncio.run(_after_work_mb()), "MB", MEMORY_LIMIT_MB),
    ]


async def _started() -> Idle:
    """Start a server, leave it alone for a while, weigh it, end it and its router."""
    with new_folder() as folder:
        async with Sandbox(state_dir=folder / "github") as sandbox:
            environment = server_environment(folder, sandbox, owner=folder.name)
            router = RouterClient(from_environment(environment).router.socket)
            async with serving(environment, folder / "server.log", look_s=LOOK_S) as server:
                await asyncio.sleep(IDLE_S)
                status = await router.status()
                pids = (server.pid, status.supervisor_pid, status.pid)
                idle = Idle(server.start_s, *(resident_mb(pid) for pid in pids))
            await router.stop()
            return idle


async def _after_work_mb() -> float:
    async with world() as here:
        await asyncio.sleep(IDLE_S)
        return resident_mb(here.server.pid)


def resident_mb(pid: int) -> float:
    """Resident memory of a process (VmRSS of proc(5)), shared pages counted in full."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def costliest_imports() -> list[tuple[str, float]]:
    """The packages that cost most to import for `serve`, with what they alone import, in milliseconds."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import bot.app"], capture_output=True, text=True, check=True
    ).stderr
    costs: dict[str, float] = {}
    for own_us, _, _, module in _IMPORT.findall(told):
        package = module.partition(".")[0]
        costs[package] = costs.get(package, 0.0) + int(own_us) / 1000
    return sorted(costs.items(), key=lambda item: -item[1])[:IMPORTS_TOLD]


if __name__ == "__main__":
    main(measure)
