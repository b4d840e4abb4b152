"""Puts operations of ours into moto's ECS, in place of its own or where it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse as Ecs

Operation = Callable[[Any], ActionResult]
"""Answers a call, given as moto's own response object."""


def put_in(operations: Mapping[str, Operation]) -> None:
    """By moto's name of each: `run_task`."""
    for name, operation in operations.items():
        setattr(Ecs, name, _method(operation))


def _method(operation: Operation) -> Operation:
    def method(self: Any) -> ActionResult:
        return operation(self)

    return method
