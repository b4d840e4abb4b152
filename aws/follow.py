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
from bot.ports import LogSink, Prepared, RolloutSpec, RolloutStatus, RolloutStep, RolloutView, TrafficStats

SECRET = "shipmate-deployment-"  # noqa: S105 (a name's beginning, no secret)
LOOK_EVERY_S = 0.1
LOOK_FOR_S = 3.0
NEEDED = ("state_machine", "events_role")


@dataclass(frozen=True, slots=True)
class Followed:
    """What the environment's settings say of the state machine and of what it changes."""

    state_machine: str
    events_role: str
    cluster: str = "default"
    service: str | None = None
    url: str = ""


class FollowedRollouts:
    """A `ports.Rollouts` over a state machine. `owner` marks the rules this installation makes."""

    name = "ecs"

    def __init__(self, clients: AwsClients, owner: str, *, look_for_s: float = LOOK_FOR_S) -> None:
        self._clients, self._owner, self._look_for_s = clients, owner, look_for_s

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

    async def begin(self, spec: RolloutSpec, prepared: Prepared, *, gated: bool = True) -> str:
        """Arm the rule and name the image by the deployment's tag, which starts the execution; answers its ARN.

        Repeatable: an execution that began is found by its secret, and a tag that stands is not put again.
        Raises Permanent("execution_unknown") when none told its ARN in time.
        """
        followed = followed_by(spec)
        known = await self._told(spec.job_id)
        if known is not None:
            return known
        repository, digest = image_parts(spec.image)
        tag = f"shipmate-{spec.job_id}"
        given = {"cluster": followed.cluster, "service": followed.service, "before": prepared.before}
        trigger = Trigger(spec.job_id, repository, tag, followed.state_machine, followed.events_role, given)
        await triggers.arm(self._clients, trigger, self._owner)
        await self._name_image(repository, digest, tag)
        return await self._execution(spec.job_id, followed.state_machine)

    async def look(self, rollout: str) -> RolloutView:
        """One call while it runs; once it is over, also whether what served before serves again."""
        seen = await history(self._clients, rollout)
        end = end_of(seen)
        if end is None:
            return RolloutView(RolloutStatus.GOING, running(seen), happened=_told_as(seen))
        given = await self._input_of(rollout)
        await triggers.disarm(self._clients, str(given.get("deploymentId", "")))
        status = RolloutStatus.DONE if end.end is End.SUCCEEDED else await self._after_failure(given)
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
        """Remove the rule and the secret of this job. Repeatable."""
        await triggers.disarm(self._clients, spec.job_id)
        try:
            await self._clients.call(
                "secretsmanager", "DeleteSecret", SecretId=SECRET + spec.job_id, ForceDeleteWithoutRecovery=True
            )
        except AwsRefusal as refusal:
            if refusal.aws_code != "ResourceNotFoundException":
                raise

    async def _execution(self, deployment: str, state_machine: str) -> str:
        until = time.monotonic() + self._look_for_s
        while True:
            told = await self._told(deployment)
            if told is not None:
                return told
            if time.monotonic() >= until:
                raise Permanent("execution_unknown", seconds=self._look_for_s, state_machine=state_machine)
            await asyncio.sleep(LOOK_EVERY_S)

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

    async def _after_failure(self, given: Mapping[str, Any]) -> RolloutStatus:
        """Only a service seen to run what it ran before counts as put back; else somebody has to look."""
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
    return str(found) if isinstance(found, str) and ":execution:" in found else None


def _told_as(seen: list[Step]) -> tuple[RolloutStep, ...]:
    return tuple(RolloutStep(step.id, step.kind.value, step.state, step.reason) for step in seen if not step.end)
