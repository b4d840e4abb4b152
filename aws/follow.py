"""Follows a deployment that the team's own state machine does: starts it by the image's arrival, and reads along.

The execution is found by the secret its first state writes (`shipmate-deployment-{id}`, JSON with `ExecutionArn`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws import services, triggers
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.executions import End, Step, StepKind, end_of, history, running
from aws.triggers import Trigger
from bot.errors import Permanent
from bot.ports.images import LogSink
from bot.ports.rollouts import Prepared, RolloutSpec, RolloutStatus, RolloutStep, RolloutView, Serving
from bot.ports.running import TrafficStats

SECRET = "shipmate-deployment-"  # noqa: S105 (a name's beginning, no secret)
NEEDED = ("state_machine", "events_role")
AGAIN = "-back"
"""How the name of a job's second deployment ends, which puts back what there was."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What the environment's settings say of the state machine and of what it changes."""

    state_machine: str
    events_role: str
    cluster: str = "default"
    service: str | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Lookout:
    """How often, and for how long, the execution's name is looked for; and how long a new rule takes until it holds.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule.html
    """

    every_s: float = 0.1
    for_s: float = 3.0
    rule_settles_s: float = 5.0


class FollowedRollouts:
    """A `ports.Rollouts` over a state machine. `owner` marks the rules this installation makes."""

    name = "ecs"

    def __init__(self, clients: AwsClients, owner: str, lookout: Lookout | None = None) -> None:
        self._clients, self._owner, self._lookout = clients, owner, lookout or Lookout()

    async def prepare(self, spec: RolloutSpec) -> Prepared:
        """Look that there is such a state machine. Raises Permanent("ecs_setting_missing", "state_machine_missing")."""
        followed = followed_by(spec)
        await self._require_state_machine(followed.state_machine)
        before = await self._serving(followed)
        return Prepared(
            revision=spec.image,
            url=followed.url,
            test_url=None,
            before=before,
            place_name=followed.state_machine.rpartition(":")[2],
        )

    async def run_once(self, spec: RolloutSpec, revision: str, command: str, log: LogSink) -> int:
        """Raises Permanent("release_command_followed"): what runs beside a release is the state machine's to say."""
        raise Permanent("release_command_followed", command=command)

    async def find(self, spec: RolloutSpec, prepared: Prepared) -> str | None:
        """The execution of this job, also one that is just starting; where there is none, none can start any more."""
        deployment = _deployment(spec, prepared)
        known = await self._told(deployment)
        if known is not None or not await triggers.disarm(self._clients, deployment):
            return known
        return await self._soon_told(deployment)

    async def begin(self, spec: RolloutSpec, prepared: Prepared, *, gated: bool = True) -> str:
        """Arm the rule and name the image by the deployment's tag, which starts the execution; answers its ARN.

        Repeatable: an execution that began is found by its secret, and a tag that stands is not put again. One after
        another of the same job, which is to put back what there was, has a name of its own.
        Raises Permanent("execution_unknown") when none told its ARN in time.
        """
        followed, deployment = followed_by(spec), _deployment(spec, prepared)
        known = await self._told(deployment)
        if known is not None:
            return known
        repository, digest = image_parts(spec.image)
        tag = f"shipmate-{deployment}"
        given = {"cluster": followed.cluster, "service": followed.service, "before": prepared.before}
        trigger = Trigger(deployment, repository, tag, followed.state_machine, followed.events_role, given)
        await triggers.arm(self._clients, trigger, self._owner)
        await asyncio.sleep(self._lookout.rule_settles_s)
        await self._name_image(repository, digest, tag)
        return await self._execution(deployment, followed.state_machine)

    async def look(self, rollout: str) -> RolloutView:
        """One call; once it has failed, also whether what served before serves again."""
        seen = await history(self._clients, rollout)
        end = end_of(seen)
        if end is None:
            return RolloutView(RolloutStatus.GOING, running(seen), happened=_told_as(seen))
        status = RolloutStatus.DONE if end.end is End.SUCCEEDED else await self._after_failure(rollout)
        reason = end.reason or next((step.reason for step in reversed(seen) if step.kind is StepKind.FAILED), "")
        percent = 100.0 if status is RolloutStatus.DONE else 0.0
        return RolloutView(status, running(seen), reason, green_percent=percent, happened=_told_as(seen))

    async def go_on(self, rollout: str, pause: str) -> None:
        """Nothing: a state machine that is followed asks for no leave."""

    async def go_back(self, rollout: str) -> None:
        """Stop the execution; how it puts back what it changed is its own affair, and `look` tells its end."""
        await self._clients.call(
            "stepfunctions", "StopExecution", executionArn=rollout, error="Cancelled", cause="stopped by Shipmate"
        )

    async def measured(
        self, spec: RolloutSpec, rollout: str, seconds: float
    ) -> tuple[TrafficStats | None, TrafficStats | None]:
        """Nothing is counted here."""
        return None, None

    async def output(self, spec: RolloutSpec, rollout: str, lines: int) -> list[str]:
        """What failed, in the order it did."""
        seen = await history(self._clients, rollout)
        return [f"{step.state}: {step.reason}" for step in seen if step.kind is StepKind.FAILED][-lines:]

    async def forget(self, spec: RolloutSpec) -> None:
        """Nothing: what the state machine made is its own."""

    async def serving(self, rollout: str) -> Serving | None:
        """Which version serves is the state machine's affair."""
        return None

    async def leftovers(self) -> list[str]:
        """Jobs that have a rule of this installation's."""
        return sorted({_job(deployment) for deployment in await triggers.armed(self._clients, self._owner)})

    async def clear(self, job_id: str) -> None:
        """Remove the rules and the secrets of this job. Repeatable."""
        for deployment in (job_id, job_id + AGAIN):
            await triggers.disarm(self._clients, deployment)
            try:
                await self._clients.call(
                    "secretsmanager", "DeleteSecret", SecretId=SECRET + deployment, ForceDeleteWithoutRecovery=True
                )
            except AwsRefusal as refusal:
                if refusal.aws_code != "ResourceNotFoundException":
                    raise

    async def _execution(self, deployment: str, state_machine: str) -> str:
        told = await self._soon_told(deployment)
        if told is None:
            raise Permanent("execution_unknown", seconds=self._lookout.for_s, state_machine=state_machine)
        return told

    async def _soon_told(self, deployment: str) -> str | None:
        until = time.monotonic() + self._lookout.for_s
        while True:
            told = await self._told(deployment)
            if told is not None or time.monotonic() >= until:
                return told
            await asyncio.sleep(self._lookout.every_s)

    async def _told(self, deployment: str) -> str | None:
        """The execution's ARN, as its first state wrote it; None before it did."""
        try:
            reply = await self._clients.call("secretsmanager", "GetSecretValue", SecretId=SECRET + deployment)
        except AwsRefusal as refusal:
            if refusal.aws_code == "ResourceNotFoundException":
                return None
            raise
        return execution_in(reply.get("SecretString", ""))

    async def _name_image(self, repository: str, digest: str, tag: str) -> None:
        """Give the image one more tag, which ECR tells EventBridge as a push. Repeatable."""
        found = await self._clients.call(
            "ecr", "BatchGetImage", repositoryName=repository, imageIds=[{"imageDigest": digest}]
        )
        if not found["images"]:
            raise Permanent("image_gone", image=f"{repository}@{digest}")
        image = found["images"][0]
        media = {"imageManifestMediaType": image["imageManifestMediaType"]} if "imageManifestMediaType" in image else {}
        try:
            await self._clients.call(
                "ecr",
                "PutImage",
                repositoryName=repository,
                imageManifest=image["imageManifest"],
                imageTag=tag,
                imageDigest=digest,
                **media,
            )
        except AwsRefusal as refusal:
            if refusal.aws_code != "ImageAlreadyExistsException":
                raise

    async def _require_state_machine(self, arn: str) -> None:
        try:
            await self._clients.call("stepfunctions", "DescribeStateMachine", stateMachineArn=arn)
        except AwsRefusal as refusal:
            if refusal.aws_code in {"StateMachineDoesNotExist", "InvalidArn"}:
                raise Permanent("state_machine_missing", state_machine=arn) from refusal
            raise

    async def _serving(self, followed: Followed) -> str | None:
        """The task definition the named service runs now; None where no service is named or it is not there."""
        if followed.service is None:
            return None
        service = await services.look(self._clients, followed.cluster, followed.service)
        return service.task_definition if service else None

    async def _after_failure(self, execution: str) -> RolloutStatus:
        """Only a service seen to run what it ran before counts as put back; else somebody has to look."""
        given = await self._input_of(execution)
        service, before = given.get("service"), given.get("before")
        if not service or not before:
            return RolloutStatus.STUCK
        seen = await services.look(self._clients, str(given.get("cluster") or "default"), str(service))
        return RolloutStatus.UNDONE if seen and seen.task_definition == before else RolloutStatus.STUCK

    async def _input_of(self, execution: str) -> Mapping[str, Any]:
        reply = await self._clients.call("stepfunctions", "DescribeExecution", executionArn=execution)
        given: Any = json.loads(reply.get("input") or "{}")
        return given if isinstance(given, dict) else {}


