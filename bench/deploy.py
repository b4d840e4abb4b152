"""What a deployment adds to the same by hand: from the webhook to the green check run, beside build, run and checks.

Run: python -m bench.deploy [--pairs 9]. A small application with a warm build cache; each pair deploys a new version by
a push, and builds, runs and checks the same version over the engine's API, in changing order, on the same engine. The
difference within pairs is held to a limit of one second. Where the server's time goes is read from the job's events.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.byhand import ByHand, deploy_by_hand
from bench.figure import Figure, under
from bench.report import main
from bench.world import SAMPLE, World, world
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.ship import CHECK_EVERY_S
from bot.model import EventType, Job
from bot.store.jobs import JobFilter
from storage.opened import OpenStore, open_store

BENCH = "deploy"
LIMIT_S = 1.0
PAIRS = 9


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment: seconds from the webhook to its end at GitHub, and of each part, by name."""

    total_s: float
    parts_s: Mapping[str, float]


def measure(arguments: list[str]) -> list[Figure]:
    """The median difference is held to the limit. Raises CannotMeasure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    pairs = asyncio.run(_pairs(parser.parse_args(arguments).pairs))
    _print(pairs)
    added_s = median(ours.total_s - theirs.total_s for ours, theirs in pairs)
    at_once_s = median(ours.total_s - theirs.total_s + theirs.checks_after_s for ours, theirs in pairs)
    ours_s, theirs_s = (median(one.total_s for one in side) for side in zip(*pairs, strict=True))
    print(f"median: a deployment {ours_s:.2f} s, by hand {theirs_s:.2f} s, ratio {ours_s / theirs_s:.2f}")
    return [
        under(BENCH, "added to build + run + the same checks", added_s, "s", LIMIT_S),
        under(BENCH, "the same, by hand without checks after the switch", at_once_s, "s", LIMIT_S),
    ]


async def _pairs(count: int) -> list[tuple[Deployed, ByHand]]:
    async with world() as here:
        opened = await open_store(here.settings.database_url)
        address = EngineAddress(here.settings.docker_host) if here.settings.docker_host else None
        api = EngineApi(address)
        try:
            # The first pair warms what is warm in a server that has run for a while.
            return [await _pair(here, opened, api, number) for number in range(count + 1)][1:]
        finally:
            await api.close()
            await opened.close()


async def _pair(here: World, opened: OpenStore, api: EngineApi, number: int) -> tuple[Deployed, ByHand]:
    if number % 2:
        ours = await _deployed(here, opened, f"{number}.0")
        return ours, await _by_hand(here, opened, api, f"{number}.1")
    theirs = await _by_hand(here, opened, api, f"{number}.1")
    return await _deployed(here, opened, f"{number}.0"), theirs


async def _deployed(here: World, opened: OpenStore, version: str) -> Deployed:
    pushed = await here.push(version)
    ended_at = await here.ended(pushed.sha)
    job = await _newest(opened)
    while job.ended_at is None:
        await asyncio.sleep(0.01)
        job = await _newest(opened)
    return Deployed(ended_at - pushed.sent_at, await _parts(opened, job, pushed.sent_at, ended_at))


async def _parts(opened: OpenStore, job: Job, sent_at: float, ended_at: float) -> dict[str, float]:
    """Seconds from the webhook to the first stage, of each stage, and from the last to the end at GitHub."""
    story = await opened.store.jobs.story(job.id)
    started = [event.at.timestamp() for event in story if event.type is EventType.STAGE_STARTED]
    finished = [event for event in story if event.type is EventType.STAGE_FINISHED]
    parts = {"webhook to the first stage": started[0] - sent_at}
    for event, next_at in zip(finished, [*started[1:], finished[-1].at.timestamp()], strict=True):
        assert event.stage is not None
        parts[f"stage {int(event.stage)} {event.stage.name.lower()}"] = next_at - started[int(event.stage) - 1]
    parts["the last stage to GitHub"] = ended_at - finished[-1].at.timestamp()
    return parts


async def _newest(opened: OpenStore) -> Job:
    [job] = await opened.store.jobs.find(JobFilter(limit=1))
    return job


async def _by_hand(here: World, opened: OpenStore, api: EngineApi, version: str) -> ByHand:
    settings = Plan.from_json((await _newest(opened)).spec).environment
    context = here.settings.workdir / "by-hand"
    _fill(context, version)
    build_args = {"REGISTRY": here.settings.base_registry} if here.settings.base_registry else {}
    return await deploy_by_hand(api, context, settings, CHECK_EVERY_S, build_args)


def _fill(context: Path, version: str) -> None:
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(SAMPLE, context)
    (context / "VERSION").write_text(f"{version}\n")


def _print(pairs: Sequence[tuple[Deployed, ByHand]]) -> None:
    """Medians: where the time of either side goes."""
    for side, all_parts in (("deployment", [ours.parts_s for ours, _ in pairs]), ("by hand", _steps(pairs))):
        for name in all_parts[0]:
            print(f"  {side:12} {name:28} {median(parts[name] for parts in all_parts) * 1000:7.0f} ms")


def _steps(pairs: Sequence[tuple[Deployed, ByHand]]) -> list[Mapping[str, float]]:
    return [{name[:-2].replace("_", " "): value for name, value in asdict(theirs).items()} for _, theirs in pairs]


if __name__ == "__main__":
    main(measure)
