"""What deployments themselves left in the account: the service, and where it is asked for, its images and secrets."""

from __future__ import annotations

from dataclasses import dataclass

from aws import services, tags
from aws.errors import AwsRefusal
from aws.provision.given import Kept
from aws.provision.site import Found, Site, refused_with
from aws.provision.wish import Wish
from bot.errors import Permanent, Transient


@dataclass(frozen=True, slots=True)
class Service(Kept):
    """The service that deployments made; gone once its tasks have ended and the load balancer has forgotten them."""

    name: str = "service"
    kind: str = "service"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return str(wish.given.get("service", wish.service))

    async def look(self, site: Site) -> Found | None:
        """None for one that somebody else made."""
        try:
            known = await services.look(site.clients, _cluster(site), self.title(site.wish))
        except Permanent as refusal:
            if refusal.code != "cluster_missing":
                raise
            return None
        except Transient as passing:
            if passing.code != "service_draining":
                raise
            return Found(self.title(site.wish))
        ours = known is not None and known.tags.get(tags.OWNER) == site.wish.owner
        return Found(self.title(site.wish)) if ours else None

    async def remove(self, site: Site, found: Found) -> None:
        async def gone() -> bool:
            return await self.look(site) is None

        await services.delete(site.clients, _cluster(site), found.id)
        await site.until(gone, found.id)


@dataclass(frozen=True, slots=True)
class Images(Kept):
    """The repository of images, which all environments share."""

    repository: str
    name: str = "images"
    kind: str = "images"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return self.repository

    async def look(self, site: Site) -> Found | None:
        """None for one that somebody else made."""
        try:
            reply = await site.call("ecr", "DescribeRepositories", repositoryNames=[self.repository])
        except AwsRefusal as refusal:
            if refusal.aws_code == "RepositoryNotFoundException":
                return None
            raise
        arn = str(reply["repositories"][0]["repositoryArn"])
        marks = tags.read((await site.call("ecr", "ListTagsForResource", resourceArn=arn)).get("tags", []))
        return Found(arn) if marks.get(tags.OWNER) == site.wish.owner else None

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("RepositoryNotFoundException"):
            await site.clients.call("ecr", "DeleteRepository", repositoryName=self.repository, force=True)


@dataclass(frozen=True, slots=True)
class Secrets(Kept):
    """The values that tasks read, as deployments put them there: at once and for ever, so that the names are free."""

    name: str = "secrets"
    kind: str = "secrets"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return f"shipmate/{wish.service}/"

    async def look(self, site: Site) -> Found | None:
        return Found(self.title(site.wish)) if await self._arns(site) else None

    async def remove(self, site: Site, found: Found) -> None:
        for arn in await self._arns(site):
            with refused_with("ResourceNotFoundException"):
                await site.clients.call("secretsmanager", "DeleteSecret", SecretId=arn, ForceDeleteWithoutRecovery=True)

    async def _arns(self, site: Site) -> list[str]:
        """Names are found by how they begin; whose they are is in their tags."""
        filters, arns, after = [{"Key": "name", "Values": [self.title(site.wish)]}], list[str](), dict[str, str]()
        while True:
            reply = await site.call("secretsmanager", "ListSecrets", Filters=filters, MaxResults=100, **after)
            arns += [
                str(one["ARN"])
                for one in reply["SecretList"]
                if tags.read(one.get("Tags", [])).get(tags.OWNER) == site.wish.owner
                and str(one["Name"]).startswith(self.title(site.wish))
            ]
            if not reply.get("NextToken"):
                return arns
            after = {"NextToken": str(reply["NextToken"])}


def _cluster(site: Site) -> str:
    return str(site.wish.given.get("cluster", site.wish.stem))
