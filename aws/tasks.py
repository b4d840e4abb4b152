"""Runs single tasks to their end, and says why a service's tasks ended and what they wrote last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws.clients import AwsClients
from aws.definition import CONTAINER, command_words
from aws.errors import AwsRefusal
from aws.place import Place
from aws.repeat import token
from aws.services import network
from bot.errors import Permanent
from bot.ports.images import LogSink
from bot.ports.rollouts import Pace, RolloutSpec

LOG_LINES = 200
REMEMBERED = timedelta(hours=1)
"""ECS tells of a task for an hour at least after it stopped.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
"""


@dataclass(frozen=True, slots=True)
class _Task:
    """A task that was asked for: now, or by a life before this one."""

    arn: str
    created_at: datetime


async def run_once(
    clients: AwsClients, spec: RolloutSpec, place: Place, revision: str, command: str, log: LogSink, pace: Pace
) -> int:
    """Run a command in the new version; answers its exit code. Cancelling stops the task. Repeatable by its token.

    Raises Permanent("start_failed", message) for a task that never ran, and "release_task_forgotten" (task, command)
    for one that ended so long ago that ECS cannot tell how.
    """
    task = await _started(clients, spec, place, revision, command)
    try:
        ended = await _until_stopped(clients, place, task, pace)
    except asyncio.CancelledError:
        stopping = clients.call("ecs", "StopTask", cluster=place.cluster, task=task.arn, reason="cancelled")
        await asyncio.gather(asyncio.shield(stopping), return_exceptions=True)  # whoever cancelled is to see that
        raise
    for line in await written(clients, spec, place, task.arn, LOG_LINES):
        log(line)
    if ended is None:
        raise Permanent("release_task_forgotten", task=task.arn.rpartition("/")[2], command=command)
    container: Mapping[str, Any] = ended["containers"][0] if ended.get("containers") else {}
    if container.get("exitCode") is None:
        raise Permanent("start_failed", message=str(container.get("reason") or ended.get("stoppedReason", "")))
    return int(container["exitCode"])


async def _started(clients: AwsClients, spec: RolloutSpec, place: Place, revision: str, command: str) -> _Task:
    override = {"containerOverrides": [{"name": CONTAINER, "command": command_words(command)}]}
    reply = await clients.call(
        "ecs",
        "RunTask",
        cluster=place.cluster,
        taskDefinition=revision,
        launchType=place.launch_type,
        networkConfiguration=network(place),
        overrides=override,
        startedBy=spec.job_id[:36],
        clientToken=token(spec.job_id, "release"),
        count=1,
    )
    if not reply.get("tasks"):
        reasons = [str(one.get("reason", "")) for one in reply.get("failures", [])]
        raise Permanent("start_failed", message=", ".join(reasons))
    told = reply["tasks"][0]
    return _Task(str(told["taskArn"]), told.get("createdAt") or datetime.now(UTC))


async def _until_stopped(clients: AwsClients, place: Place, task: _Task, pace: Pace) -> Mapping[str, Any] | None:
    """The task as it ended; None for one that nobody knows any more. A new one may take a moment to be known."""
    wait_s = pace.first_s
    while True:
        reply = await clients.call("ecs", "DescribeTasks", cluster=place.cluster, tasks=[task.arn])
        told: list[Mapping[str, Any]] = reply.get("tasks", [])
        if told and told[0]["lastStatus"] == "STOPPED":
            return told[0]
        if not told and datetime.now(UTC) - task.created_at > REMEMBERED:
            return None
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 1.5, pace.longest_s)


async def why_ended(clients: AwsClients, cluster: str, service: str) -> tuple[list[str], list[str]]:
    """Why the service's tasks that stopped last did, one sentence each, and their ARNs; at most ten."""
    listed = await clients.call(
        "ecs", "ListTasks", cluster=cluster, serviceName=service, desiredStatus="STOPPED", maxResults=10
    )
    if not listed["taskArns"]:
        return [], []
    reply = await clients.call("ecs", "DescribeTasks", cluster=cluster, tasks=listed["taskArns"])
    return [_sentence(task) for task in reply["tasks"]], [str(task["taskArn"]) for task in reply["tasks"]]


async def written(clients: AwsClients, spec: RolloutSpec, place: Place, task: str, lines: int) -> list[str]:
    """The last lines a task wrote, oldest first; none where it keeps no log."""
    if not place.log_group:
        return []
    stream = f"{spec.service}/{CONTAINER}/{task.rpartition('/')[2]}"
    return await log_lines(clients, place.log_group, stream, lines)


async def log_lines(clients: AwsClients, group: str, stream: str, lines: int) -> list[str]:
    """The last lines of a log stream; none where it is not there."""
    try:
        reply = await clients.call(
            "logs", "GetLogEvents", logGroupName=group, logStreamName=stream, limit=lines, startFromHead=False
        )
    except AwsRefusal as refusal:
        if refusal.aws_code == "ResourceNotFoundException":
            return []
        raise
    return [str(event["message"]).rstrip("\n") for event in reply["events"]]


def _sentence(task: Mapping[str, Any]) -> str:
    codes = [str(one["exitCode"]) for one in task.get("containers", []) if one.get("exitCode") is not None]
    reasons = [str(one["reason"]) for one in task.get("containers", []) if one.get("reason")]
    told = [str(task.get("stoppedReason", "")), *reasons, *(f"exit code {code}" for code in codes)]
    return f"{str(task['taskArn']).rpartition('/')[2]}: {', '.join(part for part in told if part)}"
