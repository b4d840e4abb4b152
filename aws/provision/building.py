"""What builds on CodeBuild need of a repository: the role they run as, made for it, and both of it when all goes."""

from __future__ import annotations

from dataclasses import dataclass

from aws import tags
from aws.buildproject import ProjectSettings, project_name
from aws.clients import AwsClients
from aws.provision.apply import ensured
from aws.provision.given import Kept
from aws.provision.roles import Document, Role, partition_of
from aws.provision.site import Found, Site, Waits
from aws.provision.wish import Wish

_IMAGES = "images"
_PUSHES = (
    *("BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "DescribeImages"),
    *("GetDownloadUrlForLayer", "InitiateLayerUpload", "PutImage", "UploadLayerPart"),
)


def building_of(owner: str, repository: str, images: str, region: str | None, boundary: str | None = None) -> Wish:
    """The wish behind it: the repository's, whatever the environment."""
    given = {_IMAGES: images, **({"permissions_boundary": boundary} if boundary else {})}
    return Wish(owner, f"builds of {repository}", repository, "", region or "", given=given)


async def build_role(
    clients: AwsClients, owner: str, repository: str, images: str, waits: Waits, boundary: str | None = None
) -> str:
    """The ARN of the role that may write the builds' log and push to `images`, made where it is missing. Repeatable."""
    site = Site(clients, building_of(owner, repository, images, clients.region, boundary), waits)
    return (await ensured(site, BUILD_ROLE, await BUILD_ROLE.look(site))).id


def _building(wish: Wish) -> Document:
    """https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html"""
    here = f"arn:{partition_of(wish.region)}"
    project = project_name(ProjectSettings(), wish.owner, wish.repository)
    group = f"{here}:logs:{wish.region}:*:log-group:/aws/codebuild/{project}"
    images = f"{here}:ecr:{wish.region}:*:repository/{wish.given[_IMAGES]}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Effect": "Allow", "Action": [f"ecr:{name}" for name in _PUSHES], "Resource": images},
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [group, f"{group}:*"],
            },
        ],
    }


BUILD_ROLE = Role("build-role", "codebuild.amazonaws.com", written=_building)


@dataclass(frozen=True, slots=True)
class Project(Kept):
    """The repository's project on CodeBuild, where builds of all its environments are."""

    repository: str
    name: str = "build-project"
    kind: str = "build_project"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return project_name(ProjectSettings(), wish.owner, self.repository)

    async def look(self, site: Site) -> Found | None:
        """None for one that somebody else made."""
        reply = await site.call("codebuild", "BatchGetProjects", names=[self.title(site.wish)])
        ours = [one for one in reply["projects"] if tags.read(one.get("tags") or []).get(tags.OWNER) == site.wish.owner]
        return Found(str(ours[0]["name"])) if ours else None

    async def remove(self, site: Site, found: Found) -> None:
        await site.clients.call("codebuild", "DeleteProject", name=found.id)


@dataclass(frozen=True, slots=True)
class BuildRole(Kept):
    """The role of the repository's builds, as one part of what goes with the last of its environments."""

    images: str
    name: str = BUILD_ROLE.name
    kind: str = BUILD_ROLE.kind
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return BUILD_ROLE.title(self._wish(wish))

    async def look(self, site: Site) -> Found | None:
        return await BUILD_ROLE.look(self._site(site))

    async def remove(self, site: Site, found: Found) -> None:
        await BUILD_ROLE.remove(self._site(site), found)

    def _wish(self, wish: Wish) -> Wish:
        return building_of(wish.owner, wish.repository, self.images, wish.region)

    def _site(self, site: Site) -> Site:
        return Site(site.clients, self._wish(site.wish), site.waits)
