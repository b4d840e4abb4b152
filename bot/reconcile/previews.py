"""Ends previews whose time is over or whose pull request is closed, and takes away all that is left of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import messages
from bot.clock import Clock
from bot.errors import Permanent, ShipmateError
from bot.github.api import GitHub
from bot.github.client.client import Client
from bot.github.comments import BotLogin, find_comments, update_comment
from bot.github.deployments import DeploymentStatus, add_status, list_deployments, list_statuses
from bot.github.environments import delete_environment
from bot.github.permissions import DECIDE, MANAGE_ENVIRONMENTS, REPORT
from bot.github.pulls import get_pull
from bot.jobs.deploy.teardown import forget_images, tear_down
from bot.model import Release
from bot.ports.engines import AnyEngine, Engine
from bot.store.answers import Answer
from bot.store.changes import EndPreview
from bot.store.jobs import Jobs
from bot.store.previews import Preview, Previews
from bot.store.releases import Releases

ASK_EVERY = timedelta(minutes=5)
"""How often GitHub is asked whether the pull requests are still open: a delivery usually tells it at once."""
MOST_DEPLOYMENTS = 100
NOBODY = "shipmate"
GONE = frozenset({"github_not_found", "github_invalid"})
"""What GitHub answers for a repository that was deleted, or that the app was removed from."""

_HIDDEN = re.compile(r"<!-- shipmate [^>]+ -->")
"""What a comment is found again by."""

log = logging.getLogger("shipmate.previews")


@dataclass(frozen=True, slots=True)
class Records:
    """What the keeper looks up and changes."""

    previews: Previews
    jobs: Jobs
    releases: Releases


class PreviewKeeper:
    """Looks after all previews; each look is repeatable, and one that fails stops no other."""

    def __init__(
        self,
        github: GitHub,
        login: BotLogin,
        records: Records,
        engines: Mapping[str, AnyEngine],
        clock: Clock,
        locale: str = "en",
    ) -> None:
        self._github = github
        self._login = login
        self._records = records
        self._engines = engines
        self._clock = clock
        self._locale = locale
        self._asked_at: datetime | None = None

    async def look(self) -> None:
        """End what is over, then take down what has ended."""
        now = self._clock()
        for preview in await self._records.previews.all_open():
            if preview.ends_at <= now:
                await self._end(preview, "expired", self._goodbye(preview))
        if self._asked_at is None or now - self._asked_at >= ASK_EVERY:
            self._asked_at = now
            await self.ask_github()
        for preview in await self._records.previews.ending():
            await self._guarded(preview)

    async def ask_github(self) -> None:
        """End those whose pull request was closed, or whose repository went, while nobody told us."""
        for preview in await self._records.previews.all_open():
            try:
                client = self._github.repository(preview.installation_id, preview.repository, DECIDE)
                pull = await get_pull(client, preview.number)
            except ShipmateError as error:
                if error.code in GONE:
                    await self._end(preview, "gone", None)
                else:
                    log.warning("GitHub could not be asked about a preview", extra=_facts(preview, error))
            else:
                if pull.state != "open":
                    await self._end(preview, "closed", None)

    async def _end(self, preview: Preview, why: str, answer: Answer | None) -> None:
        end = EndPreview(preview.repository.id, preview.number, why)
        await self._records.previews.end(end, answer, self._clock())

    def _goodbye(self, preview: Preview) -> Answer:
        """Said under the pull request: nobody who asked is there to see it."""
        text = messages.say(self._locale, "preview.expired", environment=preview.environment)
        key = f"preview-expired-{preview.repository.id}-{preview.number}-{preview.ends_at.isoformat()}"
        return Answer(key, preview.repository, preview.installation_id, preview.number, text)

    async def _guarded(self, preview: Preview) -> None:
        try:
            await self._take_down(preview)
        except ShipmateError as error:
            log.warning("a preview could not be taken down yet", extra=_facts(preview, error))

    async def _take_down(self, preview: Preview) -> None:
        """Jobs first, which put their own things back; then what serves and what GitHub shows; then it is forgotten."""
        repository, environment = preview.repository, preview.environment
        unfinished = await self._records.jobs.unfinished_in(repository.id, environment)
        for job_id in unfinished:
            await self._records.jobs.ask_cancel(job_id, preview.ended_by or NOBODY, self._clock())
        if unfinished and await self._records.jobs.unfinished_in(repository.id, environment):
            return
        releases = await self._records.releases.recent(repository.id, environment, MOST_DEPLOYMENTS)
        await self._records.releases.retire(repository.id, environment)
        for engine in self._engines.values():
            if isinstance(engine, Engine):
                await tear_down(engine, repository.id, environment)
                await forget_images(engine, self._records.releases, releases)
        await self._tell_github(preview, releases)
        await self._records.previews.is_down(preview)
        log.info("a preview was taken down", extra={"repository": repository.full_name, "environment": environment})

    async def _tell_github(self, preview: Preview, releases: Sequence[Release]) -> None:
        """Its deployments serve nothing any more, nor does any comment. A repository that is gone is not told."""
        client = self._github.repository(preview.installation_id, preview.repository, REPORT)
        try:
            for one in await list_deployments(client, environment=preview.environment, most=MOST_DEPLOYMENTS):
                last = await list_statuses(client, one.id, most=1)
                if not last or last[0].state != "inactive":
                    await add_status(client, one.id, DeploymentStatus("inactive", auto_inactive=False))
            await self._say_it_is_over(client, preview, releases)
        except Permanent as refused:
            if refused.code not in GONE:
                raise
        else:
            await self._delete_environment(preview)

    async def _say_it_is_over(self, client: Client, preview: Preview, releases: Sequence[Release]) -> None:
        """Comments that tell of it still show an address where nothing answers. One is told once."""
        markers = [f"shipmate job:{release.job_id}" for release in releases]
        markers.append(f"shipmate preview:{preview.environment}")
        over = messages.say(self._locale, "preview.over", environment=preview.environment)
        for comment in await find_comments(client, preview.number, markers, await self._login()):
            told = "\n".join([*_HIDDEN.findall(comment.body), over])
            if comment.body != told:
                await update_comment(client, comment.id, told)

    async def _delete_environment(self, preview: Preview) -> None:
        """Only where the app may administer the repository, which it does not ask for by itself."""
        client = self._github.repository(preview.installation_id, preview.repository, MANAGE_ENVIRONMENTS)
        try:
            await delete_environment(client, preview.environment)
        except Permanent as refused:
            log.debug("the environment stays at GitHub", extra=_facts(preview, refused))


def _facts(preview: Preview, error: ShipmateError) -> dict[str, str | int]:
    return {"repository": preview.repository.full_name, "preview": preview.number, "code": error.code}
