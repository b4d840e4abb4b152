"""What GitHub shows of an environment over several deployments."""

from __future__ import annotations

from bot.store.releases import KEPT_RELEASES
from tests.world import World


async def test_only_the_newest_deployment_of_production_is_shown_as_active(world: World) -> None:
    await world.push("one")
    await world.settle()
    await world.push("two")
    await world.settle()
    await world.push("three")
    await world.settle()
    assert world.told("production") == ["inactive", "inactive", "success"]
    assert await world.serves() == "three"


async def test_a_failed_deployment_leaves_the_one_before_it_active(world: World) -> None:
    await world.push("one")
    await world.settle()
    await world.push("two", "fail")
    await world.settle()
    assert world.told("production") == ["success", "failure"]
    assert await world.serves() == "one"


async def test_only_the_last_five_releases_are_kept_to_go_back_to(world: World) -> None:
    for number in range(8):
        await world.push(f"version {number}")
        await world.settle()
    await world.make_the_rounds()
    assert len(world.engine.copies) == KEPT_RELEASES
    assert len(world.engine.images) == KEPT_RELEASES
    assert await world.serves() == "version 7"
