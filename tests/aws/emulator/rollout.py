"""One service deployment of the emulated ECS, walked through its lifecycle stages with real tasks and real weights.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.ecs.models import Service, ecs_backends
from moto.elbv2.models import elbv2_backends

from tests.aws.emulator.account import ACCOUNT, REGION
from tests.aws.emulator.balancer import Balancer
from tests.aws.emulator.tasks import Machine, Running, answers_well, until
from tests.patience import ENOUGH_S

UNHEALTHY = 25
"""So many checks that are answered badly make a task unwell, however busy the machine is that starts it."""
DRAIN_LIMIT_S = 10.0


class _Undo(Exception):
    """The deployment goes back, for this reason."""


@dataclass
class Revision:
    """A version of a service: what runs of it, and the target group it is registered in."""

    arn: str
    task_definition: str
    created: datetime
    group: str | None
    port: int
    tasks: list[Running] = field(default_factory=list)
    weight: float = 0.0
    test_weight: float = 0.0

    def seen(self) -> dict[str, Any]:
        """As DescribeServiceDeployments tells it."""
        return {
            "arn": self.arn,
            "requestedTaskCount": len(self.tasks),
            "runningTaskCount": sum(task.exit_code() is None for task in self.tasks),
            "pendingTaskCount": 0,
            "requestedProductionTrafficWeight": self.weight,
            "requestedTestTrafficWeight": self.test_weight,
        }


@dataclass
class Place:
    """What deployments happen on. `minute_s` is how many seconds a minute of bake time lasts here.

    A pause waits its real minutes: who is to end it may be killed and begin anew on a busy machine meanwhile.

    `lasts_s`: how long each lifecycle stage lasts at least, read all the while; one that is not named is over when its
    work is.
    """

    machine: Machine
    balancer: Balancer
    minute_s: float = 0.5
    lasts_s: dict[str, float] = field(default_factory=dict)
    rollbacks_fail: bool = False
    ended: Callable[[str, str, int], None] = lambda cluster, service, exit_code: None


class Rollout:
    """One deployment, on a thread of its own until its status is final."""

    def __init__(self, place: Place, service: Service, before: Revision | None) -> None:
        self._place = place
        self._service = service
        self._config: dict[str, Any] = dict(getattr(service, "deployment_configuration", None) or {})
        self._stop = threading.Event()
        self._answers: dict[str, str] = {}
        self._hooks: list[dict[str, Any]] = []
        self._minute_s = place.minute_s
        self.before = before
        self.created = datetime.now(UTC)
        self.finished: datetime | None = None
        self.paused_s = 0.0
        """How long its pauses waited for an answer."""
        self.status, self.stage, self.reason = "PENDING", "RECONCILE_SERVICE", ""
        self.undone: dict[str, Any] | None = None
        number = uuid.uuid4().hex[:21]
        base = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
        self.arn = f"{base}:service-deployment/{service.cluster_name}/{service.name}/{number}"
        revision = f"{base}:service-revision/{service.cluster_name}/{service.name}/{uuid.uuid4().int % 10**19}"
        self.after = Revision(revision, self._definition_arn(), self.created, *self._free_group())
        self._alarms = self._watched_alarms()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.finished is not None

    @property
    def own_s(self) -> float:
        """How long it took, or takes so far, without the pauses that wait for an answer."""
        return ((self.finished or datetime.now(UTC)) - self.created).total_seconds() - self.paused_s

    def described(self) -> dict[str, Any]:
        """As DescribeServiceDeployments answers."""
        return {
            **self.listed(),
            "updatedAt": datetime.now(UTC),
            "lifecycleStage": self.stage,
            "targetServiceRevision": self.after.seen(),
            "sourceServiceRevisions": [self.before.seen()] if self.before else [],
            "deploymentConfiguration": self._config,
            "lifecycleHookDetails": [dict(hook) for hook in self._hooks],
            **({"rollback": self.undone} if self.undone else {}),
            **({"alarms": self._alarms} if self._alarms else {}),
        }

    def listed(self) -> dict[str, Any]:
        """As ListServiceDeployments answers."""
        return {
            "serviceDeploymentArn": self.arn,
            "serviceArn": self._service.arn,
            "clusterArn": self._service.cluster_arn,
            "createdAt": self.created,
            "startedAt": self.created,
            **({"finishedAt": self.finished} if self.finished else {}),
            "targetServiceRevisionArn": self.after.arn,
            "status": self.status,
            "statusReason": self.reason,
        }

    def stop(self) -> None:
        """StopServiceDeployment with ROLLBACK."""
        self.status = "ROLLBACK_REQUESTED"
        self._stop.set()

    def answer(self, hook_id: str, action: str) -> bool:
        """ContinueServiceDeployment; False when no such hook waits."""
        waiting = any(hook["hookId"] == hook_id and hook["status"] == "AWAITING_ACTION" for hook in self._hooks)
        if waiting:
            self._answers.setdefault(hook_id, action)
        return waiting

    def _run(self) -> None:
        self.status = "IN_PROGRESS"
        try:
            self._go_forward()
            self.status = "SUCCESSFUL"
        except Exception as error:  # noqa: BLE001 - whatever goes wrong sends it back, as ECS does
            self._go_back(str(error) or type(error).__name__)
        self.finished = datetime.now(UTC)

    def _go_forward(self) -> None:
        self._enter("RECONCILE_SERVICE")
        self._enter("PRE_SCALE_UP")
        self._scale_up()
        self._enter("POST_SCALE_UP")
        if self._rolling:
            self._register()
        else:
            self._register()
            self._shift_test()
            self._shift_production()
            self._bake("BAKE_TIME", float(self._config.get("bakeTimeInMinutes") or 0))
        self._enter("CLEAN_UP")
        if self.before:
            self._retire(self.before)
        self._tell_service(self.after)

    @property
    def _rolling(self) -> bool:
        return str(self._config.get("strategy", "ROLLING")) == "ROLLING"

    def _enter(self, stage: str) -> None:
        """Go to a stage and stay there as long as it lasts, and while a hook of it pauses."""
        self.stage = stage
        self._wait(lambda: self._place.lasts_s.get(stage, 0.0))
        for hook in self._config.get("lifecycleHooks") or []:
            if hook.get("targetType") == "PAUSE" and stage in hook["lifecycleStages"]:
                self._pause(hook)
        self._look_out()

    def _pause(self, hook: dict[str, Any]) -> None:
        limit = hook.get("timeoutConfiguration") or {}
        minutes = float(limit.get("timeoutInMinutes", 1440))
        known = {
            "hookId": f"ecs-pause-{uuid.uuid4().hex}",
            "targetType": "PAUSE",
            "status": "AWAITING_ACTION",
            "expiresAt": datetime.now(UTC) + timedelta(minutes=minutes),
            "timeoutAction": limit.get("action", "ROLLBACK"),
        }
        self._hooks.append(known)
        began = time.monotonic()
        answered = until(
            began + minutes * 60,
            lambda: known["hookId"] in self._answers or self._stop.is_set(),
        )
        self.paused_s += time.monotonic() - began
        action = self._answers.get(known["hookId"]) or (known["timeoutAction"] if not answered else "ROLLBACK")
        known["status"] = "TIMED_OUT" if not answered else "SUCCEEDED" if action == "CONTINUE" else "FAILED"
        if action != "CONTINUE":
            raise _Undo("the lifecycle hook asked for a rollback")

    def _look_out(self) -> None:
        """Whether somebody, or an alarm that is watched, sends it back."""
        if self._stop.is_set():
            raise _Undo("Service deployment stopped by user.")
        if self._alarms and self._alarms["status"] == "MONITORING":
            ringing = [name for name in self._alarms["alarmNames"] if _rings(name)]
            if ringing:
                self._alarms |= {"status": "TRIGGERED", "triggeredAlarmNames": ringing}
                raise _Undo(f"Service deployment rolled back because of alarm {ringing[0]}.")

    def _bake(self, stage: str, minutes: float) -> None:
        self._enter(stage)
        self._wait(lambda: minutes * self._minute_s)

    def _wait(self, seconds: Callable[[], float]) -> None:
        """Let time pass, unless it is sent back."""
        began = time.monotonic()
        while time.monotonic() < began + seconds():
            self._look_out()
            time.sleep(0.02)

    def _scale_up(self) -> None:
        self._enter("SCALE_UP")
        definition = definition_of(self.after.task_definition)
        path = self._group(self.after.group).health_check_path or "/" if self.after.group else None
        for _ in range(self._service.desired_count):
            self.after.tasks.append(self._place.machine.start(definition))
        bad = 0

        def up() -> bool:
            nonlocal bad
            self._look_out()
            for task in self.after.tasks:
                code = task.exit_code()
                if code is not None:
                    self._place.ended(self._service.cluster_name, self._service.name, code)
                    raise _Undo(f"tasks failed to start: Essential container in task exited ({code}).")
            seen = [path is None or answers_well(task.address, self.after.port, path) for task in self.after.tasks]
            bad += any(well is False for well in seen)
            return all(seen) or bad >= UNHEALTHY

        if not until(time.monotonic() + ENOUGH_S, up) or bad >= UNHEALTHY:
            raise _Undo("tasks failed ELB health checks")
        self._service.running_count = len(self.after.tasks)

    def _register(self) -> None:
        if self.after.group:
            targets = [{"Id": task.address, "Port": self.after.port} for task in self.after.tasks]
            _elb().register_targets(self.after.group, targets)

    def _shift_test(self) -> None:
        self._enter("TEST_TRAFFIC_SHIFT")
        rule = self._advanced.get("testListenerRule")
        if rule:
            self._weigh(rule, {self.after.group: 100})
        self.after.test_weight = 100.0
        self._enter("POST_TEST_TRAFFIC_SHIFT")

    def _shift_production(self) -> None:
        for percent, minutes in self._steps():
            self._enter("PRE_PRODUCTION_TRAFFIC_SHIFT")
            self._enter("PRODUCTION_TRAFFIC_SHIFT")
            self._share(percent)
            self._bake("PRODUCTION_TRAFFIC_SHIFT", minutes)
        self._enter("POST_PRODUCTION_TRAFFIC_SHIFT")

    def _steps(self) -> list[tuple[float, float]]:
        """Percent of production traffic and minutes of baking, step by step."""
        canary, linear = self._config.get("canaryConfiguration"), self._config.get("linearConfiguration")
        if self.before is None:
            return [(100.0, 0.0)]
        if self._config.get("strategy") == "CANARY":
            given = canary or {}
            return [(given.get("canaryPercent", 5.0), given.get("canaryBakeTimeInMinutes", 10)), (100.0, 0.0)]
        if self._config.get("strategy") == "LINEAR":
            step, minutes = (linear or {}).get("stepPercent", 10.0), (linear or {}).get("stepBakeTimeInMinutes", 6)
            shares = [step * number for number in range(1, int(100 / step) + 1) if step * number < 100]
            return [*((share, minutes) for share in shares), (100.0, 0.0)]
        return [(100.0, 0.0)]

    def _share(self, percent: float) -> None:
        shares = {self.after.group: percent}
        if self.before and self.before.group:
            shares[self.before.group] = 100 - percent
            self.before.weight = 100 - percent
        elif self._advanced.get("alternateTargetGroupArn"):
            shares[self._other_group(self.after.group)] = 0
        self.after.weight = percent
        self._weigh(self._advanced["productionListenerRule"], shares)

    def _weigh(self, rule: str, shares: dict[str | None, float]) -> None:
        there = _elb().target_groups
        groups = [{"TargetGroupArn": arn, "Weight": int(share)} for arn, share in shares.items() if arn in there]
        _elb().modify_rule(rule, [], [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])

    def _go_back(self, reason: str) -> None:
        """Blue has everything again, then green goes; a first deployment has nothing to go back to."""
        self.reason, self.status = reason, "ROLLBACK_IN_PROGRESS"
        self.undone = {"reason": reason, "startedAt": datetime.now(UTC)}
        if self.before is None:
            self.status, self.reason = "ROLLBACK_FAILED", "No rollback candidate was found to run the rollback."
            return
        if self._place.rollbacks_fail:
            self.status, self.reason = "ROLLBACK_FAILED", "The rollback did not reach a steady state."
            return
        self.undone["serviceRevisionArn"] = self.before.arn
        if not self._rolling and self.before.group and self.after.weight:
            self.after.weight, self.before.weight = 0.0, 100.0
            rule = self._advanced["productionListenerRule"]
            self._weigh(rule, {self.before.group: 100, self.after.group: 0})
        if self._advanced.get("testListenerRule") and self.after.test_weight:
            self._weigh(self._advanced["testListenerRule"], {self.before.group: 100})
        self._retire(self.after)
        self._tell_service(self.before)
        self.status = "ROLLBACK_SUCCESSFUL"

    def _retire(self, revision: Revision) -> None:
        for task in revision.tasks:
            group = _elb().target_groups.get(revision.group)
            if group is not None and task.address in group.targets:
                _elb().deregister_targets(revision.group, [{"Id": task.address, "Port": revision.port}])
            drained = lambda task=task: self._place.balancer.is_drained(task.address, revision.port)  # noqa: E731
            until(time.monotonic() + DRAIN_LIMIT_S, drained)
            task.stop()
        revision.tasks.clear()

    def _tell_service(self, revision: Revision) -> None:
        """What DescribeServices shows from now on."""
        service = self._service
        service.task_definition = revision.task_definition
        service.running_count, service.pending_count = len(revision.tasks), 0
        service.deployments = [
            {
                "id": f"ecs-svc/{uuid.uuid4().int % 10**18}",
                "status": "PRIMARY",
                "taskDefinition": revision.task_definition,
                "desiredCount": service.desired_count,
                "runningCount": len(revision.tasks),
                "pendingCount": 0,
                "failedTasks": 0,
                "rolloutState": "COMPLETED",
                "createdAt": revision.created,
                "updatedAt": datetime.now(UTC),
                "launchType": service.launch_type,
            }
        ]

    def _watched_alarms(self) -> dict[str, Any] | None:
        """An alarm that fires already when a deployment begins switches the watching off."""
        alarms = self._config.get("alarms") or {}
        if not alarms.get("enable"):
            return None
        names = list(alarms["alarmNames"])
        watching = not any(_rings(name) for name in names)
        return {
            "status": "MONITORING" if watching else "DISABLED",
            "alarmNames": names,
            "triggeredAlarmNames": [],
        }

    @property
    def _advanced(self) -> dict[str, Any]:
        balancers = self._service.load_balancers
        return dict(balancers[0].get("advancedConfiguration") or {}) if balancers else {}

    def _definition_arn(self) -> str:
        return str(ecs_backends[ACCOUNT][REGION].describe_task_definition(str(self._service.task_definition)).arn)

    def _free_group(self) -> tuple[str | None, int]:
        """The target group that serves nothing now, and the port of its targets."""
        if not self._service.load_balancers:
            return None, 0
        balancer = self._service.load_balancers[0]
        group = str(balancer["targetGroupArn"])
        if not self._rolling and self.before and self.before.group:
            group = self._other_group(self.before.group)
        return group, int(balancer["containerPort"])

    def _other_group(self, arn: str | None) -> str:
        first, second = self._service.load_balancers[0]["targetGroupArn"], self._advanced["alternateTargetGroupArn"]
        return str(second if arn == first else first)

    def _group(self, arn: str | None) -> Any:
        return _elb().target_groups[str(arn)]


def definition_of(reference: str) -> dict[str, Any]:
    """The first container of a task definition."""
    found = ecs_backends[ACCOUNT][REGION].describe_task_definition(reference)
    return dict(found.container_definitions[0])


def _elb() -> Any:
    return elbv2_backends[ACCOUNT][REGION]


def _rings(alarm: str) -> bool:
    known = cloudwatch_backends[ACCOUNT][REGION].alarms.get(alarm)
    return known is not None and known.state_value == "ALARM"
