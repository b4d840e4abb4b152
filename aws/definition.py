"""Writes a version of a service as a task definition: pure, the same settings give the same definition."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from typing import Any

from aws.place import Place
from bot.errors import Permanent
from bot.ports.rollouts import RolloutSpec

CONTAINER = "app"
STOP_S = 30
_SHELLS_OWN = re.compile(r"[|&;<>()$`\\\"'*?#~=%\[\]{}\n]|^(?:cd|exec|exit|export|set|ulimit|umask)\s")
"""Characters and words that only a shell understands."""
_GIB = 1024
FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
"""CPU units → MiB. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""


def fargate_size(cpus: float, memory_mb: int) -> tuple[int, int]:
    """The smallest size Fargate has with at least so much: CPU units and MiB. Raises Permanent("ecs_too_large")."""
    for units, sizes in FARGATE_MEMORY.items():
        enough = [size for size in sizes if size >= memory_mb]
        if units >= math.ceil(cpus * 1024) and enough:
            return units, enough[0]
    raise Permanent("ecs_too_large", cpus=cpus, memory_mb=memory_mb)


def command_words(command: str) -> list[str]:
    """A command as words, through a shell only where it needs one."""
    if command.strip() and not _SHELLS_OWN.search(command):
        return shlex.split(command)
    return ["/bin/sh", "-c", command]


def task_definition(spec: RolloutSpec, place: Place, secrets: Mapping[str, str], region: str | None) -> dict[str, Any]:
    """The parameters of RegisterTaskDefinition, without tags. `secrets`: variable → reference."""
    fargate = place.launch_type == "FARGATE"
    units, memory_mb = fargate_size(spec.cpus, spec.memory_mb) if fargate else (math.ceil(spec.cpus * 1024), 0)
    wanted: dict[str, Any] = {
        "family": place.family or spec.service,
        "networkMode": "awsvpc",
        "requiresCompatibilities": [place.launch_type],
        "cpu": str(units),
        "memory": str(memory_mb or spec.memory_mb),
        "containerDefinitions": [_container(spec, place, secrets, region)],
        "volumes": [{"name": "tmp"}] if spec.read_only else [],
    }
    roles = {"executionRoleArn": place.execution_role, "taskRoleArn": place.task_role}
    return wanted | {name: role for name, role in roles.items() if role}


def _container(spec: RolloutSpec, place: Place, secrets: Mapping[str, str], region: str | None) -> dict[str, Any]:
    env = {"PORT": str(spec.port), **spec.env}
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": spec.image,
        "essential": True,
        "portMappings": [{"containerPort": spec.port, "protocol": "tcp"}],
        "environment": [{"name": name, "value": env[name]} for name in sorted(env)],
        "secrets": [{"name": name, "valueFrom": secrets[name]} for name in sorted(secrets)],
        "readonlyRootFilesystem": spec.read_only,
        "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}] if spec.read_only else [],  # noqa: S108
        "linuxParameters": {"initProcessEnabled": True},
        "stopTimeout": STOP_S,
    }
    if spec.command is not None:
        container["command"] = command_words(spec.command)
    if place.log_group:
        container["logConfiguration"] = _logs(spec, place.log_group, region)
    return container


def _logs(spec: RolloutSpec, group: str, region: str | None) -> dict[str, Any]:
    options = {"awslogs-group": group, "awslogs-stream-prefix": spec.service}
    return {"logDriver": "awslogs", "options": options | ({"awslogs-region": region} if region else {})}
