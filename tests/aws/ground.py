"""An environment of its own name in the emulated account, whose ground is planned, made and deleted."""

from __future__ import annotations

import uuid
from typing import Any

from aws.clients import AwsClients
from aws.provision.places import ProvisionedPlaces
from aws.provision.site import Waits
from bot.ports import PlannedPart, RolloutSpec

QUICK = Waits(every_s=0.01, limit_s=5.0, first_pause_s=0.01)


class Ground:
    """One environment. `told` is what was said to be done so far."""

    def __init__(self, clients: AwsClients, service: str = "", **ecs: Any) -> None:
        self.clients = clients
        self.service = service or f"shipmate-{uuid.uuid4().hex[:8]}-production"
        self.ecs = ecs
        self.places = ProvisionedPlaces(clients, "ground", waits=QUICK)
        self.told: list[PlannedPart] = []

    def spec(self, **changed: Any) -> RolloutSpec:
        """As a deployment of it has it."""
        given = {
            "service": self.service,
            "repository": "acme/api",
            "environment": "production",
            "job_id": "dep_abcdefghij",
            "image": "image",
            "port": 8000,
            "health": "/healthz",
            "place": {"provision": True, "port": 8080, "test_port": 8081, **self.ecs},
            **changed,
        }
        return RolloutSpec(**given)

    async def provide(self, **changed: Any) -> None:
        """Make it."""
        await self.places.provide(self.spec(**changed), self.told.append)
