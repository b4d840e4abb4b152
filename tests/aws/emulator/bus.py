"""What moto's EventBridge leaves out: an image's arrival matches rules, and a rule starts a state machine."""

from __future__ import annotations

import json
import os
import re
import uuid
from typing import Any

from moto.core.config import default_user_config
from moto.ecr.models import ECRBackend
from moto.events.models import events_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.aws.emulator import integrations
from tests.aws.emulator.account import ACCOUNT, REGION


def install(port: int) -> None:
    """State machines run for real, against this very server."""
    os.environ["MOTO_PORT"] = str(port)
    integrations.install()
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    put_image = ECRBackend.put_image

    def told(self: ECRBackend, repository_name: str, *words: Any, **named: Any) -> Any:
        image = put_image(self, repository_name, *words, **named)
        tag = named.get("image_tag") or (words[1] if len(words) > 1 else None)
        _tell({"repository-name": repository_name, "image-digest": image.get_image_digest(), "image-tag": tag})
        return image

    ECRBackend.put_image = told  # type: ignore[method-assign]


def _tell(image: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html"""
    event = {
        "source": "aws.ecr",
        "detail-type": "ECR Image Action",
        "account": ACCOUNT,
        "region": REGION,
        "detail": {"result": "SUCCESS", "action-type": "PUSH", **image},
    }
    for rule in events_backends[ACCOUNT][REGION].event_buses["default"].rules.values():
        if rule.state == "ENABLED" and rule.event_pattern.matches_event(event):  # type: ignore[arg-type]
            for target in rule.targets:
                _start(target, event)


def _start(target: dict[str, Any], event: dict[str, Any]) -> None:
    machines = stepfunctions_parser_backends[ACCOUNT][REGION]
    told = _transformed(target["InputTransformer"], event)
    machines.start_execution(target["Arn"], str(uuid.uuid4()), told)


def _transformed(transformer: dict[str, Any], event: dict[str, Any]) -> str:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html"""
    values = {name: _at(path, event) for name, path in transformer["InputPathsMap"].items()}
    return re.sub(r"<([\w-]+)>", lambda found: json.dumps(values[found[1]]), transformer["InputTemplate"])


def _at(path: str, event: dict[str, Any]) -> Any:
    found: Any = event
    for part in path.removeprefix("$.").split("."):
        found = found[part]
    return found
