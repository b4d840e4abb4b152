"""Which lines broke the build: the failing step of a Dockerfile, and what the tools said, each on its own line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.github.checks import Annotation
from bot.github.limits import ANNOTATIONS_A_REQUEST
from bot.model import JobState
from bot.shown.view import JobView


def annotations_of(view: JobView) -> list[Annotation]:
    """Remarks on the files of the commit; none for a job that went well."""
    failure = view.result.get("failure")
    if view.state is JobState.COMPLETED or not isinstance(failure, dict):
        return []
    step = _step(failure, view)
    said = [one for one in _said(failure) if step is None or (one.path, one.start_line) != (step.path, step.start_line)]
    return ([step] if step else []) + said[: ANNOTATIONS_A_REQUEST - 1]


def _step(failure: Mapping[str, Any], view: JobView) -> Annotation | None:
    path, line = failure.get("path"), failure.get("line")
    if not isinstance(path, str) or not isinstance(line, int) or line < 1:
        return None
    return Annotation(path, line, line, "failure", view.message, str(view.result.get("reason", "")) or None)


def _said(failure: Mapping[str, Any]) -> Iterator[Annotation]:
    """The build stage's facts; see `bot.annotations.remark.Remark`."""
    for one in failure.get("remarks") or ():
        title = one["title"] if one["title"] == one["tool"] else f"{one['tool']}: {one['title']}"
        yield Annotation(one["path"], one["line"], one["end_line"], one["level"], one["message"], title)
