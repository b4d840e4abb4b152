"""What a service stands on is planned, made, found again and deleted, once, whatever happens on the way."""

from __future__ import annotations

from aws.clients import AwsClients
from bot.ports import PartAction
from tests.aws.ground import Ground


async def test_a_plan_of_nothing_makes_everything_and_changes_nothing(clients: AwsClients) -> None:
    ground = Ground(clients)
    steps = await ground.places.planned(ground.spec())
    assert {step.action for step in steps} == {PartAction.CREATE}
    await ground.provide()
    fresh = Ground(clients, ground.service)
    clients.calls.clear()
    await fresh.places.remove(fresh.spec(), fresh.told.append, None)
    assert not await fresh.places.doomed(fresh.spec(), None)
