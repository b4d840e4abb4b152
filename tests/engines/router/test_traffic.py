"""The router through the eyes of a deployment: a real router, real targets, the port's own words."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bot.engines.router.client import RouterClient
from bot.engines.traffic import RouterTraffic
from bot.errors import Permanent, Transient
from bot.ports.running import TrafficTarget
from tests.engines.router.world import RouterWorld

SERVICE = "7/production"


@pytest.fixture
async def traffic(world: RouterWorld) -> RouterTraffic:
    return RouterTraffic(await world.start())


async def body(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return await reply.text()


async def test_a_deployment_moves_its_traffic_from_blue_to_green(world: RouterWorld, traffic: RouterTraffic) -> None:
    blue, green = await world.named_target("blue"), await world.named_target("green")
    url = await traffic.ensure_service(SERVICE)
    assert await traffic.ensure_service(SERVICE) == url == await traffic.service_url(SERVICE)
    await traffic.put_target(SERVICE, TrafficTarget("blue", "127.0.0.1", blue, 100))
    await traffic.put_target(SERVICE, TrafficTarget("green", "127.0.0.1", green, 0))
    assert "blue" in await body(url)
    await traffic.mark(SERVICE, "switch")
    await traffic.shift(SERVICE, {"green": 100})
    assert {one.id: one.percent for one in await traffic.targets(SERVICE)} == {"blue": 0, "green": 100}
    assert "green" in await body(url)
    stats = await traffic.stats(SERVICE, "switch")
    assert (stats["green"].requests, stats["green"].errors, stats["blue"].requests) == (1, 0, 0)
    assert (await traffic.stats(SERVICE))["blue"].requests == 1
    await traffic.drain(SERVICE, "blue", 5)
    await traffic.remove_target(SERVICE, "blue")
    assert [one.id for one in await traffic.targets(SERVICE)] == ["green"]


async def test_a_target_that_moved_keeps_its_share(world: RouterWorld, traffic: RouterTraffic) -> None:
    await traffic.ensure_service(SERVICE)
    for port in (await world.named_target("one"), await world.named_target("two")):
        await traffic.put_target(SERVICE, TrafficTarget("blue", "127.0.0.1", port, 100))
        await traffic.shift(SERVICE, {"blue": 100})
        await traffic.put_target(SERVICE, TrafficTarget("blue", "127.0.0.1", port, 0))
    assert [(one.port, one.percent) for one in await traffic.targets(SERVICE)] == [(port, 100)]


async def test_what_is_not_known_has_no_targets_and_needs_no_tidying(traffic: RouterTraffic) -> None:
    assert await traffic.service_url(SERVICE) is None
    assert await traffic.targets(SERVICE) == []
    await traffic.drain(SERVICE, "blue", 1)
    await traffic.remove_target(SERVICE, "blue")
    await traffic.remove_service(SERVICE)
    with pytest.raises(Permanent, match="unknown_service"):
        await traffic.stats(SERVICE)


async def test_what_was_answered_well_is_no_error(world: RouterWorld, traffic: RouterTraffic) -> None:
    url = await traffic.ensure_service(SERVICE)
    await traffic.put_target(SERVICE, TrafficTarget("blue", "127.0.0.1", await world.named_target("blue"), 100))
    await traffic.shift(SERVICE, {"blue": 100})
    await body(url)
    stats = (await traffic.stats(SERVICE))["blue"]
    assert stats.error_rate == 0.0
    assert stats.p50_ms is not None


async def test_a_router_that_is_not_there_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="traffic_unavailable"):
        await RouterTraffic(RouterClient(tmp_path / "none.sock")).targets(SERVICE)
