"""Reads BuildKit's progress reports, which the engine sends as base64 protobuf inside its JSON stream.

Source: `moby.buildkit.v1.StatusResponse` in https://github.com/moby/buildkit/blob/master/api/services/control/control.proto
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.message import DecodeError

TRACE_ID = "moby.buildkit.trace"
IMAGE_ID = "moby.image.id"

_PACKAGE = "shipmate.buildkit"
_TIMESTAMP = ".google.protobuf.Timestamp"
_FIELDS: dict[str, dict[str, tuple[int, str, bool]]] = {  # message: field: (number, type, repeated)
    "Vertex": {
        "digest": (1, "string", False),
        "name": (3, "string", False),
        "cached": (4, "bool", False),
        "started": (5, _TIMESTAMP, False),
        "completed": (6, _TIMESTAMP, False),
        "error": (7, "string", False),
    },
    "VertexStatus": {
        "id": (1, "string", False),
        "vertex": (2, "string", False),
        "current": (4, "int64", False),
        "total": (5, "int64", False),
        "timestamp": (6, _TIMESTAMP, False),
        "completed": (8, _TIMESTAMP, False),
    },
    "VertexLog": {
        "vertex": (1, "string", False),
        "timestamp": (2, _TIMESTAMP, False),
        "stream": (3, "int64", False),
        "msg": (4, "bytes", False),
    },
    "StatusResponse": {
        "vertexes": (1, f".{_PACKAGE}.Vertex", True),
        "statuses": (2, f".{_PACKAGE}.VertexStatus", True),
        "logs": (3, f".{_PACKAGE}.VertexLog", True),
    },
}


@dataclass(frozen=True, slots=True)
class Vertex:
    """One step of a build. Times are seconds since the epoch."""

    digest: str
    name: str
    cached: bool
    started: float | None
    completed: float | None
    error: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far a part of a step is, such as a layer that is pulled; `total` is 0 where it is not known."""

    id: str
    vertex: str
    current: int
    total: int
    at: float | None
    completed: bool


@dataclass(frozen=True, slots=True)
class Output:
    """What a step wrote, in any pieces."""

    vertex: str
    at: float | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Trace:
    """One report: what changed since the last one."""

    vertexes: tuple[Vertex, ...]
    transfers: tuple[Transfer, ...]
    outputs: tuple[Output, ...]


def read_trace(aux: object) -> Trace | None:
    """The report in an `aux` value; None for what cannot be read, which costs a progress line and nothing else."""
    if not isinstance(aux, str):
        return None
    try:
        message = _status_response()()
        message.ParseFromString(base64.b64decode(aux, validate=True))
    except (binascii.Error, DecodeError):
        return None
    return Trace(
        tuple(_vertex(one) for one in message.vertexes),
        tuple(_transfer(one) for one in message.statuses),
        tuple(Output(one.vertex, _seconds(one, "timestamp"), one.msg) for one in message.logs),
    )


def _vertex(one: Any) -> Vertex:
    started, completed = _seconds(one, "started"), _seconds(one, "completed")
    return Vertex(one.digest, one.name, one.cached, started, completed, one.error)


def _transfer(one: Any) -> Transfer:
    at = _seconds(one, "timestamp")
    return Transfer(one.id, one.vertex, one.current, one.total, at, one.HasField("completed"))


def _seconds(one: Any, field: str) -> float | None:
    if not one.HasField(field):
        return None
    stamp = getattr(one, field)
    return float(stamp.seconds) + float(stamp.nanos) / 1e9


@cache
def _status_response() -> Any:
    """The message class, from a descriptor built here: the fields that are read, the rest is skipped."""
    file = descriptor_pb2.FileDescriptorProto(name="shipmate/buildkit.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            _add_field(message, field, number, kind, repeated)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.StatusResponse"))


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str, repeated: bool) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    field = message.field.add(name=name, number=number)
    field.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
    if kind.startswith("."):
        field.type, field.type_name = kinds.TYPE_MESSAGE, kind
    else:
        field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
