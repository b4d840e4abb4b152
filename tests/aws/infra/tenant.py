"""Somebody whom the emulated IAM knows: a user with keys of its own, who may do what a policy says and nothing else."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from aiobotocore.session import AioSession

from aws.clients import AwsAccess, AwsClients, Keys
from tests.aws.infra.template import Statement, filled, published, several

OWNER = "tests"
"""Fills in `${Owner}`: what the tests of this folder make bears it."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """`own` are clients with the user's keys; `root` may do everything, and changes what the user may."""

    name: str
    root: AwsClients
    own: AwsClients

    async def may(self, statements: Iterable[Statement]) -> None:
        """From now on this, and nothing else. (Statements of several policies may have the same name.)"""
        nameless = [{name: part for name, part in one.items() if name != "Sid"} for one in statements]
        document = json.dumps({"Version": "2012-10-17", "Statement": nameless})
        await self.root.call("iam", "PutUserPolicy", UserName=self.name, PolicyName="may", PolicyDocument=document)


async def moved_in(root: AwsClients, session: AioSession) -> Tenant:
    """A new user, who may do nothing yet."""
    name = f"u{uuid.uuid4().hex[:8]}"
    await root.call("iam", "CreateUser", UserName=name)
    given = (await root.call("iam", "CreateAccessKey", UserName=name))["AccessKey"]

    async def keys() -> Keys:
        return Keys(given["AccessKeyId"], given["SecretAccessKey"])

    return Tenant(name, root, AwsClients(AwsAccess(root.region, root.access.endpoint_url, keys), session=session))


def allowing(*parts: str, owner: str = OWNER) -> list[Statement]:
    """The published policies of these parts, filled in."""
    return [filled(statement, Owner=owner) for part in parts for statement in published(part)]


def without(statements: Iterable[Statement], action: str) -> list[Statement]:
    """The same, as if that action stood nowhere."""
    left = [{**one, "Action": [known for known in several(one["Action"]) if known != action]} for one in statements]
    return [one for one in left if one["Action"]]
