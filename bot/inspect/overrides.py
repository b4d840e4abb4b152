"""What .shipmate.yml may say under `build:`, as JSON Schema and as overrides for an inspection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bot.inspect.errors import BadInput
from bot.inspect.inspection import SETTINGS_FILE
from bot.inspect.model import BuildOverrides
from bot.inspect.reader import Reader

_TEXT = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\u0000-\\u0008\\u000a-\\u001f]*$"}
_PATH = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^(?!/)(?!.*(?:^|/)\\.\\.(?:/|$)).+$"}

BUILD_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "How the application is built and started, where detection should not decide.",
    "additionalProperties": False,
    "properties": {
        "language": {**_TEXT, "description": "The language, e.g. python, node, go."},
        "framework": {**_TEXT, "description": "The framework's id, e.g. django, nextjs."},
        "runtime": {"type": ["string", "number"], "description": "The runtime's version, e.g. '3.12'."},
        "install": {**_TEXT, "description": "The command that installs dependencies."},
        "build": {**_TEXT, "description": "The command that builds."},
        "start": {**_TEXT, "description": "The command that starts the application."},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "The port it listens on."},
        "dockerfile": {**_PATH, "description": "The Dockerfile, from the repository's root."},
        "context": {**_PATH, "description": "The build context, from the repository's root."},
        "static": {**_PATH, "description": "The folder that holds the finished site."},
    },
}


def overrides_from(build: Mapping[str, Any]) -> BuildOverrides:
    """Overrides from a `build:` mapping; BadInput names the key that is unknown or of the wrong kind."""
    known = {field.name for field in fields(BuildOverrides)}
    values: dict[str, Any] = {}
    for key, value in build.items():
        if key not in known:
            raise BadInput(f"build: has no key {key!r}; it knows {', '.join(sorted(known))}.")
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
