"""A network of its own: a VPC with a way to the internet, and a public subnet in each zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws import tags
from aws.errors import AwsRefusal
from aws.provision.site import Found, Site, refused_with
from aws.provision.wish import Wish

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class Vpc:
    """AWS makes as many as it is asked for, so the oldest is the one; what else we made by accident goes."""

    name: str = "vpc"
    kind: str = "vpc"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return wish.network

    async def look(self, site: Site) -> Found | None:
        known = _oldest_first((await site.call("ec2", "DescribeVpcs", Filters=site.filters(self.name)))["Vpcs"])
        return _first([str(one["VpcId"]) for one in known])

    async def make(self, site: Site) -> Found | None:
        marks = site.ec2_marks(self.name, "vpc", **_made_now())
        await site.once("ec2", "CreateVpc", CidrBlock=site.wish.network, TagSpecifications=marks)
        return None

    async def mend(self, site: Site, found: Found) -> None:
        for surplus in found.lacks:
            with refused_with("DependencyViolation", "InvalidVpcID.NotFound"):
                await site.clients.call("ec2", "DeleteVpc", VpcId=surplus)

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("InvalidVpcID.NotFound"):
            await site.clients.call("ec2", "DeleteVpc", VpcId=found.id)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The way to the internet; a VPC takes one only, so the attached one is the one."""

    name: str = "gateway"
    kind: str = "gateway"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return f"{wish.stem}-{self.name}"

    async def look(self, site: Site) -> Found | None:
        reply = await site.call("ec2", "DescribeInternetGateways", Filters=site.filters(self.name))
        known = sorted(_oldest_first(reply["InternetGateways"]), key=lambda one: not one.get("Attachments"))
        found = _first([str(one["InternetGatewayId"]) for one in known])
        if found is None:
            return None
        attached = [str(one["VpcId"]) for one in known[0].get("Attachments") or []]
        missing = () if site.ids.get("vpc") in attached else (_ATTACHMENT,)
        return Found(found.id, (*missing, *found.lacks))

    async def make(self, site: Site) -> Found | None:
        marks = site.ec2_marks(self.name, "internet-gateway", **_made_now())
        await site.once("ec2", "CreateInternetGateway", TagSpecifications=marks)
        return None

    async def mend(self, site: Site, found: Found) -> None:
        if _ATTACHMENT in found.lacks:
            with refused_with("Resource.AlreadyAssociated"):
                await site.call("ec2", "AttachInternetGateway", InternetGatewayId=found.id, VpcId=site.ids["vpc"])
        for surplus in (one for one in found.lacks if one != _ATTACHMENT):
            with refused_with("DependencyViolation", "InvalidInternetGatewayID.NotFound"):
                await site.clients.call("ec2", "DeleteInternetGateway", InternetGatewayId=surplus)

    async def remove(self, site: Site, found: Found) -> None:
        if _ATTACHMENT not in found.lacks:
            with refused_with("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound"):
                where = {"InternetGatewayId": found.id, "VpcId": site.ids["vpc"]}
                await site.clients.call("ec2", "DetachInternetGateway", **where)
        with refused_with("InvalidInternetGatewayID.NotFound"):
            await site.clients.call("ec2", "DeleteInternetGateway", InternetGatewayId=found.id)


_ATTACHMENT = "attached to the VPC"


@dataclass(frozen=True, slots=True)
class Route:
    """The route from the VPC's main table to the gateway, which makes every subnet public. It goes with the VPC."""

    name: str = "route"
    kind: str = "route"
    within: str | None = "vpc"

    def title(self, wish: Wish) -> str:
        return ANYWHERE

    async def look(self, site: Site) -> Found | None:
        table = await _main_table(site)
        routes = [one for one in (table or {}).get("Routes", []) if one.get("DestinationCidrBlock") == ANYWHERE]
        if table is None or not routes:
            return None
        right = routes[0].get("GatewayId") == site.ids.get("gateway")
        return Found(str(table["RouteTableId"]), () if right else ("through the gateway",))

    async def make(self, site: Site) -> Found | None:
        table = await _main_table(site)
        if table is None:
            return None
        with refused_with("RouteAlreadyExists"):
            await site.call("ec2", "CreateRoute", **_to_gateway(site, table["RouteTableId"]))
        return Found(str(table["RouteTableId"]))

    async def mend(self, site: Site, found: Found) -> None:
        await site.call("ec2", "ReplaceRoute", **_to_gateway(site, found.id))

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"):
            await site.clients.call("ec2", "DeleteRoute", RouteTableId=found.id, DestinationCidrBlock=ANYWHERE)


@dataclass(frozen=True, slots=True)
class Subnet:
    """One zone's part of the network; its addresses are nobody else's there, so it cannot be made twice."""

    number: int
    kind: str = "subnet"
    within: str | None = "vpc"

    @property
    def name(self) -> str:
        return f"subnet-{self.number + 1}"

    def title(self, wish: Wish) -> str:
        return wish.subnet(self.number)

    async def look(self, site: Site) -> Found | None:
        filters = [*site.filters(self.name), {"Name": "vpc-id", "Values": [site.ids["vpc"]]}]
        reply = await site.call("ec2", "DescribeSubnets", Filters=filters)
        return _first([str(one["SubnetId"]) for one in reply["Subnets"]][:1])

    async def make(self, site: Site) -> Found | None:
        try:
            reply = await site.call(
                "ec2",
                "CreateSubnet",
                VpcId=site.ids["vpc"],
                CidrBlock=site.wish.subnet(self.number),
                AvailabilityZone=await _zone(site, self.number),
                TagSpecifications=site.ec2_marks(self.name, "subnet"),
            )
        except AwsRefusal as refusal:
            if refusal.aws_code == "InvalidSubnet.Conflict":
                return None
            raise
        return Found(str(reply["Subnet"]["SubnetId"]))

    async def mend(self, site: Site, found: Found) -> None:
        """It is never changed."""

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("InvalidSubnetID.NotFound"):
            await site.clients.call("ec2", "DeleteSubnet", SubnetId=found.id)


def _made_now() -> dict[str, str]:
    return {tags.MADE: datetime.now(UTC).isoformat()}


def _oldest_first(known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By when they were made, as they themselves tell; of two of the same moment everybody takes the same."""

    def age(one: Mapping[str, Any]) -> tuple[str, str]:
        return tags.read(one.get("Tags", [])).get(tags.MADE, ""), str(one.get("VpcId", one.get("InternetGatewayId")))

    return sorted(known, key=age)


def _first(ids: list[str]) -> Found | None:
    """The first, and the others as what is too much."""
    return Found(ids[0], tuple(ids[1:])) if ids else None


def _to_gateway(site: Site, table: str) -> dict[str, str]:
    return {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE, "GatewayId": site.ids["gateway"]}


async def _main_table(site: Site) -> dict[str, Any] | None:
    """A VPC has one from the start."""
    filters = [
        {"Name": "vpc-id", "Values": [site.ids["vpc"]]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    found: list[dict[str, Any]] = (await site.call("ec2", "DescribeRouteTables", Filters=filters))["RouteTables"]
    return found[0] if found else None


async def _zone(site: Site, number: int) -> str:
    """The zone as it is given, else the first ones of the region that take anything new."""
    zones: list[str] = list(site.wish.given.get("zones", ()))
    if not zones:
        available = [{"Name": "state", "Values": ["available"]}, {"Name": "zone-type", "Values": ["availability-zone"]}]
        reply = await site.call("ec2", "DescribeAvailabilityZones", Filters=available)
        zones = sorted(str(one["ZoneName"]) for one in reply["AvailabilityZones"])
    return zones[number]
