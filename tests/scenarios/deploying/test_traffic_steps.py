"""Traffic that moves in steps: each is watched, and what is not as good as before gives way to it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model import EventType, Stage
from bot.ports.running import TrafficStats
from tests.fake_engine import dockerfile
from tests.scenarios.settings import CANARY, GOOD, SICK, WATCHED
from tests.world import World

SLOW = TrafficStats(500, 0, 90.0, 400.0, 0)


async def _blue(world: World, traffic: str) -> None:
    await world.push_files({"Dockerfile": dockerfile("blue"), ".shipmate.yml": WATCHED.replace("TRAFFIC", traffic)})
    await world.settle()
    world.engine.shifts.clear()


async def _green(world: World) -> str:
    sha = await world.push("green")
    await world.settle()
    return sha


async def _gates(world: World) -> list[dict[str, Any]]:
    """What the newest job's verdicts say."""
    story = await world.store.jobs.story((await world.jobs())[-1].id)
    return [dict(event.details) for event in story if "verdict" in event.details]


@pytest.mark.parametrize(
    ("traffic", "percents"),
    [
        (CANARY, [20, 100]),
        ("{strategy: linear, percent: 40, every: 0}", [40, 80, 100]),
        ("{strategy: all, bake: 1}", [100]),
    ],
)
async def test_traffic_moves_in_the_steps_that_are_set(world: World, traffic: str, percents: list[int]) -> None:
    await _blue(world, traffic)
    world.engine.figures = {"blue": GOOD, "green": GOOD}
    sha = await _green(world)
    assert [shares["green"] for shares in world.engine.shifts] == percents
    assert all(sum(shares.values()) == 100 for shares in world.engine.shifts)
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert world.engine.running == ["green"]


async def test_a_first_deployment_shares_with_nobody(world: World) -> None:
    world.engine.figures = {"blue": GOOD}
    files = {"Dockerfile": dockerfile("blue"), ".shipmate.yml": WATCHED.replace("TRAFFIC", CANARY)}
    await world.push_files(files)
    await world.settle()
    assert world.engine.shifts == [{"blue": 100}]


@pytest.mark.parametrize(
    ("green", "rule", "told"),
    [(SICK, "error_percent", "10 % of the requests failed, at most 1 % may"), (SLOW, "p95_ms", "within 400 ms")],
)
@pytest.mark.parametrize("traffic", [CANARY, "{bake: 1}"])
async def test_a_version_that_is_worse_gives_way_to_the_old_one(
    world: World, traffic: str, green: TrafficStats, rule: str, told: str
) -> None:
    await _blue(world, traffic)
    world.engine.figures = {"blue": GOOD, "green": green}
    sha = await _green(world)
    assert (await world.states())[-1] == "ROLLED_BACK"
    assert told in (world.check_run(sha).summary or "")
    assert (await _gates(world))[-1]["rule"] == rule
    assert world.engine.shifts[-1] == {"blue": 100}
    assert await world.serves() == "blue"
    assert world.engine.running == ["blue"]


async def test_what_decided_stands_in_the_event_with_its_limits(world: World) -> None:
    await _blue(world, CANARY)
    world.engine.figures = {"blue": GOOD, "green": SICK}
    await _green(world)
    (gate,) = await _gates(world)
    assert gate["green"] == {"requests": 500, "errorPercent": 10.0, "p50Ms": 5.0, "p95Ms": 20.0}
    assert gate["limits"] == {"requests": 10, "errorPercent": 1.0, "p95Ms": 70.0}
    assert (gate["verdict"], gate["source"], gate["percent"]) == ("fail", "traffic", 20)
    assert (await world.jobs())[-1].result["failure"]["value"] == 10.0


async def test_what_decided_is_shown_where_the_job_is(world: World) -> None:
    await _blue(world, CANARY)
    world.engine.figures = {"blue": GOOD, "green": SICK}
    sha = await _green(world)
    shown = world.check_run(sha).summary or ""
    assert "- ❌ Green does not keep to its limits at 20 % (traffic): 10 % of the requests failed" in shown
    assert "green: 500 × · 10 % · p50 5 ms · p95 20 ms; blue: 500 × · 0 % · p50 5 ms · p95 20 ms" in shown


async def test_no_traffic_is_neither_good_nor_bad_and_our_own_requests_fill_in(world: World) -> None:
    await _blue(world, CANARY)
    sha = await _green(world)
    first, second = await _gates(world)
    assert (first["verdict"], first["source"]) == ("inconclusive", "traffic")
    assert (second["verdict"], second["source"]) == ("pass", "probes")
    assert second["green"]["requests"] == second["blue"]["requests"] == 10
    assert world.checks(sha) == ["shipmate / deploy: success"]


async def test_a_version_that_ends_while_it_is_watched_gives_way(world: World) -> None:
    await _blue(world, "{strategy: canary, percent: 20, every: 1, bake: 1}")
    sha = await world.push_files({"Dockerfile": "FROM scratch\nCMD fall\n"})
    await world.settle()
    assert (await world.states())[-1] == "ROLLED_BACK"
    assert "the old one serves again" in (world.check_run(sha).summary or "")
    assert await world.serves() == "blue"


async def test_a_share_is_asked_for_with_the_command(world: World) -> None:
    await _blue(world, "{strategy: all}")
    pull = await world.open_pull("green")
    await world.comment(pull.number, "/deploy --canary 25%")
    await world.until(lambda: world.engine.shifts, within_s=10)
    assert world.engine.shifts == [{"blue": 75, "green": 25}]
    await world.say(pull.number, "/cancel")
    assert world.engine.shifts[-1] == {"blue": 100}
    assert world.engine.running == ["blue"]


async def test_time_that_is_waited_on_purpose_counts_against_no_limit(world: World) -> None:
    await _blue(world, "{strategy: canary, every: 10m, bake: 5m}")
    pull = await world.open_pull("green")
    await world.comment(pull.number, "/deploy")
    await world.until(lambda: world.engine.shifts)
    (*_, job) = await world.jobs()
    assert job.spec["waits_s"] == 900
    await world.say(pull.number, "/cancel")


@pytest.mark.parametrize("step", range(20, 66, 8))
async def test_a_server_that_dies_between_two_steps_is_followed_to_the_same_end(world: World, step: int) -> None:
    await _blue(world, CANARY)
    world.engine.figures = {"blue": GOOD, "green": GOOD}
    world.life.fatal_step = world.life.steps + step
    sha = await world.push("green")
    await world.restart_when_it_dies()
    await world.settle()
    assert [shares["green"] for shares in world.engine.shifts] == [20, 100]
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert await world.serves() == "green"
    assert world.engine.running == ["green"]


@pytest.mark.parametrize("step", range(32, 66, 11))
async def test_a_server_that_dies_while_it_gives_way_still_says_that_it_rolled_back(world: World, step: int) -> None:
    await _blue(world, CANARY)
    world.engine.figures = {"blue": GOOD, "green": SICK}
    world.life.fatal_step = world.life.steps + step
    sha = await world.push("green")
    await world.restart_when_it_dies()
    await world.settle()
    assert (await world.states())[-1] == "ROLLED_BACK"
    assert world.engine.shifts == [{"blue": 80, "green": 20}, {"blue": 100}]
    assert world.checks(sha) == ["shipmate / deploy: failure"]
    assert world.engine.running == ["blue"]
    restored = [e for e in await world.store.jobs.story((await world.jobs())[-1].id) if e.stage is Stage.SWITCH]
    assert EventType.TRAFFIC_SHIFTED in {event.type for event in restored}
