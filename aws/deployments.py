"""Reads ECS service deployments as rollouts, finds the one a job began, and answers or stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws.clients import AwsClients
from aws.errors import AwsRefusal
from bot.errors import Permanent
from bot.ports.rollouts import RolloutStatus, RolloutView

STATUSES: Mapping[str, RolloutStatus] = {
    "PENDING": RolloutStatus.GOING,
    "IN_PROGRESS": RolloutStatus.GOING,
    "SUCCESSFUL": RolloutStatus.DONE,
    "STOP_REQUESTED": RolloutStatus.UNDOING,
    "ROLLBACK_REQUESTED": RolloutStatus.UNDOING,
    "ROLLBACK_IN_PROGRESS": RolloutStatus.UNDOING,
    "ROLLBACK_SUCCESSFUL": RolloutStatus.UNDONE,
    "ROLLBACK_FAILED": RolloutStatus.STUCK,
    "STOPPED": RolloutStatus.STUCK,
}
"""STOPPED is an end without a rollback: what serves then is whatever the traffic stood at.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""
NEWEST = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """One deployment of a service's history."""

    arn: str
    revision: str
    """ARN of the service revision it brings."""
    created: datetime
    status: RolloutStatus


async def history(clients: AwsClients, cluster: str, service: str) -> list[Listed]:
    """A service's newest deployments, newest first; none where the service is not there."""
    try:
        reply = await clients.call("ecs", "ListServiceDeployments", cluster=cluster, service=service, maxResults=NEWEST)
    except AwsRefusal as refusal:
        if refusal.aws_code == "ServiceNotFoundException":
            return []
        raise
    return sorted((_listed(one) for one in reply["serviceDeployments"]), key=lambda one: one.created, reverse=True)


async def begun(clients: AwsClients, cluster: str, service: str, revision: str, after: str | None) -> str | None:
    """The deployment of a task definition that was begun after the deployment `after`; None where there is none."""
    newer: list[Listed] = []
    for one in await history(clients, cluster, service):
        if one.arn == after:
            break
        newer.append(one)
    if not newer:
        return None
    brings = await task_definitions(clients, [one.revision for one in newer])
    return next((one.arn for one in newer if brings.get(one.revision) == revision), None)


async def task_definitions(clients: AwsClients, revisions: list[str]) -> dict[str, str]:
    """Service revision → the task definition in it."""
    reply = await clients.call("ecs", "DescribeServiceRevisions", serviceRevisionArns=revisions)
    return {str(one["serviceRevisionArn"]): str(one["taskDefinition"]) for one in reply["serviceRevisions"]}


async def target_groups_of(clients: AwsClients, arn: str) -> tuple[str | None, str | None]:
    """The target groups of a deployment's blue and green; None where there is none, or AWS has not resolved it."""
    told = await described(clients, arn)
    green = str(told["targetServiceRevision"]["arn"])
    sources = [str(one["arn"]) for one in told.get("sourceServiceRevisions", [])]
    groups = await _target_groups(clients, [green, *sources])
    return groups.get(sources[0]) if sources else None, groups.get(green)


async def _target_groups(clients: AwsClients, revisions: list[str]) -> dict[str, str]:
    """Service revision → the target group its tasks are in."""
    reply = await clients.call("ecs", "DescribeServiceRevisions", serviceRevisionArns=revisions)
    found: dict[str, str] = {}
    for one in reply["serviceRevisions"]:
        resolved = one.get("resolvedConfiguration", {}).get("loadBalancers", [])
        if resolved:
            found[str(one["serviceRevisionArn"])] = str(resolved[0]["targetGroupArn"])
    return found


async def described(clients: AwsClients, arn: str) -> dict[str, Any]:
    """One deployment as AWS tells it. Raises Permanent("rollout_gone")."""
    reply = await clients.call("ecs", "DescribeServiceDeployments", serviceDeploymentArns=[arn])
    if not reply.get("serviceDeployments"):
        raise Permanent("rollout_gone", rollout=arn)
    found: dict[str, Any] = reply["serviceDeployments"][0]
    return found


def view(told: Mapping[str, Any]) -> RolloutView:
    """A deployment as the house sees it. A word of AWS's that is not known yet is a deployment that goes on.

    A rolling update has no weights: all is green's once it is done.
    """
    target = told.get("targetServiceRevision", {})
    status = STATUSES.get(str(told["status"]), RolloutStatus.GOING)
    whole = 100.0 if status is RolloutStatus.DONE else 0.0
    waiting = [
        str(hook["hookId"])
        for hook in told.get("lifecycleHookDetails", [])
        if hook.get("targetType") == "PAUSE" and hook.get("status") == "AWAITING_ACTION"
    ]
    return RolloutView(
        status=status,
        stage=str(told.get("lifecycleStage", "")),
        reason=str(told.get("rollback", {}).get("reason") or told.get("statusReason", "")),
        waiting=tuple(waiting),
        green_percent=float(target.get("requestedProductionTrafficWeight") or whole),
        running=int(target.get("runningTaskCount", 0)),
        wanted=int(target.get("requestedTaskCount", 0)),
    )


async def go_on(clients: AwsClients, arn: str, hook: str) -> None:
    """End a pause. Repeatable: one that does not wait any more was ended by the attempt before."""
    try:
        await clients.call("ecs", "ContinueServiceDeployment", serviceDeploymentArn=arn, hookId=hook, action="CONTINUE")
    except AwsRefusal:
        if hook in view(await described(clients, arn)).waiting:
            raise


async def go_back(clients: AwsClients, arn: str) -> None:
    """Ask for a rollback. Repeatable: one that goes back already, or is over, is left as it is."""
    try:
        await clients.call("ecs", "StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")
    except AwsRefusal:
        if view(await described(clients, arn)).status is RolloutStatus.GOING:
            raise


def _listed(told: Mapping[str, Any]) -> Listed:
    return Listed(
        arn=str(told["serviceDeploymentArn"]),
        revision=str(told.get("targetServiceRevisionArn", "")),
        created=told["createdAt"].astimezone(UTC),
        status=STATUSES.get(str(told["status"]), RolloutStatus.GOING),
    )
