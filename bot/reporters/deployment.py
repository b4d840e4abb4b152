"""The GitHub deployment of a job: its environment, its state, its log and the URL that serves the new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.github.api import GitHub
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.deployments import (
    DeploymentStatus,
    NewDeployment,
    add_status,
    ensure_deployment,
    list_deployments,
    list_statuses,
)
from bot.github.permissions import REPORT
from bot.model import Job, JobKind, JobState
from bot.previews import pull_of
from bot.reporters.face import Keep, missing
from bot.shown import markdown
from bot.shown.view import JobView

STATES: Mapping[JobState, str] = {
    JobState.PENDING: "queued",
    JobState.COMPLETED: "success",
    JobState.FAILED: "failure",
    JobState.TIMED_OUT: "error",
    JobState.CANCELLED: "inactive",
    JobState.ROLLED_BACK: "failure",
    JobState.SUPERSEDED: "inactive",
}
"""How GitHub calls a state; all the others are `in_progress`."""
RETIRED_AT_ONCE = 5
"""How far back earlier deployments are looked at."""


@dataclass(frozen=True, slots=True)
class DeploymentFace:
    """Tells deploy and rollback jobs. Each state once: GitHub keeps every status it is given."""

    github: GitHub
    locale: str = "en"
    name: str = "deployment"
    pause_s: float = 0.3

    def concerns(self, job: Job) -> bool:
        """What changes nothing is no deployment."""
        deploys = job.kind in {JobKind.DEPLOY, JobKind.ROLLBACK} and not job.spec.get("noop")
        return deploys and job.origin.installation_id > 0

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Make the deployment when it is new, then add the status if it is another than the last one told."""
        wanted = STATES.get(view.state, "in_progress")
        if state.get("told") == wanted or state.get("gone"):
            return state
        job = view.job
        client = self.github.repository(job.origin.installation_id, job.repository, REPORT)
        known = dict(state)
        if "id" not in known:
            fresh = "asked" not in known
            await keep({"asked": True})
            made = await ensure_deployment(client, self._new(view), look_first=not fresh)
            known = {"asked": True, "id": made.id}
            await keep(known)
        try:
            await add_status(client, int(known["id"]), self._status(view, wanted), look_first="saying" in known)
        except NotFound:
            return await missing(known, keep)
        if wanted == "success":
            await _retire_older(client, view, int(known["id"]))
        return {"asked": True, "id": known["id"], "told": wanted, "saying": True}

    def _new(self, view: JobView) -> NewDeployment:
        job = view.job
        return NewDeployment(
            sha=job.sha,
            environment=job.environment,
            job_id=job.id,
            description=messages.say(self.locale, "report.title.PENDING"),
            transient=pull_of(job.environment) is not None,
            production=job.environment == "production",
        )

    def _status(self, view: JobView, state: str) -> DeploymentStatus:
        description = messages.say(
            self.locale,
            "report.deployment",
            environment=view.job.environment,
            title=markdown.title(view, self.locale),
        )
        return DeploymentStatus(
            state=state,
            description=description,
            log_url=view.link,
            environment_url=(view.url or "") if state == "success" else "",
            auto_inactive=state == "success",
        )


async def _retire_older(client: Client, view: JobView, current_id: int) -> None:
    """Earlier deployments of the environment serve nothing any more. GitHub does this by itself, but not in production.

    https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status (auto_inactive)
    """
    for older in await list_deployments(client, environment=view.job.environment, most=RETIRED_AT_ONCE):
        if older.id >= current_id:
            continue
        last = await list_statuses(client, older.id, most=1)
        if last and last[0].state == "success":
            await add_status(client, older.id, DeploymentStatus("inactive", auto_inactive=False))
