"""What `/status` answers: what serves in each environment, and what is under way."""

from __future__ import annotations

from collections.abc import Sequence

from bot import messages
from bot.jobs.deploy.rollout.finding import AS_BELIEVED
from bot.links import Links
from bot.live import Live
from bot.model import Job, Repository
from bot.shown.waiting import standing


def status_text(
    repository: Repository,
    live: Sequence[Live],
    jobs: Sequence[Job],
    links: Links,
    locale: str,
    only: str | None = None,
) -> str:
    """A table, one row an environment that serves something or is being deployed to; below, what somebody must see.

    `only`: the environment that was asked about.
    """

    def word(key: str) -> str:
        return messages.say(locale, f"status.{key}")

    title = messages.say(locale, "status.title", repository=repository.full_name)
    serving = {one.release.environment: one for one in live}
    busy = {job.environment: job for job in reversed(jobs)}
    names = sorted(serving.keys() | busy.keys())
    if not names:
        nothing = messages.say(locale, "status.nothing_there", environment=only) if only else word("nothing")
        return f"{title}\n\n{nothing}"
    head = f"| {word('environment')} | {word('serves')} | {word('since')} | {word('under_way')} |\n|---|---|---|---|"
    rows = [_row(name, serving.get(name), busy.get(name), links, word("none"), locale) for name in names]
    warnings = [_warning(one, locale) for one in live if one.finding != AS_BELIEVED]
    return "\n".join([title, "", head, *rows, *(["", *warnings] if warnings else [])])


def _warning(live: Live, locale: str) -> str:
    release, found = live.release, live.finding.said(locale)
    return messages.say(locale, "status.drift", environment=release.environment, found=found, job=release.job_id)


def _row(name: str, serving: Live | None, busy: Job | None, links: Links, none: str, locale: str) -> str:
    serves, since = _serving(serving) if serving else (none, none)
    return f"| `{name}` | {serves} | {since} | {_job(busy, links, locale) if busy else none} |"


def _serving(live: Live) -> tuple[str, str]:
    """What serves, where it can be opened, and since when, by whom."""
    release = live.release
    sha = f"[`{release.sha[:7]}`]({live.url})" if live.url else f"`{release.sha[:7]}`"
    by = f" · {messages.neutral(live.bringer.origin.actor)}" if live.bringer else ""
    return f"{sha} (v{release.version})", live.since.strftime("%Y-%m-%d %H:%M UTC") + by


def _job(job: Job, links: Links, locale: str) -> str:
    return f"[`{job.sha[:7]}`]({links.job(job.id)}) {standing(job, locale)}"
