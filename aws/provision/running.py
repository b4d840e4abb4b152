"""Where tasks run and what they write is kept: a cluster and a log group of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws import tags
from aws.errors import AwsRefusal
from aws.provision.site import Found, Site, refused_with
from aws.provision.wish import Wish

KEPT_DAYS = 30
_KEPT = f"kept {KEPT_DAYS} days"


@dataclass(frozen=True, slots=True)
class Cluster:
    """An ECS cluster; by its name there is one only, however often it is asked for."""

    name: str = "cluster"
    kind: str = "cluster"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return wish.stem

    async def look(self, site: Site) -> Found | None:
        known = await described(site)
        if known is None:
            return None
        site.noted.update(tags.read(known.get("tags", [])))
        site.require_ours(self.kind, self.title(site.wish), site.noted)
        return Found(str(known["clusterArn"]))

    async def make(self, site: Site) -> Found | None:
        marks = tags.lower(site.wish.marks(self.name))
        reply = await site.call("ecs", "CreateCluster", clusterName=self.title(site.wish), tags=marks)
        return Found(str(reply["cluster"]["clusterArn"]))

    async def mend(self, site: Site, found: Found) -> None:
        """It is never changed."""

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("ClusterNotFoundException"):
            await site.clients.call("ecs", "DeleteCluster", cluster=found.id)


async def described(site: Site) -> Mapping[str, Any] | None:
    """The cluster with its tags, while it is active. One call."""
    reply = await site.call("ecs", "DescribeClusters", clusters=[site.wish.stem], include=["TAGS"])
    found: list[Mapping[str, Any]] = [one for one in reply.get("clusters", []) if one["status"] == "ACTIVE"]
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class LogGroup:
    """Where what tasks write goes, for a month."""

    name: str = "log-group"
    kind: str = "log_group"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return log_group_name(wish)

    async def look(self, site: Site) -> Found | None:
        title = self.title(site.wish)
        reply = await site.call("logs", "DescribeLogGroups", logGroupNamePrefix=title)
        known = next((one for one in reply["logGroups"] if one["logGroupName"] == title), None)
        if known is None:
            return None
        arn = str(known["arn"]).removesuffix(":*")
        marks = (await site.call("logs", "ListTagsForResource", resourceArn=arn)).get("tags", {})
        site.require_ours(self.kind, title, marks)
        return Found(title, () if known.get("retentionInDays") else (_KEPT,))

    async def make(self, site: Site) -> Found | None:
        title = self.title(site.wish)
        try:
            await site.call("logs", "CreateLogGroup", logGroupName=title, tags=site.wish.marks(self.name))
        except AwsRefusal as refusal:
            if refusal.aws_code == "ResourceAlreadyExistsException":
                return None
            raise
        return Found(title, (_KEPT,))

    async def mend(self, site: Site, found: Found) -> None:
        await site.call("logs", "PutRetentionPolicy", logGroupName=found.id, retentionInDays=KEPT_DAYS)

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("ResourceNotFoundException"):
            await site.clients.call("logs", "DeleteLogGroup", logGroupName=found.id)


def log_group_name(wish: Wish) -> str:
    """`/shipmate/…`"""
    return f"/shipmate/{wish.stem}"
