"""What GitHub shows of an environment over several deployments."""

from __future__ import annotations

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
