"""Tasks that the emulated ECS runs on their own, and those of services that ended: what there is to say about them."""

from __future__ import annotations

import os
import subprocess
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.logs.models import logs_backends

from tests.aws.emulator.account import ACCOUNT, REGION
from tests.aws.emulator.operations import put_in
from tests.aws.emulator.rollout import definition_of


@dataclass
class Ended:
    """A task as DescribeTasks tells it."""

    cluster: str
    told: dict[str, Any]
    service: str | None = None


@dataclass
class SingleTasks:
    """Every task that was run alone, by its ARN; a command runs as a process of this machine."""

    known: dict[str, Ended] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _forgotten: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """As two hours later: of what has stopped nothing is told any more, though its token still means it."""
        for arn, one in self.known.items():
            if one.told["lastStatus"] == "STOPPED":
                one.told["createdAt"] -= timedelta(hours=2)
                self._forgotten.add(arn)

    def install(self) -> None:
        """Put the operations into moto."""
        put_in(
            {
                "run_task": self._run,
                "describe_tasks": self._describe,
                "list_tasks": self._list,
                "stop_task": self._stop,
            }
        )

    def note(self, cluster: str, service: str, exit_code: int) -> None:
        """A service's task that ended by itself."""
        told = _told(cluster) | {
            "lastStatus": "STOPPED",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "app", "exitCode": exit_code}],
        }
        self.known[told["taskArn"]] = Ended(cluster, told, service)

    def _run(self, call: Any) -> ActionResult:
        token, cluster = call._get_param("clientToken"), call._get_param("cluster")
        call.ecs_backend._get_cluster(cluster)
        if token not in self._tokens:
            told = _told(cluster)
            self._tokens[token] = told["taskArn"]
            self.known[told["taskArn"]] = Ended(cluster, told)
            overrides = call._get_param("overrides")["containerOverrides"][0]
            container = definition_of(call._get_param("taskDefinition"))
            threading.Thread(target=self._follow, args=(told, container, overrides["command"]), daemon=True).start()
        return ActionResult({"tasks": [self.known[self._tokens[token]].told], "failures": []})

    def _follow(self, told: dict[str, Any], container: dict[str, Any], command: list[str]) -> None:
        environment = {one["name"]: one["value"] for one in container.get("environment", [])}
        try:
            child = subprocess.Popen(
                command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            told["containers"] = [{"name": container["name"], "reason": f"CannotStartContainerError: {error}"}]
            told["lastStatus"] = "STOPPED"
            return
        self._running[told["taskArn"]] = child
        told["lastStatus"] = "RUNNING"
        written, _ = child.communicate()
        _log(container, told["taskArn"], written)
        told["containers"] = [{"name": container["name"], "exitCode": child.returncode}]
        told["lastStatus"] = "STOPPED"

    def _stop(self, call: Any) -> ActionResult:
        arn = call._get_param("task")
        if arn not in self.known:
            raise InvalidParameterException("The referenced task was not found.")
        self._running[arn].terminate()
        return ActionResult({"task": self.known[arn].told})

    def _describe(self, call: Any) -> ActionResult:
        arns = call._get_param("tasks")
        known = self.known.keys() - self._forgotten
        missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
        return ActionResult({"tasks": [self.known[arn].told for arn in arns if arn in known], "failures": missing})

    def _list(self, call: Any) -> ActionResult:
        cluster, service = call._get_param("cluster"), call._get_param("serviceName")
        wanted = call._get_param("desiredStatus") or "RUNNING"
        found = [
            arn
            for arn, one in self.known.items()
            if one.cluster == cluster
            and service in (None, one.service)
            and (wanted == "STOPPED") == (one.told["lastStatus"] == "STOPPED")
        ]
        return ActionResult({"taskArns": found[::-1]})


def _told(cluster: str) -> dict[str, Any]:
    return {
        "taskArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{cluster}/{uuid.uuid4().hex}",
        "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{cluster}",
        "lastStatus": "PROVISIONING",
        "createdAt": datetime.now(UTC),
        "containers": [],
    }


def _log(container: dict[str, Any], arn: str, written: str) -> None:
    """Into CloudWatch Logs, where the container is told to write there and the group is there."""
    options = container.get("logConfiguration", {}).get("options", {})
    backend = logs_backends[ACCOUNT][REGION]
    group = options.get("awslogs-group")
    if group not in backend.groups:
        return
    stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{arn.rpartition('/')[2]}"
    backend.create_log_stream(group, stream)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    backend.put_log_events(group, stream, [{"timestamp": now_ms, "message": line} for line in written.splitlines()])
