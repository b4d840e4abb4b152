"""Knows GitHub's published operations: which one a request means, and whether what it says is allowed."""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from bot.sandbox.github.refusals import GitHubError, invalid_request, not_found

Json = dict[str, Any]
WIDE = {"ref", "branch", "basehead"}
"""Path parameters that may hold slashes, because names of refs do."""
PUBLISHED = Path(__file__).with_name("openapi.json")
FORMATS = FormatChecker(formats=())
SURROGATE = b"\\ud"
MAX_SHOWN = 200
"""How many characters of a wrong value are repeated in the refusal."""


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    """ISO 8601 with a zone, as in `2011-01-26T19:01:12Z`."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@dataclass(frozen=True)
class Operation:
    """One published operation. `permissions` are alternatives: any one (name, level) opens it to an app."""

    name: str
    method: str
    path: str
    docs: str
    permissions: tuple[tuple[str, str], ...]
    path_parameters: Json
    query_parameters: Json
    body: Json | None
    body_required: bool

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a path must look like; `contents` may stand without a path, for the root folder."""
        template = self.path.replace("/contents/{path}", "/contents{path}")
        return re.compile(re.sub(r"\{(\w+)\}", _group, re.sub(r"[.$+]", r"\\\g<0>", template)) + r"\Z")

    @functools.cached_property
    def _body_checker(self) -> Draft7Validator:
        return Draft7Validator(self.body or {"type": "object"}, format_checker=FORMATS)

    @functools.cached_property
    def _query_checker(self) -> Draft7Validator:
        return Draft7Validator(
            {"type": "object", "additionalProperties": False, **self.query_parameters}, format_checker=FORMATS
        )

    @property
    def accepted(self) -> str:
        """The permissions that open it, as the header `X-Accepted-GitHub-Permissions` says them."""
        return "; ".join(f"{name}={level}" for name, level in self.permissions)

    def read_path(self, given: Mapping[str, str]) -> Json:
        """Path parameters with numbers as numbers. Raises GitHubError 404 for what can't be one."""
        schemas = self.path_parameters["properties"]
        try:
            return {name: _typed(text, schemas.get(name, {})) for name, text in given.items()}
        except ValueError as error:
            raise not_found() from error

    def read_query(self, given: Mapping[str, str]) -> Json:
        """Query parameters with numbers and booleans as such. Raises GitHubError 422."""
        schemas = self.query_parameters["properties"]
        query = {name: _maybe_typed(text, schemas.get(name, {})) for name, text in given.items()}
        _require(self._query_checker, query)
        return query

    def read_body(self, raw: bytes) -> Json:
        """The JSON object of a request. Raises GitHubError 400 (no JSON) or 422 (not what may be said)."""
        if self.body is None or (not raw.strip() and not self.body_required):
            return {}
        body = _parsed(raw)
        _require(self._body_checker, body)
        return body


class Operations:
    """All operations served, and which of them a request means."""

    def __init__(self, served: Iterable[str]) -> None:
        published = _published()
        chosen = [_operation(name, published[name]) for name in served]
        self._all = sorted(chosen, key=lambda one: -len(re.sub(r"\{\w+\}", "", one.path)))

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation and its path parameters, the most literal match first. Raises GitHubError 404."""
        for operation in self._all:
            if operation.method == method and (match := operation.pattern.match(path)):
                return operation, {name: (text or "").strip("/") for name, text in match.groupdict().items()}
        raise not_found()


@functools.cache
def _published() -> dict[str, Json]:
    operations: dict[str, Json] = json.loads(PUBLISHED.read_bytes())
    return operations


def _operation(name: str, facts: Json) -> Operation:
    permissions = tuple((permission, level) for permission, level in facts["permissions"])
    return Operation(name=name, **{**facts, "permissions": permissions})


def _group(match: re.Match[str]) -> str:
    """The part of a pattern that stands for one placeholder."""
    name = match.group(1)
    if name == "path":
        return r"(?P<path>/.*)?"
    return f"(?P<{name}>.+)" if name in WIDE else f"(?P<{name}>[^/]+)"


def _parsed(raw: bytes) -> Json:
    """The JSON object of a body; halves of characters (lone surrogates) are no text. Raises GitHubError 400."""
    try:
        body = json.loads(raw or b"{}")
        if SURROGATE in raw.lower():
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise GitHubError(400, "Problems parsing JSON") from error
    if not isinstance(body, dict):
        raise GitHubError(400, "Body should be a JSON object")
    return body


def _typed(text: str, schema: Json) -> Any:
    """A parameter in the type its schema gives it. Raises ValueError."""
    if schema.get("type") == "integer":
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _maybe_typed(text: str, schema: Json) -> Any:
    """The same, but leaves what doesn't fit for the schema to refuse."""
    try:
        return _typed(text, schema)
    except ValueError:
        return text


def _require(checker: Draft7Validator, instance: Json) -> None:
    """Raises GitHubError 422 naming everything that is wrong."""
    wrong = [_sentence(error) for error in checker.iter_errors(instance)]
    if wrong:
        raise invalid_request(*sorted(wrong))


def _sentence(error: ValidationError) -> str:
    """What is wrong in the words of the checker GitHub uses."""
    where = "/".join(["properties", *(str(step) for step in error.absolute_path)])
    prefix = f"For '{where}', " if error.absolute_path else ""
    given: Any = error.instance
    rule: Any = error.validator_value
    shown = json.dumps(given)[:MAX_SHOWN]
    match error.validator:
        case "required":
            missing = next(name for name in rule if name not in given)
            return f'{prefix}"{missing}" wasn\'t supplied.'
        case "additionalProperties":
            schema: Any = error.schema
            unknown = sorted(given.keys() - schema.get("properties", {}).keys())
            return prefix + ", ".join(f'"{name}" is not a permitted key.' for name in unknown)
        case "type":
            words = " or ".join(rule) if isinstance(rule, list) else str(rule)
            return f"{prefix}{shown} is not {'an' if words[0] in 'aeio' else 'a'} {words}."
        case "enum":
            return f"{prefix}{shown} is not a member of {json.dumps(rule)}."
        case "maxLength":
            return f"{prefix}Only {rule} characters are allowed; {len(given)} were supplied."
        case "maxItems":
            return f"{prefix}No more than {rule} items are allowed; {len(given)} were supplied."
        case "format":
            return f"{prefix}{shown} is not a valid {rule}."
        case "oneOf" | "anyOf":
            return f'{prefix}No subschema in "{error.validator}" matched.'
    return f"{prefix}{error.message[:MAX_SHOWN]}."
