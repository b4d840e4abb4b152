"""Says whether the server's own way into AWS opens, and which of the reads that a deployment begins with it may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws.clients import AwsAccess, AwsClients
from aws.errors import AwsRefusal
from bot.errors import Permanent

NOBODY = "shipmate-doctor"
"""A name nothing has: who is told that there is no such thing may look for it."""
READS: Mapping[str, Mapping[str, Any]] = {
    "ecr.GetAuthorizationToken": {},
    "ecr.DescribeRepositories": {"repositoryNames": [NOBODY]},
    "ecs.DescribeServices": {"services": [NOBODY]},
    "ecs.DescribeTaskDefinition": {"taskDefinition": NOBODY},
    "elbv2.DescribeLoadBalancers": {"PageSize": 1},
}


async def look_at(access: AwsAccess) -> tuple[bool, str]:
    """Whether it is well, and one sentence. Raises what `aws_errors` says where AWS cannot be asked at all."""
    clients = AwsClients(access)
    try:
        identity = str((await clients.call("sts", "GetCallerIdentity"))["Arn"])
        where = f"signed in as {identity} in {clients.region}"
        denied = [action for action in [await _denied(clients, called) for called in READS] if action]
    finally:
        await clients.close()
    if denied:
        named = ", ".join(f"`{action}`" for action in denied)
        return False, f"{where}, whose policy lacks {named}: attach the policies in infra/policies"
    return True, f"{where}; images, services and load balancers may be looked at"


async def _denied(clients: AwsClients, called: str) -> str | None:
    """The action that a policy lacks for this call; None where AWS answers it, if only that there is no such thing."""
    service, operation = called.split(".")
    try:
        await clients.call(service, operation, **READS[called])
    except AwsRefusal:
        return None
    except Permanent as refused:
        if refused.code != "aws_denied":
            raise
        return str(refused.facts["action"])
    return None
