"""What the figures for Prometheus say of the jobs and deliveries of a running server."""

from __future__ import annotations

import pytest

from bot import tenure
from tests.world import World


def told(world: World) -> str:
    return world.house.metrics.text().decode()


async def test_the_gauge_of_running_jobs_forgets_one_whose_lease_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "HEARTBEAT_S", 0.05)
    await world.push("one", "wait")
    await world.until_it_builds()
    assert "shipmate_jobs_running 1.0" in told(world)
    taken = "UPDATE jobs SET fence = fence + 1, lease_owner = 'elsewhere:1:1'"
    await world.house.opened.database.write(lambda connection: connection.execute(taken).rowcount)
    await world.until(lambda: "shipmate_jobs_running 0.0" in told(world))


async def test_deliveries_are_counted_by_whether_they_acted(world: World) -> None:
    await world.open_pull("two")
    assert 'shipmate_deliveries_total{acted="true"}' in told(world)
