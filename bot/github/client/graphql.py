"""Asks GitHub's GraphQL API, for what takes one request there and many elsewhere; its errors become ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.errors import Permanent, ShipmateError, Transient
from bot.github.client.client import GRAPHQL, Client
from bot.github.client.failures import SECONDARY_WAIT_S, NotFound

T = TypeVar("T")


async def ask(client: Client, query: str, variables: Mapping[str, Any], read: Callable[[Any], T]) -> T:
    """Run one query, which must change nothing, and `read` its data.

    Raises NotFound, Permanent or Transient as any other call does; GitHub tells them in an answer that is 200.
    https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
    """

    def understood(answer: Any) -> T:
        errors = answer.get("errors")
        if errors:
            raise _refusal(errors[0])
        return read(answer["data"])

    return await client.call(GRAPHQL, understood, body={"query": query, "variables": variables}, repeatable=True)


def _refusal(error: Mapping[str, Any]) -> ShipmateError:
    """The first error stands for all: they come from one cause."""
    facts = {"operation": GRAPHQL, "message": str(error.get("message", ""))[:500]}
    match error.get("type"):
        case "NOT_FOUND":
            return NotFound("github_not_found", **facts)
        case "RATE_LIMITED":
            return Transient("github_rate_limited", retry_after_s=SECONDARY_WAIT_S, maybe_done=False, **facts)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return Permanent("github_forbidden", **facts)
        case _:
            return Permanent("github_refused", **facts)
