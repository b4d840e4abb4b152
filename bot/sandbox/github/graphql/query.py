"""Answers GraphQL queries: parsed, validated and executed against the served schema, errors in GitHub's shape."""

import functools
import json
from typing import Any

from bot.sandbox.github.graphql.resolve import Asking, Refusal, resolver_of
from bot.sandbox.github.graphql.types import SCHEMA
from bot.sandbox.github.model import World
from bot.sandbox.github.refusals import GitHubError
from bot.sandbox.github.tokens import Identity

Json = dict[str, Any]
DOCS = "https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql"


def require_asker(identity: Identity) -> None:
    """Only an installation or a person may query. Raises GitHubError 401."""
    if identity.kind not in ("installation", "user"):
        raise GitHubError(401, "This endpoint requires you to be authenticated.", docs=DOCS)


async def answer_query(world: World, identity: Identity, raw: bytes) -> Json:
    """`{"data", "errors"}` for a request's body. Raises GitHubError 400 when it isn't one that holds a query.

    A query that is faulty, or asks for what must not be seen, is answered 200 with errors, as GitHub does.
    """
    from graphql import ExecutionResult, GraphQLError, execute, parse, validate

    body = _body(raw)
    try:
        document = parse(body["query"], max_tokens=20_000)
    except GraphQLError as error:
        return {"errors": [{"message": error.message, "locations": _places(error)}]}
    if faults := validate(_schema(), document):
        return {"errors": [{"path": ["query"], "locations": _places(one), "message": one.message} for one in faults]}
    ran = execute(
        _schema(),
        document,
        context_value=Asking(world, identity),
        variable_values=body.get("variables") or {},
        operation_name=body.get("operationName"),
        field_resolver=resolver_of,
    )
    result: ExecutionResult = ran if isinstance(ran, ExecutionResult) else await ran
    said: Json = {"data": result.data}
    return said | ({"errors": [_shape(error) for error in result.errors]} if result.errors else {})


@functools.cache
def _schema() -> Any:
    """Built at the first query: it costs a start more than most else."""
    from graphql import build_schema

    schema = build_schema(SCHEMA)
    schema.type_map["GitObject"].resolve_type = lambda value, *_: value.type_name  # type: ignore[attr-defined]
    return schema


def _body(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise GitHubError(400, "Problems parsing JSON", docs="https://docs.github.com/graphql") from error
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise GitHubError(400, "A query attribute must be specified and must be a string.", docs=DOCS)
    return body


def _places(error: Any) -> list[Json]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def _shape(error: Any) -> Json:
    """An error as GitHub tells it; `type` is there for what it knows how to name."""
    cause = error.original_error
    named = {"type": cause.kind} if isinstance(cause, Refusal) else {}
    return {**named, "path": error.path, "locations": _places(error), "message": error.message}
