"""A gate that GitHub does not answer waits as long as GitHub asks: the job goes on then, and does not fail."""

from __future__ import annotations

import pytest

from bot.clock import utc_now
from bot.composition.desks import records_of
from bot.errors import Transient
from bot.gates.gate import Gate
from bot.jobs.deploy.plan import Plan
from tests.world import World


async def test_a_limit_that_was_reached_is_waited_out_for_as_long_as_it_lasts(world: World) -> None:
    pull = await world.open_pull("one")
    await world.say(pull.number, "/deploy")
    (job,) = await world.jobs()
    world.github.faults.add("secondary_limit", method="GET", path=r"/permission$", seconds=9)
    gate = Gate(world.house.github, records_of(world.store), utc_now)
    with pytest.raises(Transient) as passing:
        await gate.recheck(job, Plan.from_json(job.spec))
    assert passing.value.retry_after_s == 9
