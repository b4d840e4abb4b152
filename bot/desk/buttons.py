"""What a button under a job means: the command of that name, for that job, the same on every face."""

from __future__ import annotations

from bot.grammar import Command
from bot.model import Job


def command_of(action: str, job: Job) -> Command:
    """`retry`, `cancel` or `rollback` as the command the clicker might as well have said. Raises KeyError."""
    words: dict[str, tuple[str, dict[str, str]]] = {
        "retry": ("deploy", {"ref": job.sha, "environment": job.environment}),
        "cancel": ("cancel", {"job": job.id}),
        "rollback": ("rollback", {"environment": job.environment}),
    }
    name, arguments = words[action]
    return Command(name, f"button {action}", arguments)
