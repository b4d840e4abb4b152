"""Which line of `.shipmate.yml` would mend a guess that did not hold: a guess fails with the way to correct it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.inspect.model import AppPlan, Evidence
from bot.jobs.deploy.image.recipe import Recipe

FIELDS: Mapping[str, str] = {
    "install": "installCommand",
    "build": "buildCommand",
    "start": "startCommand",
    "runtime": "runtimeVersion",
    "static": "staticOutput",
    "port": "port",
}
"""Keys of `build:`, and what an inspection calls the same."""


def of_build(recipe: Recipe, line: int | None, message: str) -> dict[str, Any]:
    """The remedy of a failed build as facts of its error: `{"fix": …}`, empty where no setting would help.

    `line` is the failing one of a generated Dockerfile; a version nobody publishes is told by the message alone.
    """
    if not recipe.made or recipe.app is None:
        return {}
    key = recipe.settings.get(line) if line is not None else None
    if key is None and "not found" in message and recipe.app.runtime_version:
        key = "runtime"
    return {"fix": fix(recipe.app, key)} if key else {}


def of_serving(recipe: Recipe) -> dict[str, Any]:
    """The remedies kept for later: what to say when the start ends, or when nobody listens at the port."""
    start = fix(recipe.app, "start") if recipe.made and recipe.app else None
    port = fix(recipe.app, "port", recipe.port) if recipe.app else {"key": "port", "value": recipe.port}
    return {"fix_start": start, "fix_port": port}


def fix(app: AppPlan, key: str, value: object = None) -> dict[str, Any]:
    """One remedy: the key of `build:`, the value that was taken, and where it was read (`path:line`)."""
    found = next((item for item in app.evidence if item.field == FIELDS[key]), None)
    shown = value if value is not None else found.value if found else None
    return {"key": key, "value": shown, "place": _place(found) if found and found.value == shown else None}


def _place(found: Evidence) -> str | None:
    return f"{found.path}:{found.line}" if found.path and found.line else found.path