def followed_by(spec: RolloutSpec) -> Followed:
    """What the settings say. Raises Permanent("ecs_setting_missing", names)."""
    given = dict(spec.place.get("follow") or {})
    missing = [f"follow.{name}" for name in NEEDED if not given.get(name)]
    if missing:
        raise Permanent("ecs_setting_missing", names=missing)
    return Followed(**given)


def image_parts(uri: str) -> tuple[str, str]:
    """`host/name@sha256:…` → name and digest. Raises Permanent("image_not_in_registry") for one that was not pushed."""
    name, at, digest = uri.partition("@")
    if not at or "/" not in name:
        raise Permanent("image_not_in_registry", image=uri)
    return name.partition("/")[2], digest


def execution_in(secret: str) -> str | None:
    """The ARN in a secret: JSON with `ExecutionArn`, or the ARN alone."""
    try:
        told = json.loads(secret)
    except ValueError:
        told = secret.strip()
    found = told.get("ExecutionArn") if isinstance(told, dict) else told
    return str(found) if isinstance(found, str) and is_execution(found) else None


def is_execution(rollout: str) -> bool:
    """Whether a rollout's id is the ARN of an execution."""
    return ":execution:" in rollout


def _deployment(spec: RolloutSpec, prepared: Prepared) -> str:
    return spec.job_id if prepared.last_rollout is None else spec.job_id + AGAIN


def _job(deployment: str) -> str:
    return deployment.removesuffix(AGAIN)


def _told_as(seen: list[Step]) -> tuple[RolloutStep, ...]:
    return tuple(RolloutStep(step.id, step.kind.value, step.state, step.reason) for step in seen if not step.end)
