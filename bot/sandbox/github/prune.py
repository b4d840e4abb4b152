"""Makes the data GitHub's side is checked against: the operations served, cut out of GitHub's published descriptions.

Run by a person when GitHub's API has changed, never by the sandbox itself:

    npm install @octokit/openapi @octokit/app-permissions @octokit/openapi-webhooks
    python -m bot.sandbox.github.prune node_modules tests/sandbox/data

writes `openapi.json` beside this module (what a request may say, and which permission it takes) and, for the tests,
`responses.json` and `webhooks.json` (what GitHub's answers and deliveries look like).
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.sandbox.github.rest.table import HANDLERS

Json = dict[str, Any]

TOLD = {
    "ping": [""],
    "push": [""],
    "create": [""],
    "delete": [""],
    "pull_request": ["opened", "synchronize", "closed", "reopened"],
    "issue_comment": ["created", "edited", "deleted"],
    "check_run": ["created", "completed", "rerequested", "requested_action"],
    "check_suite": ["requested", "rerequested"],
    "installation": ["created", "deleted", "suspend", "unsuspend"],
    "installation_repositories": ["added", "removed"],
    "deployment": ["created"],
    "deployment_status": ["created"],
    "release": ["published"],
    "repository": ["renamed", "deleted"],
}
"""Every event and action that is ever sent."""

PERMISSIONS = {
    "apps/get-repo-installation": [],
    "checks/get": [["checks", "read"]],
    "checks/get-suite": [["checks", "read"]],
    "checks/list-annotations": [["checks", "read"]],
    "checks/list-for-ref": [["checks", "read"]],
    "checks/list-for-suite": [["checks", "read"]],
    "checks/list-suites-for-ref": [["checks", "read"]],
    "checks/rerequest-run": [["checks", "write"]],
    "checks/rerequest-suite": [["checks", "write"]],
    "issues/get": [["issues", "read"], ["pull_requests", "read"]],
    "orgs/check-membership-for-user": [["members", "read"]],
    "reactions/delete-for-issue": [["issues", "write"], ["pull_requests", "write"]],
    "reactions/delete-for-issue-comment": [["issues", "write"], ["pull_requests", "write"]],
    "repos/compare-commits-with-basehead": [["contents", "read"]],
    "repos/delete-an-environment": [["administration", "write"]],
    "repos/get-collaborator-permission-level": [["metadata", "read"]],
    "repos/list-pull-requests-associated-with-commit": [["pull_requests", "read"], ["contents", "read"]],
    "teams/get-membership-for-user-in-org": [["members", "read"]],
}
"""Where the packaged table is silent or looser than the "Fine-grained access tokens" note of GitHub's own page."""

MISPUBLISHED = {
    "apps/list-installations": {"type": "array", "items": {"$ref": "#/components/schemas/installation"}},
}
"""Answers whose published schema nothing can fit: there, an account must be user and enterprise at once."""

PROSE = {"description", "example", "examples", "externalDocs", "summary", "deprecated", "title"}
"""Keys that say nothing a checker can use. As names of properties they are kept."""


def main(node_modules: Path, test_data: Path) -> None:
    """Read the installed packages and write the three files."""
    octokit = node_modules / "@octokit"
    api = json.loads((octokit / "openapi/generated/api.github.com.json").read_text())
    allowed = json.loads((octokit / "app-permissions/generated/api.github.com.json").read_text())
    webhooks = json.loads((octokit / "openapi-webhooks/generated/api.github.com.json").read_text())
    served = {operation: found for operation, found in _operations(api) if operation in HANDLERS}
    if missing := HANDLERS.keys() - served.keys():
        raise SystemExit(f"GitHub no longer publishes: {', '.join(sorted(missing))}")
    permissions = _permissions(allowed)
    requests = {name: _request(api, name, *served[name], permissions) for name in sorted(served)}
    _write(Path(__file__).with_name("openapi.json"), requests)
    _write(test_data / "responses.json", _responses(api, served))
    _write(test_data / "webhooks.json", _webhooks(webhooks))


def _operations(api: Json) -> Iterator[tuple[str, tuple[str, str, Json]]]:
    """Every published operation: its id, then method, path template and description."""
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "operationId" in operation:
                yield operation["operationId"], (method.upper(), path, operation)


def _request(
    api: Json, name: str, method: str, path: str, operation: Json, permissions: dict[str, list[list[str]]]
) -> Json:
    """What one operation accepts: path and query parameters, body, and the permissions any one of which opens it."""
    parameters = [_resolved(api, one) for one in operation.get("parameters", [])]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "method": method,
        "path": path,
        "docs": operation["externalDocs"]["url"],
        "permissions": PERMISSIONS.get(name, permissions.get(_placeless(f"{method} {path}"), [])),
        "path_parameters": _parameters(api, parameters, "path"),
        "query_parameters": _parameters(api, parameters, "query"),
        "body": _strict(_inlined(api, body)) if body else None,
        "body_required": bool(operation.get("requestBody", {}).get("required")),
    }


