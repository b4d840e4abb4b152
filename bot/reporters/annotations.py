"""Which lines broke the build: the failing step of a Dockerfile, as a remark on its own line."""

from __future__ import annotations

from bot.github.checks import Annotation
from bot.model import JobState
from bot.reporters.view import JobView


def annotations_of(view: JobView) -> list[Annotation]:
    """Remarks on the files of the commit; none for a job that went well."""
    failure = view.result.get("failure")
    if view.state is JobState.COMPLETED or not isinstance(failure, dict):
        return []
    path, line = failure.get("path"), failure.get("line")
    if not isinstance(path, str) or not isinstance(line, int) or line < 1:
        return []
    return [Annotation(path, line, line, "failure", view.message, str(view.result.get("reason", "")) or None)]
