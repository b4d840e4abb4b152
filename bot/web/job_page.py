"""The page of one job, as HTML: its state, its stages, and a place where the log streams in."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from html import escape
from pathlib import Path

from bot import messages
from bot.model import Job, JobKind, JobState
from bot.shown.titles import said_of, title_of
from bot.shown.view import JobView, StageState, StageView
from bot.web.analysis_part import render_findings
from bot.web.at_github import AtGitHub

ICONS = {
    StageState.WAITING: "○",
    StageState.RUNNING: "◐",
    StageState.DONE: "✓",
    StageState.FAILED: "✗",
    StageState.STOPPED: "⊘",
}
NAMED = 5
"""Repositories of a job about several that its page names above what was found."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def tone(state: JobState) -> str:
    """`good`, `bad` or `busy`: how a state is coloured, beside its word."""
    if state is JobState.COMPLETED:
        return "good"
    return "bad" if state.is_final and state is not JobState.SUPERSEDED else "busy"


def render(view: JobView, locale: str, query: str, repository: str, github: AtGitHub) -> str:
    """The whole page. `query` is what lets the reader in (`link=…`), passed on to the page's own requests; `repository`
    is where its repository's name leads, if anywhere."""
    job = view.job
    base = f"/jobs/{job.id}"
    suffix = f"?{query}" if query else ""

    def word(key: str) -> str:
        return escape(messages.say(locale, key))

    return _template().format(
        lang=escape(locale),
        title=escape(_title(job, locale)),
        events=escape(f"{base}/events{suffix}"),
        final="true" if view.state.is_final else "false",
        facts=" · ".join(_facts(job, repository, github)),
        tone=tone(view.state),
        state=escape(title_of(view, locale)),
        url=escape(view.url or ""),
        url_hidden="" if view.url else " hidden",
        message=escape(said_of(view, locale)),
        reconnecting=word("page.reconnecting"),
        body=render_findings(view, locale, query) if job.kind is JobKind.ANALYSIS else _stages(view, locale),
        renew="true" if job.kind is JobKind.ANALYSIS else "false",
        log_title=word("page.log"),
        follow=word("page.follow"),
        jump=word("page.jump"),
        search=word("page.search"),
        raw=escape(f"{base}/log{suffix}"),
        raw_word=word("page.raw"),
    )


def _title(job: Job, locale: str) -> str:
    several = _several(job)
    if several:
        return messages.say(locale, "contributions.portfolio", count=len(several))
    about = job.environment or job.ref
    return messages.say(locale, "page.title", repository=job.repository.full_name, environment=about)


def _several(job: Job) -> list[str]:
    """The repositories of an analysis of more than one."""
    targets = job.spec["targets"] if job.kind is JobKind.ANALYSIS else ()
    return [target["name"] for target in targets] if len(targets) > 1 else []


def _facts(job: Job, repository: str, github: AtGitHub) -> Iterator[str]:
    """Whose it is, each with the page where more of it stands."""
    several, name = _several(job), job.repository.full_name
    if several:
        named = [*several[:NAMED], *(["…"] if len(several) > NAMED else [])]
        yield from map(escape, (", ".join(named), job.origin.actor, job.id))
        return
    yield _link(repository, name) if repository else escape(name)
    if job.sha:
        yield _link(github.commit(name, job.sha), job.sha)
    yield escape(job.ref)
    if job.origin.pull_number:
        yield _link(github.pull(name, job.origin.pull_number), f"#{job.origin.pull_number}")
    yield from map(escape, (job.origin.actor, job.id))


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>'


@functools.cache
def _template() -> str:
    return Path(__file__).with_name("job_page.html").read_text(encoding="utf-8")


def _stages(view: JobView, locale: str) -> str:
    heads = "".join(f"<th>{escape(messages.say(locale, f'report.{key}'))}</th>" for key in ("stage", "state", "time"))
    rows = "\n".join(_row(row, locale) for row in view.stages)
    return (
        f'<h2>{escape(messages.say(locale, "page.stages"))}</h2>\n<div class="table"><table class="stages">\n'
        f"<thead><tr>{heads}<th></th></tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _row(row: StageView, locale: str) -> str:
    name = escape(messages.say(locale, f"stage.{int(row.stage)}"))
    word = escape(messages.say(locale, f"stage.state.{row.state.value}"))
    seconds = f"{row.seconds:.1f} s" if row.seconds is not None else ""
    return (
        f'<tr id="stage-{int(row.stage)}"><td>{int(row.stage)} {name}</td>'
        f'<td class="stage-state {row.state.value}">{ICONS[row.state]} {word}</td>'
        f'<td class="time">{seconds}</td><td class="note">{escape(row.note)}</td></tr>'
    )
