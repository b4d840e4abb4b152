"""Keeps images in ECR: a repository adopted or made, a login that is kept until it expires, a push by digest."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from bot.errors import Permanent
from bot.ports.images import BuiltImage, LogSink, PushedImage, Registry

KEPT_IMAGES = 100
UNTAGGED_DAYS = 14
EARLY = timedelta(minutes=10)
"""A login this close to its end is not used any more: a push takes time."""
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "images no tag names",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": UNTAGGED_DAYS,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "all but the newest images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT_IMAGES},
            "action": {"type": "expire"},
        },
    ]
}
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"""


@dataclass(frozen=True, slots=True)
class Login:
    """How one registry is entered until `expires_at` (UTC)."""

    host: str
    username: str
    password: str = field(repr=False)
    expires_at: datetime


Pusher = Callable[[Login], Registry]
"""Gives what pushes images to `login.host`, with layers' progress, trying again what may pass."""


class EcrRegistry:
    """A `ports.Registry`. `host` overrides the registry's own, for one that is reached by another name."""

    def __init__(
        self,
        clients: AwsClients,
        pusher: Pusher,
        owner: str,
        *,
        host: str | None = None,
        register_secret: Callable[[str], None] = lambda secret: None,
    ) -> None:
        self._clients, self._pusher, self._owner, self._host = clients, pusher, owner, host
        self._register_secret = register_secret
        self._login: Login | None = None
        self._entering = asyncio.Lock()
        self._whole: set[str] = set()

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """Push under `repository:tag`, which is made where it is missing. Repeatable: layers that are there stay.

        Raises what `aws_errors` says, and what the pusher raises; a login that is refused is renewed once.
        """
        await self.ensure(repository, log)
        try:
            return await self._pusher(await self.login()).push(image, repository, tag, log)
        except Permanent as refused:
            if refused.code != "registry_denied":
                raise
        log("the registry refused the login; asking for a new one")
        self._login = None
        return await self._pusher(await self.login()).push(image, repository, tag, log)

    async def login(self) -> Login:
        """The login that holds now; a new one is asked for shortly before the old one ends."""
        async with self._entering:
            if self._login is None or self._login.expires_at - datetime.now(UTC) < EARLY:
                self._login = await self._new_login()
                self._register_secret(self._login.password)
            return self._login

    async def _new_login(self) -> Login:
        """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"""
        reply = await self._clients.call("ecr", "GetAuthorizationToken")
        given = reply["authorizationData"][0]
        username, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        host = self._host or urlsplit(given["proxyEndpoint"]).netloc
        return Login(host, username, password, given["expiresAt"].astimezone(UTC))

    async def ensure(self, repository: str, log: LogSink) -> str:
        """Adopt the repository, or make it; answers its address, `host/name`.

        Looked for each time, since it may have been deleted meanwhile; whether it is whole once by each process.
        """
        known = await self._find(repository)
        if known is None:
            self._whole.discard(repository)
            known = await self._make(repository)
            log(f"repository {repository} made")
        if repository not in self._whole:
            await self._complete(repository, str(known["repositoryArn"]))
            self._whole.add(repository)
        return str(known["repositoryUri"])

    async def _find(self, repository: str) -> Mapping[str, Any] | None:
        try:
            reply = await self._clients.call("ecr", "DescribeRepositories", repositoryNames=[repository])
        except AwsRefusal as refusal:
            if refusal.aws_code == "RepositoryNotFoundException":
                return None
            raise
        found: list[Mapping[str, Any]] = reply["repositories"]
        return found[0]

    async def _make(self, repository: str) -> Mapping[str, Any]:
        """Repeatable: a name can be taken once only, so one that exists was made by the attempt before."""
        try:
            reply = await self._clients.call(
                "ecr",
                "CreateRepository",
                repositoryName=repository,
                imageTagMutability="MUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
                tags=tags.upper({tags.OWNER: self._owner}),
            )
        except AwsRefusal as refusal:
            found = await self._find(repository) if refusal.aws_code == "RepositoryAlreadyExistsException" else None
            if found is None:
                raise
            return found
        made: Mapping[str, Any] = reply["repository"]
        return made

    async def _complete(self, repository: str, arn: str) -> None:
        """A repository of ours has an expiry policy; one that somebody else made keeps what they decided."""
        told = await self._clients.call("ecr", "ListTagsForResource", resourceArn=arn)
        if tags.read(told.get("tags", [])).get(tags.OWNER) != self._owner:
            return
        try:
            await self._clients.call("ecr", "GetLifecyclePolicy", repositoryName=repository)
        except AwsRefusal as refusal:
            if refusal.aws_code != "LifecyclePolicyNotFoundException":
                raise
            policy = json.dumps(LIFECYCLE)
            await self._clients.call("ecr", "PutLifecyclePolicy", repositoryName=repository, lifecyclePolicyText=policy)
