"""One comment for the preview a pull request has by itself: each newer commit edits it, no push adds another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.github.api import GitHub
from bot.github.comments import BotLogin, ensure_comment, find_comment, hidden, mark, update_comment
from bot.github.permissions import REPORT
from bot.model import Job
from bot.previews import pull_of
from bot.reporters.face import Keep
from bot.shown import markdown
from bot.shown.view import JobView

_SINCE = re.compile(r"<!-- shipmate asked:(\S{20,40}) -->")


def comes_by_itself(job: Job) -> bool:
    """Whether the job brings a preview to its pull request's head, and nobody said so."""
    return job.origin.face == "pull_request" and pull_of(job.environment) is not None


@dataclass(frozen=True, slots=True)
class PreviewCommentFace:
    """Tells the newest of a preview's jobs; an older one that ends late does not write over it."""

    github: GitHub
    bot_login: BotLogin
    locale: str = "en"
    name: str = "preview_comment"
    pause_s: float = 3.0

    def concerns(self, job: Job) -> bool:
        return comes_by_itself(job) and job.origin.installation_id > 0

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Write or edit it. One that somebody deleted comes back with the next commit only."""
        job, number = view.job, view.job.origin.pull_number
        if number is None or state.get("over"):
            return state
        client = self.github.repository(job.origin.installation_id, job.repository, REPORT)
        marker, login = f"shipmate preview:{job.environment}", await self.bot_login()
        asked = job.created_at.isoformat()
        body = f"{hidden(f'shipmate asked:{asked}')}\n{markdown.comment(view, self.locale)}"
        known = await find_comment(client, number, marker, login)
        if known is not None:
            if _asked_at(known.body) > asked:
                return {"over": "newer"}
            await update_comment(client, known.id, mark(body, marker))
            return {"id": known.id}
        if "id" in state:
            return {"over": "deleted"}
        made = await ensure_comment(client, number, marker, login, body)
        return {"id": made.id}


def _asked_at(body: str) -> str:
    """When the job was asked for that the comment tells of."""
    found = _SINCE.search(body)
    return found[1] if found else ""
