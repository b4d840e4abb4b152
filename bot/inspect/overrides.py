"""What .shipmate.yml may say under `build:`: the JSON Schema of it, and the overrides it makes of an inspection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bot.inspect.errors import BadInput
from bot.inspect.inspection import SETTINGS_FILE
from bot.inspect.model import BuildOverrides
from bot.inspect.reader import Reader

_TEXT = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\u0000-\\u0008\\u000a-\\u001f]*$"}
_PATH = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1024,
    "pattern": "^(?!/)(?!.*(?:^|/)\\.\\.(?:/|$))[^\\u0000\\n\\\\]+$",
}

BUILD_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "How the application is built and started, where detection should not decide.",
    "additionalProperties": False,
    "properties": {
        "path": {**_PATH, "description": "The folder of the application, in a repository of several."},
        "language": {**_TEXT, "description": "The language, e.g. python, node, go."},
        "framework": {**_TEXT, "description": "The framework's id, e.g. django, nextjs."},
        "runtime": {"type": ["string", "number"], "description": "The runtime's version, e.g. '3.12'."},
        "install": {**_TEXT, "description": "The command that installs dependencies."},
        "build": {**_TEXT, "description": "The command that builds."},
        "start": {**_TEXT, "description": "The command that starts the application."},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "The port it listens on."},
        "dockerfile": {**_PATH, "description": "The Dockerfile, from the repository's root."},
        "context": {**_PATH, "description": "The build context, from the repository's root."},
        "args": {
            "type": "object",
            "description": "Build arguments. Never secrets: they stay in the image's history.",
            "propertyNames": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$"},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        },
        "static": {**_PATH, "description": "The folder that holds the finished site."},
    },
}


def overrides_from(build: Mapping[str, Any]) -> BuildOverrides:
    """Overrides from a `build:` mapping; BadInput names the key that is unknown or of the wrong kind.

    Keys that only the builder reads, such as `args`, override nothing.
    """
    known = {field.name for field in fields(BuildOverrides)}
    values: dict[str, Any] = {}
    for key, value in build.items():
        if key not in BUILD_SCHEMA["properties"]:
            raise BadInput(f"build: has no key {key!r}; it knows {', '.join(sorted(BUILD_SCHEMA['properties']))}.")
        if key in known:
            values[key] = _checked(key, value)
    return BuildOverrides(**values)


def _checked(key: str, value: object) -> str | int:
    if key == "port":
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536:
            return value
        raise BadInput("build.port is a number from 1 to 65535.")
    if key == "runtime" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise BadInput(f"build.{key} is text.")


def overrides_in(reader: Reader) -> BuildOverrides | None:
    """The overrides that a tree's own .shipmate.yml holds, None without any. Raises BadInput as above."""
    build = reader.yaml(SETTINGS_FILE).get("build")
    return overrides_from({str(key): value for key, value in build.items()}) if isinstance(build, dict) else None
