"""What `/status` answers: what serves in each environment, and what is under way."""

from __future__ import annotations

from collections.abc import Sequence

from bot import messages
from bot.links import Links
from bot.model import Job, Release, Repository


def status_text(
    repository: Repository, releases: Sequence[Release], jobs: Sequence[Job], links: Links, locale: str
) -> str:
    """A table, one row an environment that serves something or is being deployed to."""

    def word(key: str) -> str:
        return messages.say(locale, f"status.{key}")

    title = messages.say(locale, "status.title", repository=repository.full_name)
    serving = {release.environment: release for release in releases}
    busy = {job.environment: job for job in reversed(jobs)}
    names = sorted(serving.keys() | busy.keys())
    if not names:
        return f"{title}\n\n{word('nothing')}"
    head = f"| {word('environment')} | {word('serves')} | {word('since')} | {word('under_way')} |\n|---|---|---|---|"
    rows = [_row(name, serving.get(name), busy.get(name), links, word("none"), locale) for name in names]
    return "\n".join([title, "", head, *rows])


def _row(name: str, release: Release | None, job: Job | None, links: Links, none: str, locale: str) -> str:
    serves = f"`{release.sha[:7]}` (v{release.version})" if release else none
    since = release.live_at.strftime("%Y-%m-%d %H:%M UTC") if release else none
    return f"| `{name}` | {serves} | {since} | {_job(job, links, locale) if job else none} |"


def _job(job: Job, links: Links, locale: str) -> str:
    state = messages.say(locale, f"report.title.{job.state.value}", environment=job.environment)
    return f"[`{job.sha[:7]}`]({links.job(job.id)}) {state}"
