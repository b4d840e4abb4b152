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
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.permissions import REPORT
from bot.model import Job, JobKind, JobState
from bot.previews import pull_of
from bot.reporters.annotations import annotations_of
from bot.reporters.face import Keep, missing
from bot.shown import analysis, markdown
from bot.shown.checks import check_name
from bot.shown.view import JobView

CONCLUSIONS: Mapping[JobState, str] = {
    JobState.COMPLETED: "success",
    JobState.FAILED: "failure",
    JobState.TIMED_OUT: "timed_out",
    JobState.CANCELLED: "cancelled",
    JobState.ROLLED_BACK: "failure",
    JobState.SUPERSEDED: "skipped",
}
BY_ITSELF = frozenset({"push", "pull_request", "check_run"})
"""Faces of jobs that came of an event at GitHub, or of a click on their check run."""
BUTTONS: Mapping[str, tuple[str, ...]] = {
    "held": ("approve", "cancel"),
    "running": ("cancel",),
    "good": ("rollback",),
    "bad": ("retry",),
    "again": ("retry",),
}
ALSO: Mapping[str, tuple[str, ...]] = {"good": ("analyze",)}
"""Buttons that stand on a commit alone."""


@dataclass(frozen=True, slots=True)
class CheckRunFace:
    """Tells a job on its commit. Every deployment has one, wherever it was asked for."""

    github: GitHub
    locale: str = "en"
    name: str = "check_run"
    pause_s: float = 1.0

    def concerns(self, job: Job) -> bool:
        """Of analyses those alone that nobody asked for: the others are told where they were asked for."""
        shows = job.kind is not JobKind.ANALYSIS or job.origin.face in BY_ITSELF
        return job.origin.installation_id > 0 and shows

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
            conclusion=None if running else _conclusion(view),
            output=self._output(view),
            buttons=self._buttons(view),
            details_url=view.link,
            started_at=job.started_at or job.created_at,
            completed_at=job.ended_at,
        )

    def _output(self, view: JobView) -> CheckOutput:
        if view.job.kind is JobKind.ANALYSIS:
            return CheckOutput(analysis.title(view, self.locale), analysis.summary(view, self.locale), None)
        text = None
        if view.tail:
            text = f"### {messages.say(self.locale, 'report.tail')}\n\n{markdown.log_block(view)}"
        return CheckOutput(markdown.title(view, self.locale), markdown.summary(view, self.locale), text)

    def _buttons(self, view: JobView) -> tuple[Button, ...]:
        kind = kind_of(view)
        say, about = messages.say, "analysis" if view.job.kind is JobKind.ANALYSIS else "report"
        return tuple(
            Button(say(self.locale, f"{about}.button.{what}"), say(self.locale, f"{about}.button.{what}.why"), what)
            for what in (*BUTTONS[kind], *ALSO.get(kind, ()))
        )


def _conclusion(view: JobView) -> str:
    """An analysis that failed says nothing against the commit."""
    conclusion = CONCLUSIONS[view.state]
    return "neutral" if view.job.kind is JobKind.ANALYSIS and conclusion in {"failure", "timed_out"} else conclusion


def kind_of(view: JobView) -> str:
    """Which of `BUTTONS` fit a job. A rehearsal and a preview have nothing to go back to."""
    if view.job.hold is not None:
        return "held" if view.job.hold.approvals else "running"
    if not view.state.is_final:
        return "running"
    if view.state is not JobState.COMPLETED:
        return "bad"
    is_over = view.is_rehearsal or pull_of(view.job.environment) or view.job.kind is JobKind.ANALYSIS
    return "again" if is_over else "good"
