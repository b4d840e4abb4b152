"""What `/status` answers: what serves in each environment, and what is under way."""

from __future__ import annotations

from collections.abc import Sequence

from bot import messages
from bot.links import Links
from bot.model import Job, Release, Repository
from bot.reporters.waiting import standing


def status_text(
    repository: Repository,
    releases: Sequence[tuple[Release, Job | None]],
    jobs: Sequence[Job],
    links: Links,
    locale: str,
) -> str:
    """A table, one row an environment that serves something or is being deployed to.

    With each release comes the job that made it, where that is known.
    """

    def word(key: str) -> str:
        return messages.say(locale, f"status.{key}")

    title = messages.say(locale, "status.title", repository=repository.full_name)
    serving = {release.environment: (release, job) for release, job in releases}
    busy = {job.environment: job for job in reversed(jobs)}
    names = sorted(serving.keys() | busy.keys())
    if not names:
        return f"{title}\n\n{word('nothing')}"
    head = f"| {word('environment')} | {word('serves')} | {word('since')} | {word('under_way')} |\n|---|---|---|---|"
    rows = [_row(name, serving.get(name), busy.get(name), links, word("none"), locale) for name in names]
    return "\n".join([title, "", head, *rows])


def _row(
    name: str, serving: tuple[Release, Job | None] | None, busy: Job | None, links: Links, none: str, locale: str
) -> str:
    serves, since = _serving(*serving) if serving else (none, none)
    return f"| `{name}` | {serves} | {since} | {_job(busy, links, locale) if busy else none} |"


def _serving(release: Release, job: Job | None) -> tuple[str, str]:
    """What serves, where it can be opened, and since when, by whom."""
    url = job.result.get("url") if job else None
    sha = f"[`{release.sha[:7]}`]({url})" if url else f"`{release.sha[:7]}`"
    by = f" · {messages.neutral(job.origin.actor)}" if job else ""
    return f"{sha} (v{release.version})", release.live_at.strftime("%Y-%m-%d %H:%M UTC") + by


def _job(job: Job, links: Links, locale: str) -> str:
    return f"[`{job.sha[:7]}`]({links.job(job.id)}) {standing(job, locale)}"
