"""How requests come by their keys: sealed ones, or a role assumed anew before it ends; and whose keys they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiobotocore.session import AioSession

from aws.clients import AwsAccess, AwsClients, Keys, KeySource
from bot.errors import Permanent, Refused

SESSION_NAME = "shipmate"
_UNSAFE_TAG = re.compile(r"[^\w .:/=+\-@]")
MOST_TAG_CHARACTERS = 256
TRIAL = {"shipmate:purpose": "trial"}
"""What a session is for that only looks whether it is given."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role to assume. `tags` say in CloudTrail what a session was for.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
    """

    arn: str
    external_id: str | None = field(default=None, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)


def sealed_keys(access_key_id: str, secret_access_key: str, session_token: str | None = None) -> KeySource:
    """Keys that are used as they are."""

    async def keys() -> Keys:
        return Keys(access_key_id, secret_access_key, session_token)

    return keys


def assumed(role: Role, by: AwsClients) -> KeySource:
    """Keys of a role, assumed by `by`'s identity; asked again before they end, so a long deployment outlives them.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """

    async def keys() -> Keys:
        asked = {"RoleArn": role.arn, "RoleSessionName": SESSION_NAME, "Tags": _tags(role.tags)}
        if role.external_id is not None:
            asked["ExternalId"] = role.external_id
        given = (await by.call("sts", "AssumeRole", **asked))["Credentials"]
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"])

    return keys


def lent_keys(lent: Mapping[str, str], own: AwsClients, tags: Mapping[str, str]) -> KeySource:
    """The keys of a lent connection: its own, or its role's, assumed from our `own` identity for what `tags` say."""
    if "role_arn" in lent:
        return assumed(Role(lent["role_arn"], lent.get("external_id"), tags), own)
    return sealed_keys(lent["access_key_id"], lent["secret_access_key"], lent.get("session_token"))


async def account_lent(lent: Mapping[str, str], *, session: AioSession | None = None) -> str:
    """The account a lent connection leads to, tried with tags as a deployment has them.

    Raises Refused("connection_aws_refused") with what AWS said, and Transient.
    """
    own = AwsClients(AwsAccess(lent["region"]), session=session)
    try:
        return await account_of(AwsAccess(lent["region"], keys=lent_keys(lent, own, TRIAL)))
    except Permanent as refused:
        message = refused.facts.get("message") or refused.code
        raise Refused("connection_aws_refused", message=message) from refused
    finally:
        await own.close()


async def account_of(access: AwsAccess, *, session: AioSession | None = None) -> str:
    """The number of the account the access leads to. Raises what `aws_errors` says.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    clients = AwsClients(access, session=session)
    try:
        return str((await clients.call("sts", "GetCallerIdentity"))["Account"])
    finally:
        await clients.close()


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Session tags; characters AWS does not take become underscores."""
    return [{"Key": key, "Value": _UNSAFE_TAG.sub("_", value)[:MOST_TAG_CHARACTERS]} for key, value in tags.items()]
