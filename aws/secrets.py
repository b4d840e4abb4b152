"""Keeps secrets in Secrets Manager for tasks to read: a definition holds a reference to one version, never a value."""

from __future__ import annotations

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.repeat import token
from bot.ports import RolloutSpec


async def references(clients: AwsClients, spec: RolloutSpec, owner: str) -> dict[str, str]:
    """Variable → `arn:::version` of exactly the value given. The version is the job's: a rollback reads its own.

    Repeatable: the version's id is made of the job and the variable, so that a lost answer stores nothing twice.
    """
    return {variable: await _reference(clients, spec, owner, variable) for variable in spec.secrets}


async def _reference(clients: AwsClients, spec: RolloutSpec, owner: str, variable: str) -> str:
    name, version = f"shipmate/{spec.service}/{variable}", token(spec.job_id, variable)
    value = spec.secrets[variable]
    try:
        reply = await clients.call(
            "secretsmanager", "PutSecretValue", SecretId=name, ClientRequestToken=version, SecretString=value
        )
    except AwsRefusal as refusal:
        if refusal.aws_code != "ResourceNotFoundException":
            raise
        reply = await clients.call(
            "secretsmanager",
            "CreateSecret",
            Name=name,
            ClientRequestToken=version,
            SecretString=value,
            Tags=tags.upper(tags.of_spec(spec, owner)),
        )
    return f"{reply['ARN']}:::{version}"
