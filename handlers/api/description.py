"""Describes the API as OpenAPI 3.1: made of its routes, and of the schemas that bodies and queries are checked against.

https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.api.forms import ASK
from handlers.api import analyses, connections, contributions, deployments, inspections, lent_deployments

Document = dict[str, Any]

BODIES: Mapping[Handler, Mapping[str, Any]] = {
    analyses.ask: analyses.ASK,
    connections.connect_aws: connections.AWS_BODY,
    connections.connect_github: connections.GITHUB_BODY,
    deployments.ask: ASK,
    inspections.inspect: inspections.ASK,
    lent_deployments.deploy: lent_deployments.ASK,
}
QUERIES: Mapping[Handler, Mapping[str, Any]] = {
    analyses.listed: analyses.LIST,
    contributions.contributions: contributions.QUERY,
    deployments.listed: deployments.LIST,
}
FORMS = ("application/json", "text/csv", "text/html")
ANSWERS: Mapping[Handler, tuple[str, ...]] = {
    analyses.download: FORMS,
    contributions.contributions: FORMS,
    deployments.events: ("text/event-stream",),
}
"""What is answered where it is not the one envelope."""
ONCE = {lent_deployments.deploy}
"""What takes an Idempotency-Key."""
KEY = (
    "Made with `shipmate keys create`. One that is limited to repositories (`--for`) sees nothing of any other: what is"
    " about one of those is answered with 404, as what is not there, and lists leave it out."
)
_PART = re.compile(r"{(?P<name>\w+)(?::(?P<pattern>[^}]+))?}")

SUCCESS: Document = {
    "type": "object",
    "required": ["code", "message", "data"],
    "properties": {
        "code": {"type": "integer", "description": "The HTTP status."},
        "message": {"type": "string", "description": "In the reader's language."},
        "data": {"type": "object"},
    },
}
ERROR: Document = {
    "type": "object",
    "required": ["timestamp", "status", "error", "message"],
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "status": {"type": "integer"},
        "error": {"type": "string"},
        "message": {"type": "string", "description": "In the reader's language."},
        "errorCode": {"type": "string", "description": "Stable, for programs."},
        "fields": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": {"type": "string"}, "fault": {"type": "string"}}},
        },
        "exceptionClass": {"type": "string", "description": "Of what nobody foresaw."},
    },
}


def described(tables: Iterable[web.RouteTableDef], version: str, address: str) -> Document:
    """The whole document. `address` is where the server is reached."""
    paths: dict[str, Document] = {}
    for route in _routes(tables):
        path = _PART.sub(lambda part: f"{{{part['name']}}}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shipmate", "version": version, "summary": "Builds, ships blue/green, says how it goes."},
        "servers": [{"url": address}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": KEY},
                "bearer": {"type": "http", "scheme": "bearer", "description": KEY},
            },
            "schemas": {"Success": SUCCESS, "Error": ERROR},
            "responses": {"Error": {"description": "Why not.", "content": _content("Error", ("application/json",))}},
        },
    }


def _routes(tables: Iterable[web.RouteTableDef]) -> Iterator[web.RouteDef]:
    for table in tables:
        yield from (route for route in table if isinstance(route, web.RouteDef))


def _operation(route: web.RouteDef) -> Document:
    handler = route.handler
    words = cleandoc(handler.__doc__ or "")
    operation: Document = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}_{route.path}").strip("_"),
        "tags": [handler.__module__.rpartition(".")[2]],
        "summary": words.partition("\n")[0],
        "description": words,
        "parameters": list(_parameters(route)),
        "responses": {
            "2XX": {"description": words.partition("\n")[0], "content": _answer(handler)},
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if handler in BODIES:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": BODIES[handler]}}}
    return operation


def _parameters(route: web.RouteDef) -> Iterator[Document]:
    for part in _PART.finditer(route.path):
        form = {"type": "string", "pattern": f"^({part['pattern']})$"} if part["pattern"] else {"type": "string"}
        yield {"name": part["name"], "in": "path", "required": True, "schema": form}
    query = QUERIES.get(route.handler, {})
    for name, form in query.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in query.get("required", ()), "schema": form}
    yield {"name": "Accept-Language", "in": "header", "schema": {"enum": ["en", "ko"]}}
    if route.handler in ONCE:
        yield {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1}}


def _answer(handler: Handler) -> Document:
    kinds = ANSWERS.get(handler)
    return _content("Success", ("application/json",)) if kinds is None else {kind: {} for kind in kinds}


def _content(schema: str, kinds: Iterable[str]) -> Document:
    return {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}} for kind in kinds}
