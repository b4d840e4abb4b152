"""The words and tables of a job in Markdown: check-run output, the sticky comment, the log's tail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import messages
from bot.durations import shown
from bot.model import JobKind, JobState
from bot.shown import waiting
from bot.shown.endings import ended
from bot.shown.gates import gate_lines
from bot.shown.view import JobView, StageState, StageView

ICONS = {
    StageState.WAITING: "⚪",
    StageState.RUNNING: "🔵",
    StageState.DONE: "✅",
    StageState.FAILED: "❌",
    StageState.STOPPED: "🚫",
}
STATE_ICONS = {
    JobState.COMPLETED: "🚀",
    JobState.FAILED: "❌",
    JobState.TIMED_OUT: "⏱️",
    JobState.CANCELLED: "🚫",
    JobState.ROLLED_BACK: "⏪",
    JobState.SUPERSEDED: "⏭️",
}
ROLLBACK_TITLES = {
    **dict.fromkeys((JobState.PROCESSING, JobState.BUILDING, JobState.PUSHING, JobState.DEPLOYING), "GOES_BACK"),
    JobState.COMPLETED: "WENT_BACK",
}
"""What a job that puts an earlier release back is called where a deployment is called after its step."""
TAIL_CHARACTERS = 8_000
NOTE_CHARACTERS = 160


def title(view: JobView, locale: str) -> str:
    """One line: where the job stands."""
    if (held := waiting.held_title(view.job, locale)) is not None:
        return held
    return messages.say(locale, f"report.title.{_title_key(view)}", environment=view.job.environment)


def _title_key(view: JobView) -> str:
    """A rehearsal deploys nothing, and a rollback goes back all the way until it verifies."""
    if view.is_rehearsal and view.state is JobState.COMPLETED:
        return "NOOP"
    if view.job.kind is JobKind.ROLLBACK:
        return ROLLBACK_TITLES.get(view.state, view.state.value)
    return view.state.value


def headline(view: JobView, locale: str) -> str:
    """The first line of every report: icon, what, where."""
    icon = STATE_ICONS.get(view.state, "⏳")
    return f"{icon} **{title(view, locale)}** · `{view.job.environment}` · `{view.job.sha[:7]}`"


def summary(view: JobView, locale: str) -> str:
    """Facts first, then the stages."""
    parts = [
        headline(view, locale),
        sentence(view, locale),
        waiting.consent(view, locale),
        stage_table(view, locale),
        gate_lines(view.verdicts),
        _facts(view, locale),
    ]
    return "\n\n".join(part for part in parts if part)


def comment(view: JobView, locale: str) -> str:
    """The sticky comment: the summary, and the log's tail folded when something failed."""
    parts = [summary(view, locale)]
    if view.state.is_final and view.state is not JobState.COMPLETED and view.tail:
        tail = messages.say(locale, "report.tail")
        parts.append(f"<details><summary>{tail}</summary>\n\n{log_block(view)}\n\n</details>")
    return "\n\n".join(parts)


def stage_table(view: JobView, locale: str) -> str:
    """One row a stage: icon and word, name, time, last note."""
    head = f"| | {messages.say(locale, 'report.stage')} | {messages.say(locale, 'report.time')} | |\n|---|---|---:|---|"
    return "\n".join([head, *(_stage_row(row, locale) for row in view.stages)])


def _stage_row(row: StageView, locale: str) -> str:
    name = messages.say(locale, f"stage.{int(row.stage)}")
    seconds = f"{row.seconds:.1f} s" if row.seconds is not None else ""
    note = _cell(row.note) if row.state is not StageState.WAITING else ""
    state = f"{ICONS[row.state]} {messages.say(locale, f'stage.state.{row.state.value}')}"
    return f"| {state} | {int(row.stage)} {name} | {seconds} | {note} |"


def _cell(note: str) -> str:
    """Within a table, on one line; what it names out of a repository, such as a start command, calls nobody."""
    flat = " ".join(note.split())[:NOTE_CHARACTERS]
    return flat.replace("@", "@\u200b").replace("<", "‹").replace("|", "\\|")


def log_block(view: JobView) -> str:
    """The last lines of the log, fenced."""
    return fenced(view.tail, "text")


def fenced(lines: Sequence[str], language: str = "") -> str:
    """The end of these lines, so that nothing in them can end the fence."""
    text = "\n".join(lines)[-TAIL_CHARACTERS:]
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def sentence(view: JobView, locale: str) -> str:
    """What it waits for, or how it ended."""
    if view.job.hold is not None:
        return waiting.held_sentence(view, locale)
    if view.state is JobState.PENDING and view.ahead:
        return standing(view, locale)
    return ended(view, locale)


def standing(view: JobView, locale: str) -> str:
    """The place of one that waits, and how long it will be."""
    if view.wait is None:
        when = messages.say(locale, "report.wait.unknown")
    elif view.wait.total_seconds() < 1:
        when = messages.say(locale, "report.wait.soon")
    else:
        when = messages.say(locale, "report.wait.about", time=shown(view.wait))
    key = "report.next" if view.ahead == 1 else "report.waiting"
    return messages.say(locale, key, ahead=view.ahead, environment=view.job.environment, when=when)


def _facts(view: JobView, locale: str) -> str:
    def named(key: str) -> str:
        return messages.say(locale, f"report.{key}")

    facts = [f"{named('commit')} `{view.job.sha}`"]
    if view.url:
        facts.append(f"{named('url')} {view.url}")
    if ends_at := view.job.spec.get("preview_ends_at"):
        facts.append(f"{named('preview_until')} {datetime.fromisoformat(ends_at):%Y-%m-%d %H:%M UTC}")
    if (reason := view.job.spec.get("reason")) and not view.job.spec.get("bypassed"):
        facts.append(f"{named('reason')} {messages.neutral(str(reason))}")
    facts.append(f"{named('asked_by')} {messages.neutral(view.job.origin.actor)}")
    facts.append(f"[{named('open_log')}]({view.link})")
    facts.append(f"{named('job')} `{view.job.id}`")
    return " · ".join(facts)
