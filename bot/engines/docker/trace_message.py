"""Owns the protobuf messages of BuildKit's reports, as far as they are read.

Source: `moby.buildkit.v1.StatusResponse` in https://github.com/moby/buildkit/blob/master/api/services/control/control.proto
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

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


@cache
def status_response() -> Any:
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
