"""The page of what runs and what is locked in a repository, as HTML, and its parts, renewed while it is read."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from bot import messages
from bot.durations import shown
from bot.jobs.deploy.rollout.finding import AS_BELIEVED
from bot.line import Place
from bot.live import Live
from bot.locks import TIME_FORM, Lock
from bot.model import Job, JobState
from bot.overview import Overview
from bot.shown.titles import title_of
from bot.shown.view import ENDS, StageState, see
from bot.shown.waiting import held_title
from bot.web.at_github import AtGitHub
from bot.web.job_page import ICONS, tone

WHY_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Words, and where its links lead: those to our own pages end with `let_in`, which let the reader in."""

    github: AtGitHub
    locale: str
    let_in: Mapping[str, str] = field(default_factory=dict, repr=False)

    def render(self, seen: Overview, before: str | None) -> str:
        """The whole page; `before` is where its list of ended jobs begins."""
        base = f"/repos/{quote(seen.name)}/overview"
        chosen = {"environment": seen.only, "before": before}
        return _template().format(
            lang=escape(self.locale),
            title=self._word("title", repository=seen.name),
            events=escape(f"{base}/events{self._query(**chosen)}"),
            facts=" · ".join(self._facts(seen)),
            reconnecting=escape(messages.say(self.locale, "page.reconnecting")),
            parts="\n".join(
                f'<section id="{name}">{part}</section>' for name, part in self.parts(seen, before).items()
            ),
        )

    def parts(self, seen: Overview, before: str | None) -> dict[str, str]:
        """The sections by their ids; the same text while nothing changed."""
        if not (seen.locks or seen.under_way or seen.live or seen.ended or seen.only or before):
            return {**dict.fromkeys(("under-way", "locks", "live"), ""), "ended": f"<p>{self._word('nothing')}</p>"}
        return {
            "locks": self._locks(seen.locks),
            "under-way": self._under_way(seen.under_way),
            "live": self._live(seen.live, seen.name),
            "ended": self._ended(seen, before),
        }

    def _facts(self, seen: Overview) -> Iterator[str]:
        """Where else one can go from here."""
        if seen.only:
            every = f'<a href="{escape(self._path(seen.name))}">{self._word("all")}</a>'
            yield f"{self._word('only', environment=seen.only)} · {every}"
        yield _link(self.github.repository(seen.name), self._word("github"))
        yield _link(f"/repos/{quote(seen.name)}{self._query()}", self._word("contributions"))

    def _locks(self, locks: Sequence[Lock]) -> str:
        heads = [messages.say(self.locale, f"locks.{key}") for key in ("environment", "holder", "since", "until")]
        heads += [messages.say(self.locale, "locks.reason"), self._say("unlock")]
        how = f'<p class="facts">{self._word("unlock_how")}</p>' if locks else ""
        return self._section("locks", "no_locks", heads, map(self._lock, locks)) + how

    def _lock(self, lock: Lock) -> list[str]:
        end = lock.until.strftime(TIME_FORM) if lock.until else messages.say(self.locale, "lock.no_end")
        until = escape(messages.say(self.locale, "locks.until_when", until=end))
        command = f"<code>/unlock {escape(lock.name)}</code>"
        what = escape(lock.environment) if lock.environment else self._word("every")
        return [what, escape(lock.holder), _time(lock.since), until, escape(lock.reason or messages.UNKNOWN), command]

    def _under_way(self, found: Sequence[Place]) -> str:
        heads = [*self._said("status.environment", "queue.commit", "report.state"), self._say("asked"), self._say("by")]
        return self._section("under_way", "nobody", heads, map(self._place, found))

    def _place(self, place: Place) -> list[str]:
        job = place.job
        waits = self._say("ahead", ahead=place.ahead) if place.ahead and job.started_at is None else ""
        state = held_title(job, self.locale) or waits or self._title(job)
        icon = ICONS[StageState.WAITING if job.started_at is None else StageState.RUNNING]
        return [*self._job(job), _state(f"{icon} {state}", "busy"), _time(job.created_at), escape(job.origin.actor)]

    def _live(self, live: Sequence[Live], name: str) -> str:
        heads = [*self._said("status.environment", "status.serves", "status.since"), self._say("by")]
        heads += self._said("report.url")
        return self._section("live", "nothing_live", heads, (self._serves(one, name) for one in live))

    def _serves(self, live: Live, name: str) -> list[str]:
        release = live.release
        environment = _link(self._path(name, environment=release.environment), escape(release.environment))
        by = escape(live.bringer.origin.actor) if live.bringer else messages.UNKNOWN
        opened = _link(live.url, self._word("open")) if live.url else ""
        drift = self._word("drift", found=live.finding.said(self.locale)) if live.finding != AS_BELIEVED else ""
        serves = f"{self._commit(live.bringer, release.sha)} v{release.version}"
        return [environment, serves, _time(live.since), by, f"{opened} {_state(drift, 'bad') if drift else ''}".strip()]

    def _ended(self, seen: Overview, before: str | None) -> str:
        heads = [*self._said("status.environment", "queue.commit"), self._say("outcome"), self._say("took")]
        heads += [self._say("when"), self._say("by")]
        chosen = {"environment": seen.only}
        newest = _link(self._path(seen.name, **chosen), self._word("newest")) if before else ""
        older = _link(self._path(seen.name, before=seen.older, **chosen), self._word("older")) if seen.older else ""
        pages = " · ".join(link for link in (newest, older) if link)
        turning = f"<nav>{pages}</nav>" if pages else ""
        return self._section("ended", "none_ended", heads, map(self._end, seen.ended)) + turning

    def _end(self, job: Job) -> list[str]:
        took = _took(job.ended_at - job.started_at) if job.ended_at and job.started_at else messages.UNKNOWN
        ended = _time(job.ended_at) if job.ended_at else messages.UNKNOWN
        outcome = _state(f"{_icon(job.state)} {self._title(job)}", tone(job.state)) + _why(job)
        return [*self._job(job), outcome, took, ended, escape(job.origin.actor)]

    def _job(self, job: Job) -> list[str]:
        """What it is about, and its commit, which leads to its page, with the pull request."""
        number, name = job.origin.pull_number, job.repository.full_name
        pull = " " + _link(self.github.pull(name, number), f"#{number}") if number else ""
        return [escape(job.environment or job.ref), self._commit(job, job.sha) + pull]

    def _commit(self, job: Job | None, sha: str) -> str:
        """Seven digits; they lead to the job's page, where there is one."""
        text = f"<code>{escape(sha[:7] or messages.UNKNOWN)}</code>"
        return _link(f"/jobs/{job.id}{self._query()}", text) if job else text

    def _title(self, job: Job) -> str:
        return title_of(see(job, (), ""), self.locale)

    def _section(self, title: str, nothing: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """A heading and a table; `heads` are text, the cells of `rows` HTML."""
        told = "\n".join(_row(heads, row) for row in rows)
        head = "".join(f"<th>{escape(one)}</th>" for one in heads)
        table = f'<div class="table"><table class="cards">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{told}\n</tbody>\n'
        return f"<h2>{self._word(title)}</h2>\n" + (
            f"{table}</table></div>" if told else f"<p>{self._word(nothing)}</p>"
        )

    def _path(self, name: str, **chosen: str | None) -> str:
        return f"/repos/{quote(name)}/overview{self._query(**chosen)}"

    def _query(self, **chosen: str | None) -> str:
        """What lets the reader in, and what they chose."""
        query = urlencode({**self.let_in, **{key: value for key, value in chosen.items() if value}})
        return f"?{query}" if query else ""

    def _say(self, key: str, **facts: Any) -> str:
        return messages.say(self.locale, f"overview.{key}", **facts)

    def _said(self, *keys: str) -> list[str]:
        return [messages.say(self.locale, key) for key in keys]

    def _word(self, key: str, **facts: Any) -> str:
        return escape(self._say(key, **facts))


def _row(heads: Sequence[str], cells: Sequence[str]) -> str:
    """On a phone each cell stands under its head."""
    told = "".join(f'<td data-head="{escape(head)}">{cell}</td>' for head, cell in zip(heads, cells, strict=True))
    return f"<tr>{told}</tr>"


def _link(address: str, html: str) -> str:
    return f'<a href="{escape(address)}">{html}</a>'


def _state(text: str, how: str) -> str:
    return f'<span class="word {how}">{escape(text)}</span>'


def _why(job: Job) -> str:
    """Why one failed, as far as it stands in a line; its page has all of it."""
    why = job.error_message or ""
    cut = why if len(why) <= WHY_CHARACTERS else f"{why[: WHY_CHARACTERS - 1]}…"
    return f'<br><span class="why">{escape(cut)}</span>' if job.error_code and cut else ""


def _icon(state: JobState) -> str:
    """Beside colour and word, as the stages have it."""
    return ICONS[ENDS.get(state, StageState.FAILED)]


def _took(length: timedelta) -> str:
    """Short ones as stages are timed."""
    return f"{length.total_seconds():.1f} s" if length < timedelta(minutes=1) else shown(length)


def _time(at: datetime) -> str:
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at.strftime(TIME_FORM)}</time>'


@functools.cache
def _template() -> str:
    return Path(__file__).with_name("overview_page.html").read_text(encoding="utf-8")
