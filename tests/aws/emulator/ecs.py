"""What the emulated ECS lacks: service deployments and revisions, with `Rollout`s behind CreateService and the rest."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import Service
from moto.ecs.responses import EC2ContainerServiceResponse as Ecs

from tests.aws.emulator.operations import Operation, put_in
from tests.aws.emulator.rollout import Place, Revision, Rollout


class NoSuchDeployment(ECSException):
    """The answer to an ARN nobody knows."""

    def __init__(self) -> None:
        super().__init__("ServiceDeploymentNotFoundException", "Service deployment not found.")


class Services:
    """Every service's deployments, oldest first, and what each service runs now."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._rollouts: dict[str, list[Rollout]] = {}
        self._tokens: dict[str, str] = {}
        self._lock = threading.RLock()

    def install(self) -> None:
        """Put the operations into moto."""
        create, update, delete = Ecs.create_service, Ecs.update_service, Ecs.delete_service
        listing = Ecs.list_services
        operations: dict[str, Operation] = {
            "create_service": lambda call: self._create(call, create),
            "update_service": lambda call: self._update(call, update),
            "delete_service": lambda call: self._delete(call, delete),
            "list_services": lambda call: self._list_active(call, listing),
            "list_service_deployments": self._list,
            "describe_service_deployments": self._describe,
            "describe_service_revisions": self._describe_revisions,
            "stop_service_deployment": self._stop,
            "continue_service_deployment": self._continue,
        }
        put_in(operations)

    def stop_everything(self) -> None:
        """End all deployments and tasks: what a test leaves running is no burden to the next."""
        for rollout in (one for known in self._rollouts.values() for one in known):
            if not rollout.is_over:
                rollout.stop()
            while rollout.after.tasks:
                rollout.after.tasks.pop().stop()

    def told(self) -> list[dict[str, Any]]:
        """Each deployment that is over: its service's name, and how long it took without the pauses we answer."""
        over = [(arn, one) for arn, known in self._rollouts.items() for one in known if one.finished]
        return [{"service": arn.rpartition("/")[2], "own_s": one.own_s} for arn, one in over]

    def _create(self, call: Any, inner: Operation) -> ActionResult:
        """A second call with the same token answers the same service; with another it is refused, as ECS does."""
        with self._lock:
            name, token = call._get_param("serviceName"), call._get_param("clientToken")
            known = self._known(call, name)
            if known is not None and known.status == "ACTIVE":
                if token is None or self._tokens.get(known.arn) != token:
                    raise InvalidParameterException("Creation of service was not idempotent.")
                return ActionResult({"service": known})
            answer = inner(call)
            service = self._known(call, name)
            assert service is not None
            self._tokens[service.arn] = token
            self._configure(call, service)
            self._rollouts[service.arn] = [Rollout(self._place, service, None)]
            return answer

    def _update(self, call: Any, inner: Operation) -> ActionResult:
        with self._lock:
            service = self._known(call, call._get_param("service"))
            if service is None or service.status != "ACTIVE":
                raise ServiceNotFoundException
            rollouts = self._rollouts[service.arn]
            definition = call._get_param("taskDefinition")
            if definition and not rollouts[-1].is_over:
                if rollouts[-1].after.task_definition == definition:
                    return ActionResult({"service": service})
                raise InvalidParameterException("a deployment of this service is under way already")
            answer = inner(call)
            self._configure(call, service)
            if definition or call._get_param("forceNewDeployment"):
                rollouts.append(Rollout(self._place, service, self._running(service)))
            return answer

    def _delete(self, call: Any, inner: Operation) -> ActionResult:
        with self._lock:
            service = self._known(call, call._get_param("service"))
            for rollout in self._rollouts.pop(service.arn, []) if service else []:
                rollout.stop()
                for task in rollout.after.tasks:
                    task.stop()
        return inner(call)

    def _list_active(self, call: Any, inner: Operation) -> ActionResult:
        """A service that was deleted can be described for a while, but is not listed."""
        listed: Any = inner(call).result
        found, _ = call.ecs_backend.describe_services(call._get_param("cluster", "default"), listed["serviceArns"])
        return ActionResult({"serviceArns": [service.arn for service in found if service.status == "ACTIVE"]})

    def _list(self, call: Any) -> ActionResult:
        service = self._known(call, call._get_param("service"))
        if service is None:
            raise ServiceNotFoundException
        wanted, after = call._get_param("status") or [], (call._get_param("createdAt") or {}).get("after")
        found = [one for one in reversed(self._rollouts.get(service.arn, [])) if not wanted or one.status in wanted]
        if after is not None:
            moment = after if isinstance(after, datetime) else datetime.fromtimestamp(float(after)).astimezone()
            found = [one for one in found if one.created >= moment]
        return ActionResult({"serviceDeployments": [one.listed() for one in found]})

    def _describe(self, call: Any) -> ActionResult:
        found, missing = [], []
        for arn in call._get_param("serviceDeploymentArns"):
            rollout = self._by_arn(arn)
            if rollout:
                found.append(rollout.described())
            else:
                missing.append({"arn": arn, "reason": "MISSING"})
        return ActionResult({"serviceDeployments": found, "failures": missing})

    def _describe_revisions(self, call: Any) -> ActionResult:
        known = {one.after.arn: (one.after, one) for many in self._rollouts.values() for one in many}
        arns = call._get_param("serviceRevisionArns")
        found = [_revision(*known[arn]) for arn in arns if arn in known]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
        return ActionResult({"serviceRevisions": found, "failures": missing})

    def _stop(self, call: Any) -> ActionResult:
        arn = call._get_param("serviceDeploymentArn")
        rollout = self._by_arn(arn)
        if rollout is None:
            raise NoSuchDeployment
        if rollout.is_over or rollout.status.startswith("ROLLBACK"):
            raise ECSException("ConflictException", "The service deployment is not in progress.")
        rollout.stop()
        return ActionResult({"serviceDeploymentArn": arn})

    def _continue(self, call: Any) -> ActionResult:
        arn = call._get_param("serviceDeploymentArn")
        rollout = self._by_arn(arn)
        if rollout is None:
            raise NoSuchDeployment
        if not rollout.answer(call._get_param("hookId"), call._get_param("action") or "CONTINUE"):
            raise InvalidParameterException("The lifecycle hook is not awaiting an action.")
        return ActionResult({"serviceDeploymentArn": arn})

    def _running(self, service: Service) -> Revision | None:
        """The revision that serves now."""
        good = [one for one in self._rollouts[service.arn] if one.status == "SUCCESSFUL"]
        return good[-1].after if good else None

    def _configure(self, call: Any, service: Service) -> None:
        if call._get_param("deploymentConfiguration"):
            service.deployment_configuration = call._get_param("deploymentConfiguration")  # type: ignore[attr-defined]

    def _known(self, call: Any, name: str) -> Service | None:
        found, _ = call.ecs_backend.describe_services(call._get_param("cluster", "default"), [name])
        return found[0] if found else None

    def _by_arn(self, arn: str) -> Rollout | None:
        return next((one for many in self._rollouts.values() for one in many if one.arn == arn), None)


def _revision(revision: Revision, rollout: Rollout) -> dict[str, Any]:
    listed = rollout.listed()
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": listed["serviceArn"],
        "clusterArn": listed["clusterArn"],
        "taskDefinition": revision.task_definition,
        "createdAt": revision.created,
        "resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": revision.group}] if revision.group else []},
    }
