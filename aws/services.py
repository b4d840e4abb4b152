"""Looks at, makes and changes the ECS service that a version is rolled out to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws import tags
from aws.clients import AwsClients
from aws.definition import CONTAINER
from aws.errors import AwsRefusal
from aws.place import Place
from aws.repeat import token
from aws.strategy import deployment_configuration
from bot.errors import Permanent, Transient
from bot.ports.rollouts import RolloutSpec

HEALTH_GRACE_S = 60


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is active: what it runs, as a task definition's ARN, its tags, and its `loadBalancers` entry."""

    arn: str
    task_definition: str
    running: int
    tags: Mapping[str, str] = field(default_factory=dict)
    balancing: Mapping[str, Any] = field(default_factory=dict)


def name_of(spec: RolloutSpec, place: Place) -> str:
    """The service's name: one that exists already, or the house's own."""
    return place.service or spec.service


async def look(clients: AwsClients, cluster: str, name: str) -> Service | None:
    """None where there is none, or what was there has been deleted.

    Raises Transient("service_draining") while it is being deleted, Permanent("service_controller", controller) for
    one that is deployed by CodeDeploy or by somebody's own code, Permanent("cluster_missing", cluster).
    """
    try:
        reply = await clients.call("ecs", "DescribeServices", cluster=cluster, services=[name], include=["TAGS"])
    except AwsRefusal as refusal:
        if refusal.aws_code == "ClusterNotFoundException":
            raise Permanent("cluster_missing", cluster=cluster) from refusal
        raise
    found = reply.get("services", [])
    if not found or found[0]["status"] == "INACTIVE":
        return None
    if found[0]["status"] == "DRAINING":
        raise Transient("service_draining", retry_after_s=10.0, service=name)
    controller = found[0].get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        raise Permanent("service_controller", service=name, controller=controller)
    return _read(found[0])


async def create(
    clients: AwsClients, spec: RolloutSpec, place: Place, revision: str, marks: Mapping[str, str], *, gated: bool
) -> None:
    """One attempt; its token makes a second one answer the first one's service."""
    await clients.call_once(
        "ecs",
        "CreateService",
        serviceName=name_of(spec, place),
        clientToken=token(spec.job_id, "service"),
        desiredCount=place.desired_count,
        launchType=place.launch_type,
        loadBalancers=[_balancing(spec, place)],
        tags=tags.lower(marks),
        propagateTags="SERVICE",
        enableECSManagedTags=True,
        **_changing(spec, place, revision, gated),
    )


async def update(
    clients: AwsClients, spec: RolloutSpec, place: Place, revision: str, *, gated: bool, moved: bool = False
) -> None:
    """One attempt. How many tasks run stays as it is: somebody, or autoscaling, may have changed it.

    `moved`: it is to stand behind other target groups or rules than it was made with.
    """
    changed = _changing(spec, place, revision, gated)
    if moved:
        changed["loadBalancers"] = [_balancing(spec, place)]
    await clients.call_once("ecs", "UpdateService", service=name_of(spec, place), **changed)


def is_to_move(service: Service, spec: RolloutSpec, place: Place) -> bool:
    """Whether the service knows other target groups, rules or another port than it is to stand behind."""
    return _ends(service.balancing) != _ends(_balancing(spec, place))


async def delete(clients: AwsClients, cluster: str, name: str) -> None:
    """Remove it with its tasks. Repeatable."""
    try:
        await clients.call("ecs", "DeleteService", cluster=cluster, service=name, force=True)
    except AwsRefusal as refusal:
        if refusal.aws_code not in {"ServiceNotFoundException", "ServiceNotActiveException"}:
            raise


def network(place: Place) -> dict[str, Any]:
    """`networkConfiguration` of services and of single tasks."""
    return {
        "awsvpcConfiguration": {
            "subnets": list(place.subnets),
            "securityGroups": list(place.security_groups),
            "assignPublicIp": "ENABLED" if place.public_ip else "DISABLED",
        }
    }


def _changing(spec: RolloutSpec, place: Place, revision: str, gated: bool) -> dict[str, Any]:
    """What a first rollout and every later one say alike."""
    return {
        "cluster": place.cluster,
        "taskDefinition": revision,
        "networkConfiguration": network(place),
        "healthCheckGracePeriodSeconds": HEALTH_GRACE_S,
        "deploymentConfiguration": deployment_configuration(spec, place, gated=gated),
    }


def _balancing(spec: RolloutSpec, place: Place) -> dict[str, Any]:
    balancing: dict[str, Any] = {
        "targetGroupArn": place.target_group,
        "containerName": CONTAINER,
        "containerPort": spec.port,
    }
    if spec.strategy != "rolling":
        rules = {"testListenerRule": place.test_listener_rule} if place.test_listener_rule else {}
        balancing["advancedConfiguration"] = {
            "alternateTargetGroupArn": place.alternate_target_group,
            "productionListenerRule": place.listener_rule,
            "roleArn": place.infrastructure_role,
            **rules,
        }
    return balancing


def _ends(balancing: Mapping[str, Any]) -> tuple[Any, ...]:
    """What it comes to. Which of two target groups is named first says nothing: they take turns."""
    advanced = balancing.get("advancedConfiguration", {})
    groups = frozenset({balancing.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")} - {None})
    rules = (advanced.get("productionListenerRule"), advanced.get("testListenerRule"))
    return (groups, *rules, balancing.get("containerPort"))


def _read(found: Mapping[str, Any]) -> Service:
    return Service(
        arn=str(found["serviceArn"]),
        task_definition=str(found["taskDefinition"]),
        running=int(found.get("runningCount", 0)),
        tags=tags.read(found.get("tags", [])),
        balancing=next(iter(found.get("loadBalancers", [])), {}),
    )
