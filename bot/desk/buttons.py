"""What a button under a job means: the command of that name, for that job, the same on every face."""

from __future__ import annotations

from bot.grammar import SET, Command
from bot.model import Job, JobKind
from bot.previews import pull_of


def command_of(action: str, job: Job) -> Command:
    """A button's `action` as the command the clicker might as well have said. Raises KeyError for one nobody has."""
    words: dict[str, tuple[str, dict[str, str]]] = {
        "approve": ("approve", {"job": job.id}),
        "retry": _again(job),
        "cancel": ("cancel", {"job": job.id}),
        "rollback": ("rollback", {"environment": job.environment}),
        "analyze": ("analyze", {"ref": job.sha}),
    }
    name, arguments = words[action]
    pairs = _set_by_hand(job) if (action, name) == ("retry", "deploy") else {}
    return Command(name, f"button {action}", arguments, pairs)


def _again(job: Job) -> tuple[str, dict[str, str]]:
    """The same as before: a preview of the same pull request, the same release back, a rehearsal, or a deployment.

    What a command said for itself is said again, but its reason: that stood for one time.
    """
    if (number := pull_of(job.environment)) is not None:
        return "preview", {"pull": f"#{number}"}
    if job.kind is JobKind.ANALYSIS:
        return "analyze", {"again": job.id}
    if job.kind is JobKind.ROLLBACK:
        return "rollback", {"environment": job.environment, "release": job.sha}
    rehearsal = {"noop": SET} if job.spec.get("noop") else {}
    share = {"canary": str(job.spec["canary"])} if job.spec.get("canary") else {}
    return "deploy", {"ref": job.sha, "environment": job.environment, **rehearsal, **share}


def _set_by_hand(job: Job) -> dict[str, str]:
    """The variables that were given with the command, as they were given."""
    values = job.spec.get("environment", {}).get("env", {})
    return {name: values[name] for name in job.spec.get("set_by_hand", ()) if name in values}
