"""What Slack shows of an analysis: the top as text with bars, a chart, and buttons while one of them does something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import set_cell_size

from bot import messages
from bot.jobs.analysis.faces.bars import bar
from bot.model import JobState
from bot.shown import analysis
from bot.shown.view import JobView
from bot.slack.api.client import Saying
from bot.slack.inbound.interactions import ACTION_PREFIX
from bot.slack.mrkdwn import cut, escaped, mrkdwn

Block = Mapping[str, Any]
SHOWN = 5
BAR_PLACES = 10
NAME_PLACES = 22


def head(view: JobView, locale: str) -> Saying:
    """The one message of an analysis, edited as it goes on."""
    blocks: list[Block] = [_section(f"{_headline(view, locale)}\n{mrkdwn(analysis.sentence(view, locale))}")]
    found = view.result.get("analysis") or view.result.get("portfolio")
    if found:
        blocks.append(_section("\n".join([_top(found, locale), escaped(analysis.period(view, locale))])))
    if "analysis" in view.result and "png" in view.addresses:
        alt = messages.say(locale, "analysis.picture")
        blocks.append({"type": "image", "image_url": view.addresses["png"], "alt_text": alt})
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _facts(view, locale)}]})
    if view.state is not JobState.COMPLETED:
        blocks.append({"type": "actions", "block_id": "shipmate", "elements": [_button(view, locale)]})
    return Saying(_plain(view, locale), blocks, key=f"job {view.job.id}")


def end(view: JobView, locale: str) -> Saying:
    """The line in the thread when it is over."""
    return Saying(_plain(view, locale), [_section(_plain(view, locale))], key=f"end {view.job.id}")


def _headline(view: JobView, locale: str) -> str:
    return mrkdwn(f"{analysis.headline(view, locale)} · {view.job.repository.full_name}")


def _plain(view: JobView, locale: str) -> str:
    return cut(f"{_headline(view, locale)} {mrkdwn(analysis.sentence(view, locale))}".strip())


def _top(found: Mapping[str, Any], locale: str) -> str:
    """Names, bars and numbers in columns."""
    rows = [_row(author) for author in found["authors"][:SHOWN]]
    rest = found["authorCount"] - len(rows)
    more = [messages.say(locale, "analysis.others", count=rest)] if rest > 0 else []
    table = escaped("\n".join([*rows, *more])).replace("```", "'''")
    shown = f"```\n{table}\n```" if rows else escaped(messages.say(locale, "contributions.nobody"))
    shares = {"languages": analysis.languages_of(found, locale), "code": analysis.code_of(found, locale)}
    lists = [f"{messages.say(locale, f'analysis.{key}')}: {listed}" for key, listed in shares.items() if listed]
    told = [*analysis.several_addresses(found, locale), analysis.bus_factor(found, locale), *lists]
    told += analysis.not_analysed(found, locale)
    return "\n".join([shown, *(escaped(line) for line in told if line)])


def _row(author: Mapping[str, Any]) -> str:
    name = set_cell_size(analysis.name_of(author, with_login=False), NAME_PLACES)  # a letter may take two places
    drawn = bar(author["share"], BAR_PLACES).ljust(BAR_PLACES)
    return f"{name} {drawn} {author['share']:>6.1%} {author['lines']:>9,}"


def _facts(view: JobView, locale: str) -> str:
    parts = []
    if "report" in view.addresses and "analysis" in view.result:
        parts.append(f"<{view.addresses['report']}|{escaped(messages.say(locale, 'analysis.report'))}>")
    asked_by = f"{messages.say(locale, 'report.asked_by')} {messages.neutral(view.job.origin.actor)}"
    return " · ".join([*parts, escaped(asked_by), f"<{view.link}|{view.job.id}>"])


def _button(view: JobView, locale: str) -> Block:
    action = "retry" if view.state.is_final else "cancel"
    label = messages.say(locale, f"analysis.button.{action}")
    return {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{action}",
        "value": view.job.id,
        "text": {"type": "plain_text", "text": label},
    }


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text.strip())}}
