"""Keeps secrets in Secrets Manager for tasks to read: a definition holds a reference to one version, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.repeat import token
from bot.ports.rollouts import RolloutSpec


async def references(clients: AwsClients, spec: RolloutSpec, owner: str) -> dict[str, str]:
    """Variable → `arn:::version` of exactly the value given. The version is the job's: a rollback reads its own.

    Repeatable: the version's id is made of the job and the variable, so that a lost answer stores nothing twice.
    """
    return {variable: await _reference(clients, spec, owner, variable) for variable in spec.secrets}


async def _reference(clients: AwsClients, spec: RolloutSpec, owner: str, variable: str) -> str:
    """Put a version; where there is no such secret yet, make it; where somebody just did, put again."""
    name, version = f"shipmate/{spec.service}/{variable}", token(spec.job_id, variable)
    given = {"ClientRequestToken": version, "SecretString": spec.secrets[variable]}
    try:
        reply = await clients.call("secretsmanager", "PutSecretValue", SecretId=name, **given)
    except AwsRefusal as refusal:
        if refusal.aws_code != "ResourceNotFoundException":
            raise
        marks = tags.upper(tags.of_spec(spec, owner))
        reply = await _made(clients, name, given, marks)
    return f"{reply['ARN']}:::{version}"


async def _made(
    clients: AwsClients, name: str, given: Mapping[str, str], marks: list[dict[str, str]]
) -> dict[str, Any]:
    try:
        return await clients.call("secretsmanager", "CreateSecret", Name=name, Tags=marks, **given)
    except AwsRefusal as refusal:
        if refusal.aws_code != "ResourceExistsException":
            raise
        return await clients.call("secretsmanager", "PutSecretValue", SecretId=name, **given)
