"""An environment of its own name in the emulated account, whose ground is planned, made, counted and deleted."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aws import tags
from aws.clients import AwsClients
from aws.provision.places import ProvisionedPlaces
from aws.provision.site import Waits
from aws.provision.wish import Wish, wish_of
from bot.ports.ground import PartAction, PlannedPart
from bot.ports.rollouts import RolloutSpec

OWNER = "ground"
QUICK = Waits(every_s=0.01, limit_s=5.0, first_pause_s=0.01)
ONE_OF_EACH = Counter(
    Vpcs=1, InternetGateways=1, Subnets=2, SecurityGroups=2, LoadBalancers=1, TargetGroups=2, Listeners=2, Rules=2
)
"""What AWS makes as often as it is asked for, or nearly."""
MOST_BALANCERS = 400
"""On one page; the emulator, which other tests fill, puts 50 there unless asked."""


class Ground:
    """One environment. `told` is what was said to be done so far."""

    def __init__(self, clients: AwsClients, service: str = "", owner: str = OWNER, **ecs: Any) -> None:
        self.clients, self.owner = clients, owner
        self.service = service or f"shipmate-{uuid.uuid4().hex[:8]}-production"
        self.ecs = ecs
        self.places = ProvisionedPlaces(clients, owner, waits=QUICK)
        self.told: list[PlannedPart] = []

    def another(self, clients: AwsClients | None = None, **ecs: Any) -> Ground:
        """The same environment, as another process sees it, with these settings instead."""
        return Ground(clients or self.clients, self.service, self.owner, **{**self.ecs, **ecs})

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

    @property
    def wish(self) -> Wish:
        return wish_of(self.spec(), self.owner, self.clients.region)

    async def provide(self, **changed: Any) -> None:
        """Make it."""
        await self.places.provide(self.spec(**changed), self.told.append)

    async def remove(self, images: str | None = None) -> None:
        """Delete it."""
        await self.places.remove(self.spec(), self.told.append, images)

    async def looks(self, **changed: Any) -> dict[str, PartAction]:
        """What becomes of each part."""
        return {step.part: step.action for step in await self.places.looked_at(self.spec(**changed))}

    async def there(self) -> Counter[str]:
        """How many there are of what AWS makes as often as it is asked for."""
        kinds = ("Vpcs", "InternetGateways", "Subnets", "SecurityGroups")
        ours = [{"Name": f"tag:{tags.STACK}", "Values": [self.wish.stem]}]
        found = Counter({kind: len(await self._ask("ec2", kind, Filters=ours)) for kind in kinds})
        every = await self._ask("elbv2", "LoadBalancers", PageSize=MOST_BALANCERS)
        balancers = [one for one in every if one["LoadBalancerName"] == self._stem]
        groups = [one for one in await self._ask("elbv2", "TargetGroups") if one["TargetGroupName"][:-6] in self._stem]
        found.update(LoadBalancers=len(balancers), TargetGroups=len(groups))
        for balancer in balancers:
            for listener in await self._ask("elbv2", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"]):
                rules = await self._ask("elbv2", "Rules", ListenerArn=listener["ListenerArn"])
                found.update(Listeners=1, Rules=sum(not rule["IsDefault"] for rule in rules))
        return +found

    @property
    def _stem(self) -> str:
        return self.wish.stem

    async def _ask(self, service: str, kind: str, **asked: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.clients.call(service, f"Describe{kind}", **asked))[kind]
        return found


class Died(BaseException):
    """The process is gone."""


@dataclass
class Dying:
    """Clients of a process that dies when it has changed so much; it hears no answer to its last call."""

    clients: AwsClients
    after: int
    changed: list[str] = field(default_factory=list)

    @property
    def region(self) -> str | None:
        return self.clients.region

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        return self._heard(operation, await self.clients.call(service, operation, **parameters))

    async def call_once(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        return self._heard(operation, await self.clients.call_once(service, operation, **parameters))

    def _heard(self, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if not operation.startswith(("Describe", "Get", "List")):
            self.changed.append(operation)
            if len(self.changed) == self.after:
                raise Died
        return answer
