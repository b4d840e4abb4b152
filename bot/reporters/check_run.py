"""The check-run face: a stage table, the log's tail, annotations and up to three buttons on the commit itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.github.api import GitHub
from bot.github.checks import (
    Button,
    CheckOutput,
    CheckReport,
    annotate,
    ensure_check_run,
    update_check_run,
)
from bot.github.client import Client
from bot.github.failures import NotFound
from bot.github.permissions import REPORT
from bot.model import Job, JobKind, JobState
from bot.reporters import markdown
from bot.reporters.annotations import annotations_of
from bot.reporters.face import Keep, missing
from bot.reporters.view import JobView

CONCLUSIONS: Mapping[JobState, str] = {
    JobState.COMPLETED: "success",
    JobState.FAILED: "failure",
    JobState.TIMED_OUT: "timed_out",
    JobState.CANCELLED: "cancelled",
    JobState.ROLLED_BACK: "failure",
    JobState.SUPERSEDED: "skipped",
}
BUTTONS: Mapping[str, tuple[str, ...]] = {
    "running": ("cancel",),
    "good": ("rollback",),
    "bad": ("retry",),
}


def check_name(job: Job) -> str:
    """`shipmate / deploy`, with the environment where it is not production."""
    kind = JobKind.DEPLOY if job.kind is JobKind.ROLLBACK else job.kind
    suffix = "" if job.environment == "production" else f" ({job.environment})"
    return f"shipmate / {kind.value}{suffix}"


@dataclass(frozen=True, slots=True)
class CheckRunFace:
    """Tells a job on its commit. Every job has one, wherever it was asked for."""

    github: GitHub
    locale: str = "en"
    name: str = "check_run"
    pause_s: float = 1.0

    def concerns(self, job: Job) -> bool:
        return job.origin.installation_id > 0

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Make or change the check run; a second one is never made, whatever was cut before."""
        job = view.job
        client = self.github.repository(job.origin.installation_id, job.repository, REPORT)
        report = self._report(view)
        if "id" in state:
            run_id = int(state["id"])
            try:
                await update_check_run(client, run_id, report)
            except NotFound:
                return await missing(state, keep)
        else:
            await keep({"asked": True})
            fresh = "asked" not in state
            run = await ensure_check_run(client, job.sha, check_name(job), job.id, report, look_first=not fresh)
            run_id = run.id
            await keep({"asked": True, "id": run_id})
            if not fresh:
                await update_check_run(client, run_id, report)
        if view.state.is_final:
            await self._annotate(client, run_id, view)
        return {"asked": True, "id": run_id, "state": view.state.value}

    async def _annotate(self, client: Client, run_id: int, view: JobView) -> None:
        found = annotations_of(view)
        if found:
            await annotate(client, run_id, self._output(view), found)

    def _report(self, view: JobView) -> CheckReport:
        job = view.job
        running = not view.state.is_final
        waiting = view.state is JobState.PENDING
        return CheckReport(
            status=("queued" if waiting else "in_progress") if running else None,
            conclusion=None if running else CONCLUSIONS[view.state],
            output=self._output(view),
            buttons=self._buttons(view),
            details_url=view.link,
            started_at=job.started_at or job.created_at,
            completed_at=job.ended_at,
        )

    def _output(self, view: JobView) -> CheckOutput:
        text = None
        if view.tail:
            text = f"### {messages.say(self.locale, 'report.tail')}\n\n{markdown.log_block(view)}"
        return CheckOutput(markdown.title(view, self.locale), markdown.summary(view, self.locale), text)

    def _buttons(self, view: JobView) -> tuple[Button, ...]:
        kind = kind_of(view.state)
        say = messages.say
        return tuple(
            Button(say(self.locale, f"report.button.{what}"), say(self.locale, f"report.button.{what}.why"), what)
            for what in BUTTONS[kind]
        )


def kind_of(state: JobState) -> str:
    """Which of `BUTTONS` fit a state."""
    if not state.is_final:
        return "running"
    return "good" if state is JobState.COMPLETED else "bad"
