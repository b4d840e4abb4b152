"""Says why a build elsewhere failed: which line of the Dockerfile its log names, and the setting that would mend it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.annotations.dockerfiles import dockerfile_findings
from bot.annotations.lines import streams
from bot.inspect.dockerfile_parser import parse_dockerfile
from bot.jobs.deploy.image.recipe import Recipe
from bot.jobs.deploy.image.remedy import of_build

_EXIT_CODE = re.compile(r"exit code:? (\d+)")


@dataclass(frozen=True, slots=True)
class Stop:
    """Where BuildKit gave up: the Dockerfile's line, from 1, and why in its words."""

    line: int
    message: str


def stop_in(log: Sequence[str]) -> Stop | None:
    """The last place that a log names; None where the image's build was not what failed."""
    found = [one for stream in streams(log) for one in dockerfile_findings(stream) if one.tool == "dockerfile"]
    return Stop(found[-1].places[0].line, found[-1].message) if found else None


def failure_facts(log: Sequence[str], recipe: Recipe, dockerfile: str, message: str) -> dict[str, Any]:
    """What to add to the failure: `message` where the log knows a better one, `line`, `path` and the remedy `fix`.

    `dockerfile` is its text; a path is named only where it is the repository's.
    """
    stop = stop_in(log)
    if stop is None:
        return {}
    why, path = _sentence(stop, dockerfile), {} if recipe.made else {"path": recipe.dockerfile}
    return {**path, "line": stop.line, "message": why, "command": message, **of_build(recipe, stop.line, why)}


def _sentence(stop: Stop, dockerfile: str) -> str:
    instructions = parse_dockerfile(dockerfile).instructions
    failed = next((f"{one.keyword} {one.value}" for one in instructions if one.line == stop.line), None)
    code = _EXIT_CODE.search(stop.message)
    return f"`{failed}` ended with exit code {code[1]}" if failed and code else stop.message
