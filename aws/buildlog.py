"""Reads what a build writes to CloudWatch Logs: each line once, on from where the reader was before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aws.clients import AwsClients
from aws.errors import AwsRefusal


@dataclass(frozen=True, slots=True)
class Page:
    """Lines without their ends, and the token that reads on after them; it holds for 24 hours."""

    lines: tuple[str, ...]
    token: str


async def pages(clients: AwsClients, group: str, stream: str, token: str | None) -> AsyncIterator[Page]:
    """All that stands there now after `token` (None: from the beginning), oldest first; nothing while it is not there.

    A page may be empty with more behind it; the end is a token that comes back as it was given.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    """
    while True:
        found = await _page(clients, group, stream, token)
        if found is None or found.token == token:
            return
        token = found.token
        yield found


async def _page(clients: AwsClients, group: str, stream: str, token: str | None) -> Page | None:
    following = {"nextToken": token} if token else {}
    try:
        reply = await clients.call(
            "logs", "GetLogEvents", logGroupName=group, logStreamName=stream, startFromHead=True, **following
        )
    except AwsRefusal as refusal:
        if refusal.aws_code == "ResourceNotFoundException":
            return None
        raise
    lines = [line for event in reply["events"] for line in str(event["message"]).splitlines() or [""]]
    return Page(tuple(lines), str(reply["nextForwardToken"]))