def _parameters(api: Json, parameters: list[Json], place: str) -> Json:
    """Schemas by name of the parameters of one place, with those that must be given."""
    here = [one for one in parameters if one["in"] == place]
    return {
        "properties": {one["name"]: _inlined(api, one["schema"]) for one in here},
        "required": [one["name"] for one in here if one.get("required")],
    }


def _permissions(allowed: Json) -> dict[str, list[list[str]]]:
    """`METHOD path` → [[permission, level], …], any one of which is enough."""
    opened: dict[str, list[list[str]]] = {}
    for permission, levels in allowed["permissions"].items():
        for level in ("read", "write", "admin"):
            for operation in levels.get(level, []):
                opened.setdefault(_placeless(operation), []).append([permission, level])
    return opened


def _placeless(operation: str) -> str:
    """The operation without its placeholders' names, which differ between the published files."""
    return re.sub(r"\{[^}]+\}", "{}", operation)


def _resolved(api: Json, node: Json) -> Json:
    """What a reference stands for; anything else as it is."""
    if "$ref" not in node:
        return node
    target: Any = api
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return _resolved(api, target)


def _inlined(api: Json, schema: Any) -> Any:
    """The schema with every reference written out and its prose left out."""
    return _plain(_resolved(api, schema), lambda node: _inlined(api, node))


def _plain(schema: Json, deeper: Any) -> Json:
    """One level of a schema as JSON Schema writes it: no prose, `nullable` as a type."""
    out: Json = {}
    for key, value in schema.items():
        if key in ("properties", "definitions"):
            out[key] = {name: deeper(_timeless(name, one)) for name, one in value.items()}
        elif key in ("oneOf", "anyOf", "allOf"):
            out[key] = [deeper(one) for one in value]
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            out[key] = deeper(value)
        elif key not in PROSE and key not in ("nullable", "default", "readOnly") and not key.startswith("x-"):
            out[key] = value
    return _nullable(out) if schema.get("nullable") else out


def _timeless(name: str, schema: Json) -> Json:
    """The schema without the list of all events there are, which is years behind in some places."""
    return {"type": "array"} if name == "events" and schema.get("type") == "array" else schema


def _nullable(schema: Json) -> Json:
    """The schema, with null let in too."""
    if "type" in schema and "enum" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _strict(schema: Json) -> Json:
    """The schema with unknown fields refused wherever all known fields are listed in one place."""
    closed: Json = {key: _strict(value) if isinstance(value, dict) else value for key, value in schema.items()}
    for key in ("oneOf", "anyOf"):
        if key in schema:
            closed[key] = [_strict(one) for one in schema[key]]
    listed = isinstance(schema.get("properties"), dict) and "type" in schema
    if listed and not {"oneOf", "anyOf", "allOf"} & schema.keys():
        closed.setdefault("additionalProperties", False)
    return closed


def _responses(api: Json, served: dict[str, tuple[str, str, Json]]) -> Json:
    """Per operation and status the schema of the answer, and the definitions these reach."""
    answers: Json = {}
    for name, (_, _, operation) in sorted(served.items()):
        for status, answer in operation["responses"].items():
            content = _resolved(api, answer).get("content", {}).get("application/json", {})
            if "schema" in content:
                answers.setdefault(name, {})[status] = _pointed(MISPUBLISHED.get(name, content["schema"]))
    return {"operations": answers, "definitions": _reached(api["components"]["schemas"], answers)}


def _pointed(schema: Any) -> Any:
    """The schema without its prose, references pointing into `definitions`."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("#/components/schemas/", "#/definitions/")}
    return _plain(schema, _pointed)


def _reached(definitions: Json, start: Any) -> Json:
    """Every definition that `start` reaches, pruned alike."""
    reached: Json = {}
    waiting = _references(start)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _pointed(definitions[name])
            waiting |= _references(reached[name])
    return dict(sorted(reached.items()))


def _references(node: Any) -> set[str]:
    """Names of the definitions a schema points at."""
    return set(re.findall(r'"#/definitions/([^"]+)"', json.dumps(node)))


def _webhooks(api: Json) -> Json:
    """Of every event sent the published schema of its payload, by `EVENT.ACTION` or `EVENT`."""
    deliveries: Json = {}
    for webhook in api["webhooks"].values():
        event = webhook["post"]["externalDocs"]["url"].rpartition("#")[2]
        name = webhook["post"]["operationId"].replace("-", "_").replace("/", ".")
        if name.removeprefix(event).removeprefix(".") in TOLD.get(event, []):
            schema = webhook["post"]["requestBody"]["content"]["application/json"]["schema"]
            deliveries[name] = _pointed(schema)
    return {"deliveries": deliveries, "definitions": _reached(api["components"]["schemas"], deliveries)}


def _write(path: Path, data: Json) -> None:
    """One compact JSON line, the same bytes for the same data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
