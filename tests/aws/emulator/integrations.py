"""State machines' calls to AWS: names begin with a capital there, whatever the service itself calls them.

https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import Shape
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for


def install() -> None:
    """Have moto's own integration translate names both ways."""
    StateTaskServiceAwsSdk._eval_service_task = _call  # type: ignore[method-assign]


def _call(
    self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
) -> None:
    region, service, action = (
        resource_runtime_part.region,
        self._get_boto_service_name(),
        self._get_boto_service_action(),
    )
    client = boto_client_for(region=region, service=service, state_credentials=state_credentials)
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[action])
    try:
        reply = getattr(client, action)(**_as_the_service(normalised_parameters, operation.input_shape))
    except ClientError as refused:
        refused.response["ResponseMetadata"].setdefault("RequestId", "none")
        raise
    reply.pop("ResponseMetadata", None)
    env.stack.append(_as_step_functions(reply))


def _as_the_service(given: Any, shape: Shape | None) -> Any:
    if shape is not None and shape.type_name == "structure" and isinstance(given, dict):
        names = {name.lower(): name for name in shape.members}
        known = {names.get(name.lower(), name): value for name, value in given.items()}
        members = shape.members
        return {name: _as_the_service(value, members.get(name)) for name, value in known.items()}
    if shape is not None and shape.type_name == "list" and isinstance(given, list):
        return [_as_the_service(value, shape.member) for value in given]
    return given


def _as_step_functions(told: Any) -> Any:
    if isinstance(told, dict):
        return {name[:1].upper() + name[1:]: _as_step_functions(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_as_step_functions(value) for value in told]
    return told.isoformat() if isinstance(told, datetime) else told
