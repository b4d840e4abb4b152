"""What Slack shows of a job: the head message with its stages and buttons, and the lines under it in its thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot import messages
from bot.model import JobState, Stage
from bot.reporters.check_run import BUTTONS, kind_of
from bot.shown import markdown, waiting
from bot.shown.endings import ended
from bot.shown.view import JobView, StageState, StageView
from bot.slack.api.client import Saying
from bot.slack.inbound.interactions import ACTION_PREFIX
from bot.slack.mrkdwn import cut, escaped, log_text, mrkdwn
from bot.slack.words import spoken

Block = Mapping[str, Any]
STYLES = {"approve": "primary", "cancel": "danger", "rollback": "danger", "retry": "primary"}
NOTE_CHARACTERS = 160


def head(view: JobView, locale: str) -> Saying:
    """The one message of a job, edited as it goes on."""
    blocks = [
        _section(f"{_title(view, locale)}\n{_sentence(view, locale)}"),
        _section("\n".join(_stage(row, locale) for row in view.stages)),
        {"type": "context", "elements": [_text(_facts(view, locale))]},
        {"type": "actions", "block_id": "shipmate", "elements": _buttons(view, locale)},
    ]
    return Saying(_plain(view, locale), blocks, key=f"job {view.job.id}")


def steps(view: JobView) -> list[Stage]:
    """The stages that have ended, one line in the thread each."""
    return [row.stage for row in view.stages if row.state in {StageState.DONE, StageState.FAILED, StageState.STOPPED}]


def steps_text(view: JobView, stages: list[Stage], locale: str) -> str:
    """What the thread says of stages that ended."""
    return "\n".join(_stage(row, locale) for row in view.stages if row.stage in stages)


def end(view: JobView, locale: str) -> Saying:
    """The last line in the thread; after a failure with the log's end."""
    blocks = [_section(f"{_title(view, locale)}\n{_sentence(view, locale)}")]
    if view.state is not JobState.COMPLETED and view.tail:
        blocks.append(_section(log_text(view.tail)))
    return Saying(_plain(view, locale), blocks, key=f"end {view.job.id}")


def _title(view: JobView, locale: str) -> str:
    return mrkdwn(f"{markdown.headline(view, locale)} · {view.job.repository.full_name}")


def _plain(view: JobView, locale: str) -> str:
    """For notifications, and where blocks cannot be shown."""
    return cut(f"{_title(view, locale)} {_sentence(view, locale)}".strip())


def _sentence(view: JobView, locale: str) -> str:
    """What it waits for or how it ended, who approved it, and what was set aside."""
    return "\n".join(part for part in (_told(view, locale), mrkdwn(waiting.consent(view, locale))) if part)


def _told(view: JobView, locale: str) -> str:
    if view.job.hold is not None:
        return _said(waiting.held_sentence(view, locale), view)
    if view.state is JobState.PENDING and view.ahead:
        return _said(markdown.standing(view, locale), view)
    return cut(_said(ended(view, locale), view), 2000)


def _said(text: str, view: JobView) -> str:
    return mrkdwn(spoken(text, view.job.repository.full_name))


def _stage(row: StageView, locale: str) -> str:
    name = messages.say(locale, f"stage.{int(row.stage)}")
    seconds = f" · {row.seconds:.1f} s" if row.seconds is not None else ""
    note = f" — {escaped(row.note[:NOTE_CHARACTERS])}" if row.note and row.state is not StageState.WAITING else ""
    return f"{markdown.ICONS[row.state]} {int(row.stage)} {name}{seconds}{note}"


def _facts(view: JobView, locale: str) -> str:
    job = view.job
    parts = [
        f"`{escaped(job.ref)}`",
        f"{messages.say(locale, 'report.asked_by')} {escaped(messages.neutral(job.origin.actor))}",
        f"<{view.link}|{messages.say(locale, 'report.open_log')}>",
        f"`{job.id}`",
    ]
    return " · ".join(parts if view.url is None else [f"<{view.url}>", *parts])


def _buttons(view: JobView, locale: str) -> list[Block]:
    return [_button(action, view, locale) for action in BUTTONS[kind_of(view)]]


def _button(action: str, view: JobView, locale: str) -> Block:
    label = messages.say(locale, f"report.button.{action}")
    question = messages.say(locale, f"slack.confirm_{action}", environment=view.job.environment)
    return {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{action}",
        "value": view.job.id,
        "style": STYLES[action],
        "text": {"type": "plain_text", "text": label},
        "confirm": {
            "title": {"type": "plain_text", "text": label},
            "text": _text(question),
            "confirm": {"type": "plain_text", "text": label},
            "deny": {"type": "plain_text", "text": messages.say(locale, "slack.confirm_no")},
        },
    }


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(cut(text.strip()))}


def _text(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}
