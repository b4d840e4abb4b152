"""Checks every request against AWS's own model, enums and patterns too, and that the emulator answers as AWS would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiobotocore.session import AioSession
from botocore.model import OperationModel, Shape

DOCUMENTED = {
    ("ServiceDeploymentLifecycleStage", "PRE_PRODUCTION_TRAFFIC_SHIFT"),
    ("AttachmentStatus", "available"),
}
"""Words that the documentation of a field lists and its model does not."""


class Guard:
    """`wrong` has one sentence for each request AWS would refuse and each call the emulator does not know."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def watch(self, session: AioSession) -> AioSession:
        """Look at everything that clients of this session say and hear."""
        session.register("provide-client-params.*.*", self._check_request)
        session.register("after-call.*.*", self._check_answer)
        return session

    def _check_request(self, params: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
        if model.input_shape is not None:
            name = f"{model.service_model.service_name}.{model.name}"
            self.wrong += [f"{name}{fault}" for fault in faults(params, model.input_shape)]

    def _check_answer(self, http_response: Any, model: OperationModel, parsed: Mapping[str, Any], **_: Any) -> None:
        name = f"{model.service_model.service_name}.{model.name}"
        if http_response.status_code == 500 and "html" in http_response.headers.get("content-type", ""):
            self.wrong.append(f"{name} is not known to the emulator")
        elif http_response.status_code < 300 and model.output_shape is not None:
            self.wrong += [f"{name} answered{fault}" for fault in faults(parsed, model.output_shape, patterns=False)]


def faults(value: Any, shape: Shape, path: str = "", *, patterns: bool = True) -> Iterator[str]:
    """Where a value breaks the enums, patterns and lengths of its shape."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, part in value.items():
            if name in shape.members:
                yield from faults(part, shape.members[name], f"{path}.{name}", patterns=patterns)
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from faults(part, shape.member, f"{path}[{number}]", patterns=patterns)
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for name, part in value.items():
            yield from faults(part, shape.value, f"{path}.{name}", patterns=patterns)
    elif isinstance(value, str):
        yield from _faults_of_text(value, shape, path, patterns)


def _faults_of_text(text: str, shape: Shape, path: str, patterns: bool) -> Iterator[str]:
    known = getattr(shape, "enum", None)
    if known and text not in known and (shape.name, text) not in DOCUMENTED:
        yield f"{path}: {text!r} is none of {', '.join(known)}"
    pattern = shape.metadata.get("pattern")
    if patterns and pattern and not _fits(pattern, text):
        yield f"{path}: {text!r} is not of the form {pattern}"
    longest = shape.metadata.get("max")
    if patterns and longest is not None and len(text) > longest:
        yield f"{path}: {len(text)} characters; {longest} is the most"


def _fits(pattern: str, text: str) -> bool:
    """Java's classes for letters, spaces and digits are spelled for Python; a pattern need not be anchored."""
    spelled = pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d")
    try:
        return re.fullmatch(spelled, text) is not None
    except re.error:
        return True
