"""A version is written as ECS takes it: sizes Fargate has, EC2 as asked, secrets by reference, strategies in full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from aws.arns import balancer_of, listener_of, metric_name, service_of
from aws.definition import FARGATE_MEMORY, fargate_size, task_definition
from aws.place import Place, place_of
from aws.strategy import deployment_configuration
from bot.errors import Permanent
from bot.ports.rollouts import RolloutSpec
from tests.aws.guard import faults

SPEC = RolloutSpec("shipmate-1-production", "acme/api", "production", "dep_abcdefghij", "r/a@sha256:1", 8000, "/")
PLACE = Place("c", ("subnet-1",), ("sg-1",), "arn:tg1", "arn:rule", execution_role="arn:exec")


def wrong(operation: str, parameters: dict[str, Any]) -> list[str]:
    """What AWS's model has against these parameters."""
    model = botocore.session.get_session().get_service_model("ecs").operation_model(operation)
    report = ParamValidator().validate(parameters, model.input_shape)
    return [report.generate_report()] * report.has_errors() + list(faults(parameters, model.input_shape))


@given(st.floats(0.05, 16), st.integers(16, 120 * 1024))
def test_fargate_gets_a_size_that_it_has_and_that_is_enough(cpus: float, memory_mb: int) -> None:
    units, size = fargate_size(cpus, memory_mb)
    assert size in FARGATE_MEMORY[units]
    assert units >= cpus * 1024
    assert size >= memory_mb


@pytest.mark.parametrize(("cpus", "memory_mb"), [(16.5, 512), (1, 121 * 1024)])
def test_more_than_fargate_has_is_refused(cpus: float, memory_mb: int) -> None:
    with pytest.raises(Permanent, match="ecs_too_large"):
        fargate_size(cpus, memory_mb)


@pytest.mark.parametrize(
    ("cpus", "memory_mb", "size"),
    [(0.25, 512, (256, 512)), (0.25, 3000, (512, 3072)), (1, 512, (1024, 2048)), (16, 122880, (16384, 122880))],
)
def test_the_smallest_size_is_taken(cpus: float, memory_mb: int, size: tuple[int, int]) -> None:
    assert fargate_size(cpus, memory_mb) == size


@pytest.mark.parametrize("launch_type", ["FARGATE", "EC2"])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_definition_is_one_that_aws_takes(launch_type: str, read_only: bool) -> None:
    place = replace(PLACE, launch_type=launch_type, log_group="/shipmate/api", task_role="arn:task")
    spec = replace(SPEC, read_only=read_only, command="serve | tee /tmp/log", env={"B": "2", "A": "1"})
    wanted = task_definition(spec, place, {"TOKEN": "arn:aws:ssm:eu-west-1:1:parameter/t"}, "eu-west-1")
    assert wrong("RegisterTaskDefinition", wanted) == []
    (container,) = wanted["containerDefinitions"]
    assert container["environment"][:2] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert {"name": "PORT", "value": "8000"} in container["environment"]
    assert container["command"] == ["/bin/sh", "-c", "serve | tee /tmp/log"]
    assert container["readonlyRootFilesystem"] is read_only
    assert wanted["memory"] == ("2048" if launch_type == "FARGATE" else "512")


def test_the_same_settings_give_the_same_definition() -> None:
    spec = replace(SPEC, env={"A": "1", "B": "2"})
    other = replace(SPEC, env={"B": "2", "A": "1"})
    assert task_definition(spec, PLACE, {}, None) == task_definition(other, PLACE, {}, None)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"strategy": "all", "bake_s": 90}, {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2}),
        (
            {"strategy": "canary", "percent": 10.0, "every_s": 300},
            {"canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5}},
        ),
        (
            {"strategy": "linear", "percent": 2.0, "every_s": 60},
            {"linearConfiguration": {"stepPercent": 3.0, "stepBakeTimeInMinutes": 1}},
        ),
        ({"strategy": "rolling"}, {"strategy": "ROLLING", "lifecycleHooks": []}),
    ],
)
def test_a_strategy_is_said_in_full(asked: dict[str, Any], said: dict[str, Any]) -> None:
    config = deployment_configuration(replace(SPEC, **asked), replace(PLACE, alarms=("errors",)), gated=True)
    assert config.items() >= said.items()
    assert config["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert config["alarms"] == {"alarmNames": ["errors"], "enable": True, "rollback": True}
    asking = {"service": "s", "deploymentConfiguration": config}
    assert wrong("UpdateService", asking) == []


def test_a_pause_that_nobody_answers_ends_in_a_rollback() -> None:
    hooks = deployment_configuration(SPEC, PLACE, gated=True)["lifecycleHooks"]
    assert {hook["timeoutConfiguration"]["action"] for hook in hooks} == {"ROLLBACK"}
    assert deployment_configuration(SPEC, PLACE, gated=False)["lifecycleHooks"] == []


def test_a_place_is_read_as_it_was_written() -> None:
    place = place_of({"subnets": ["subnet-1"], "target_group": "t", "listener_rule": "r", "launch_type": "ec2"})
    assert (place.cluster, place.launch_type, place.subnets) == ("default", "EC2", ("subnet-1",))


def test_arns_are_taken_apart() -> None:
    base = "arn:aws:elasticloadbalancing:eu-west-1:1:"
    rule = f"{base}listener-rule/app/front/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
    assert listener_of(rule) == f"{base}listener/app/front/50dc6c495c0c9188/f2f7dc8efc522ab2"
    assert balancer_of(rule) == f"{base}loadbalancer/app/front/50dc6c495c0c9188"
    assert metric_name(balancer_of(rule)) == "app/front/50dc6c495c0c9188"
    assert metric_name(f"{base}targetgroup/blue/73e2d6bc24d8a067") == "targetgroup/blue/73e2d6bc24d8a067"
    assert service_of("arn:aws:ecs:eu-west-1:1:service-deployment/c/s/abc") == ("c", "s")
