"""What the settings name already: taken as it is, never changed and never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws.errors import AwsRefusal
from aws.provision.site import Found, Site
from aws.provision.wish import Wish
from bot.errors import Permanent


class Kept:
    """Nothing is made, changed or deleted."""

    async def make(self, site: Site) -> Found | None:
        return None

    async def mend(self, site: Site, found: Found) -> None: ...

    async def remove(self, site: Site, found: Found) -> None: ...


@dataclass(frozen=True, slots=True)
class Given(Kept):
    """One that the settings name; what does not exist is refused by AWS where it is used."""

    name: str
    kind: str
    id: str
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return self.id

    async def look(self, site: Site) -> Found | None:
        return Found(self.id, adopted=True)


@dataclass(frozen=True, slots=True)
class GivenCluster(Kept):
    """A cluster by its name. Raises Permanent("cluster_missing") for one that is not there."""

    id: str
    name: str = "cluster"
    kind: str = "cluster"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return self.id

    async def look(self, site: Site) -> Found | None:
        reply = await site.call("ecs", "DescribeClusters", clusters=[self.id])
        if not any(one["status"] == "ACTIVE" for one in reply.get("clusters", [])):
            raise Permanent("cluster_missing", cluster=self.id)
        return Found(self.id, adopted=True)


@dataclass(frozen=True, slots=True)
class NetworkOfSubnets(Kept):
    """The VPC of subnets that were given. Raises Permanent("subnets_unknown") where AWS does not know them."""

    subnets: tuple[str, ...]
    name: str = "vpc"
    kind: str = "vpc"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return ", ".join(self.subnets)

    async def look(self, site: Site) -> Found | None:
        try:
            reply: Mapping[str, Any] = await site.clients.call("ec2", "DescribeSubnets", SubnetIds=list(self.subnets))
        except AwsRefusal as refusal:
            if refusal.aws_code == "InvalidSubnetID.NotFound":
                raise Permanent("subnets_unknown", names=list(self.subnets)) from refusal
            raise
        return Found(str(reply["Subnets"][0]["VpcId"]), adopted=True)
