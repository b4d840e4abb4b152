"""Registers versions as revisions of a task definition, one for each job however often it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.repeat import FIRST_PAUSE_S, settled


async def registered(
    clients: AwsClients, wanted: Mapping[str, Any], marks: Mapping[str, str], first_pause_s: float = FIRST_PAUSE_S
) -> str:
    """The ARN of the revision that this job registered, or registers now. `marks` are its tags, with the job's.

    RegisterTaskDefinition knows no token: the newest revision is looked at first, and again after a lost answer.
    """
    family = str(wanted["family"])

    async def look() -> str | None:
        known = await described(clients, family)
        ours = known is not None and known[1].get(tags.JOB) == marks[tags.JOB]
        return known[0] if known and ours else None

    async def make() -> str:
        reply = await clients.call_once("ecs", "RegisterTaskDefinition", **wanted, tags=tags.lower(marks))
        return str(reply["taskDefinition"]["taskDefinitionArn"])

    return await settled(look, make, first_pause_s)


async def described(clients: AwsClients, name: str) -> tuple[str, dict[str, str]] | None:
    """ARN and tags of a revision (or of a family's newest); None where there is no active one."""
    try:
        reply = await clients.call("ecs", "DescribeTaskDefinition", taskDefinition=name, include=["TAGS"])
    except AwsRefusal as refusal:
        if refusal.aws_code == "ClientException":
            return None
        raise
    found = reply["taskDefinition"]
    if found.get("status", "ACTIVE") != "ACTIVE":
        return None
    return str(found["taskDefinitionArn"]), tags.read(reply.get("tags", []))
