"""Reads a Step Functions execution as what people want to know: which task began, which ended how, how it all ended.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws.clients import AwsClients

PAGE = 1000
LONGEST_CAUSE = 600


class StepKind(enum.StrEnum):
    """What happened in an execution."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ENDED = "ended"


class End(enum.StrEnum):
    """How an execution ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `id` grows within an execution. `end` is set for the execution's own end only."""

    id: int
    at: datetime
    kind: StepKind
    state: str
    """The state's name; empty for the execution itself."""
    reason: str = ""
    end: End | None = None


_ENDS: Mapping[str, End] = {
    "ExecutionSucceeded": End.SUCCEEDED,
    "ExecutionFailed": End.FAILED,
    "ExecutionTimedOut": End.TIMED_OUT,
    "ExecutionAborted": End.ABORTED,
}
_FAILURES = frozenset(
    {
        "ActivityFailed",
        "ActivityTimedOut",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduleFailed",
        "LambdaFunctionStartFailed",
        "LambdaFunctionTimedOut",
        "TaskFailed",
        "TaskStartFailed",
        "TaskSubmitFailed",
        "TaskTimedOut",
    }
)


async def history(clients: AwsClients, execution: str) -> list[Step]:
    """Every step so far, oldest first; one call for a thousand events."""
    events: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        reply = await clients.call(
            "stepfunctions",
            "GetExecutionHistory",
            executionArn=execution,
            maxResults=PAGE,
            includeExecutionData=True,
            **token,
        )
        events += reply["events"]
        if not reply.get("nextToken"):
            return steps(events)
        token = {"nextToken": reply["nextToken"]}


def steps(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The events that tell of tasks and of the end, in order; a task's failure names the state it happened in."""
    found: list[Step] = []
    entered: dict[int, str] = {}
    for event in sorted(events, key=lambda one: int(one["id"])):
        number = int(event["id"])
        entered[number] = _state_of(event, entered)
        step = _step(event, entered[number])
        if step is not None:
            found.append(step)
    return found


def end_of(seen: Sequence[Step]) -> Step | None:
    """The execution's end, None while it runs."""
    return seen[-1] if seen and seen[-1].end else None


def running(seen: Sequence[Step]) -> str:
    """The state it is in, or was in last; empty before the first."""
    return next((step.state for step in reversed(seen) if step.state), "")


def _state_of(event: Mapping[str, Any], entered: Mapping[int, str]) -> str:
    """The state an event belongs to: its own, or that of the event it follows."""
    for details in ("stateEnteredEventDetails", "stateExitedEventDetails"):
        if details in event:
            return str(event[details]["name"])
    return entered.get(int(event.get("previousEventId", 0)), "")


def _step(event: Mapping[str, Any], state: str) -> Step | None:
    kind, number, at = str(event["type"]), int(event["id"]), event["timestamp"]
    if kind in _ENDS:
        return Step(number, at, StepKind.ENDED, "", _reason(event), _ENDS[kind])
    if kind in _FAILURES:
        return Step(number, at, StepKind.FAILED, state, _reason(event))
    if kind == "TaskStateEntered":
        return Step(number, at, StepKind.STARTED, state)
    if kind == "TaskStateExited":
        return Step(number, at, StepKind.SUCCEEDED, state)
    return None


def _reason(event: Mapping[str, Any]) -> str:
    """`Error: cause`, as far as the event tells; a cause that is JSON is asked for its message."""
    told: Mapping[str, Any] = next((event[key] for key in event if key.endswith("EventDetails")), {})
    words = [str(told[part]) for part in ("error", "cause") if told.get(part)]
    if words:
        words[-1] = _message(words[-1])
    return ": ".join(words)[:LONGEST_CAUSE]


def _message(cause: str) -> str:
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    message = told.get("errorMessage") or told.get("Message") if isinstance(told, dict) else None
    return str(message) if message else cause
