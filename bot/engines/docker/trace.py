"""Reads BuildKit's progress reports, which the engine sends as base64 protobuf inside its JSON stream.

The messages stand in `trace_message`, which is loaded with the first report: protobuf is slow to load, and a server
that starts has nothing to build yet.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

TRACE_ID = "moby.buildkit.trace"
IMAGE_ID = "moby.image.id"


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
    from google.protobuf.message import DecodeError

    from bot.engines.docker.trace_message import status_response

    if not isinstance(aux, str):
        return None
    try:
        message = status_response()()
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
