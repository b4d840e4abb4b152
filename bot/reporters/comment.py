"""The sticky comment of a job on the pull request or issue where it was asked for: one, edited as things go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.github.api import GitHub
from bot.github.client.failures import NotFound
from bot.github.comments import BotLogin, add_reaction, ensure_comment, mark, remove_reaction, update_comment
from bot.github.permissions import REPORT
from bot.model import Job, JobKind, JobState
from bot.reporters.face import Keep, missing
from bot.shown import analysis, markdown
from bot.shown.view import JobView


@dataclass(frozen=True, slots=True)
class CommentFace:
    """Tells a job in one comment."""

    github: GitHub
    bot_login: BotLogin
    locale: str = "en"
    name: str = "comment"
    pause_s: float = 3.0

    def concerns(self, job: Job) -> bool:
        """What a pull request's own event asks for is told elsewhere: the owners of its lines, and its preview."""
        is_asked = job.origin.face != "pull_request" and (
            job.kind is not JobKind.ANALYSIS or job.origin.comment_id is not None
        )
        return job.origin.pull_number is not None and job.origin.installation_id > 0 and is_asked

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Write or edit the comment. One that somebody deleted is not written again."""
        job, marker = view.job, f"shipmate job:{view.job.id}"
        number = job.origin.pull_number
        if number is None or state.get("gone"):
            return state
        client = self.github.repository(job.origin.installation_id, job.repository, REPORT)
        is_analysis = job.kind is JobKind.ANALYSIS
        body = analysis.summary(view, self.locale) if is_analysis else markdown.comment(view, self.locale)
        if "id" in state:
            try:
                await update_comment(client, int(state["id"]), mark(body, marker))
            except NotFound:
                return await missing(state, keep)
            return {"asked": True, "id": state["id"]}
        fresh = "asked" not in state
        await keep({"asked": True})
        login = await self.bot_login()
        made = await ensure_comment(client, number, marker, login, body, since=job.created_at, look_first=not fresh)
        await keep({"asked": True, "id": made.id})
        if not fresh:
            await update_comment(client, made.id, mark(body, marker))
        return {"asked": True, "id": made.id}


@dataclass(frozen=True, slots=True)
class ReactionFace:
    """Eyes on the asking comment while it runs, then a rocket or a confused face."""

    github: GitHub
    bot_login: BotLogin
    name: str = "reaction"
    pause_s: float = 0.3

    def concerns(self, job: Job) -> bool:
        return job.origin.comment_id is not None and job.origin.installation_id > 0

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Show one reaction at a time."""
        job = view.job
        comment_id = job.origin.comment_id
        wanted = _reaction(view)
        if comment_id is None or state.get("shown") == wanted:
            return state
        client = self.github.repository(job.origin.installation_id, job.repository, REPORT)
        try:
            await add_reaction(client, comment_id, wanted)
            if state.get("shown"):
                await remove_reaction(client, comment_id, str(state["shown"]), await self.bot_login())
        except NotFound:
            return {**await missing(state, keep), "shown": wanted}
        return {"shown": wanted}


def _reaction(view: JobView) -> str:
    if not view.state.is_final:
        return "eyes"
    return "rocket" if view.state is JobState.COMPLETED else "confused"
