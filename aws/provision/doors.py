"""Who may reach whom: everybody the load balancer, at its ports, and the load balancer alone the tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws.errors import AwsRefusal
from aws.provision.site import Found, Site, refused_with
from aws.provision.wish import Wish

_FIRST_PORT, _LAST_PORT = 0, 65535
_TCP, _EVERY_PROTOCOL = "tcp", "-1"
_SOURCES = (
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId"),
)
"""Who may be let in, and by what each is known."""


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """Lets in what its part is for and nothing else: what somebody opened by hand is closed again.

    `within` None: the one it is in may be any network, also one that was given.
    """

    name: str
    within: str | None = "vpc"
    kind: str = "security_group"

    def title(self, wish: Wish) -> str:
        return f"{wish.stem}-{self.name}"

    async def look(self, site: Site) -> Found | None:
        where = [{"Name": "vpc-id", "Values": [site.ids[self.within]]}] if self.within else []
        filters = [*site.filters(self.name), *where]
        known = (await site.call("ec2", "DescribeSecurityGroups", Filters=filters))["SecurityGroups"]
        if not known:
            return None
        wanted, there = _wanted(site, self.name), _openings(known[0].get("IpPermissions", []))
        lacks = [*_phrases("+", wanted - there), *_phrases("-", there - wanted)]
        return Found(str(known[0]["GroupId"]), tuple(lacks))

    async def make(self, site: Site) -> Found | None:
        try:
            reply = await site.call(
                "ec2",
                "CreateSecurityGroup",
                GroupName=self.title(site.wish),
                Description=f"{self.name} of {site.wish.repository} {site.wish.environment}"[:255],
                VpcId=site.ids["vpc"],
                TagSpecifications=site.ec2_marks(self.name, "security-group"),
            )
        except AwsRefusal as refusal:
            if refusal.aws_code == "InvalidGroup.Duplicate":
                return None
            raise
        return Found(str(reply["GroupId"]), tuple(_phrases("+", _wanted(site, self.name))))

    async def mend(self, site: Site, found: Found) -> None:
        group = (await site.call("ec2", "DescribeSecurityGroups", GroupIds=[found.id]))["SecurityGroups"][0]
        wanted, there = _wanted(site, self.name), _openings(group.get("IpPermissions", []))
        if wanted - there:
            with refused_with("InvalidPermission.Duplicate"):
                rules = _permissions(wanted - there)
                await site.call("ec2", "AuthorizeSecurityGroupIngress", GroupId=found.id, IpPermissions=rules)
        if there - wanted:
            with refused_with("InvalidPermission.NotFound"):
                rules = _permissions(there - wanted)
                await site.call("ec2", "RevokeSecurityGroupIngress", GroupId=found.id, IpPermissions=rules)

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("InvalidGroup.NotFound"):
            await site.clients.call("ec2", "DeleteSecurityGroup", GroupId=found.id)


BALANCER_GROUP, TASK_GROUP = SecurityGroup("balancer-group"), SecurityGroup("task-group")

Opening = tuple[str, int, int, str]
"""Protocol, first port, last port, and the network, prefix list or security group that may come in there."""


def _wanted(site: Site, name: str) -> frozenset[Opening]:
    if name == BALANCER_GROUP.name:
        return frozenset((_TCP, port, port, source) for port, source in site.wish.openings)
    front = site.ids.get(BALANCER_GROUP.name)
    return frozenset({(_TCP, _FIRST_PORT, _LAST_PORT, front)}) if front else frozenset()


def _openings(permissions: Iterable[Mapping[str, Any]]) -> frozenset[Opening]:
    """What is open, to whomever. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"""
    return frozenset(
        (str(one["IpProtocol"]), int(one.get("FromPort", _FIRST_PORT)), int(one.get("ToPort", _LAST_PORT)), source)
        for one in permissions
        for kind, key in _SOURCES
        for source in (str(given[key]) for given in one.get(kind, []))
    )


def _permissions(openings: Iterable[Opening]) -> list[dict[str, Any]]:
    return [
        {
            "IpProtocol": protocol,
            **({} if protocol == _EVERY_PROTOCOL else {"FromPort": first, "ToPort": last}),
            **_source(source),
        }
        for protocol, first, last, source in sorted(openings)
    ]


def _source(source: str) -> dict[str, list[dict[str, str]]]:
    begins = {"sg-": "UserIdGroupPairs", "pl-": "PrefixListIds"}
    plain = "Ipv6Ranges" if ":" in source else "IpRanges"
    kind = begins.get(source[:3], plain)
    return {kind: [{dict(_SOURCES)[kind]: source}]}


def _phrases(mark: str, openings: Iterable[Opening]) -> list[str]:
    return [f"{mark}{source}:{_ports(protocol, first, last)}" for protocol, first, last, source in sorted(openings)]


def _ports(protocol: str, first: int, last: int) -> str:
    if protocol == _EVERY_PROTOCOL:
        return "all"
    ports = str(first) if first == last else f"{first}-{last}"
    return ports if protocol == _TCP else f"{ports}/{protocol}"
