"""The part of a job's page that shows what an analysis found: its picture, and who wrote or owns what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bot import messages
from bot.jobs.analysis.faces.words import language_name
from bot.shown.analysis import last_commit, not_analysed, period, why_nobody, why_suggested
from bot.shown.view import JobView


def render_findings(view: JobView, locale: str, query: str) -> str:
    """HTML; empty before there is anything to show. `query` lets the reader in to the picture, too."""
    if "change" in view.result:
        return _change(view.result["change"], locale)
    found = view.result.get("analysis") or view.result.get("portfolio")
    if not found:
        return ""
    picture = _picture(view, locale, query) if "analysis" in view.result else ""
    report = view.addresses.get("report")
    whole = f'<p><a href="{escape(report)}">{_word(locale, "report")}</a></p>' if report and picture else ""
    lacking = "".join(f"<p>{escape(line)}</p>" for line in not_analysed(found, locale))
    within = period(view, locale)
    told = f"<p>{escape(within)}</p>" if within else ""
    return f"{picture}{whole}{told}{_authors(found, locale)}{lacking}"


def _picture(view: JobView, locale: str, query: str) -> str:
    source = f"/jobs/{view.job.id}/picture.svg" + (f"?{query}" if query else "")
    return f'<p><img class="chart" src="{escape(source)}" alt="{_word(locale, "picture")}"></p>'


def _authors(found: Mapping[str, Any], locale: str) -> str:
    if not found["authors"]:
        return f"<p>{escape(messages.say(locale, 'contributions.nobody'))}</p>"
    head = [_word(locale, name) for name in ("author", "lines", "share", "commits", "languages")]
    rows = [
        [
            _person(one),
            f"{one['lines']:,}",
            f"{one['share']:.1%}",
            f"{one['commits']:,}",
            escape(", ".join(language_name(locale, name) for name in one["languages"])),
        ]
        for one in found["authors"]
    ]
    return _table(head[0], head, rows)


def _change(change: Mapping[str, Any], locale: str) -> str:
    if not change["owners"]:
        return f"<p>{_word(locale, 'only_new')}</p>"
    head = [_word(locale, name) for name in ("owner", "lines", "files")]
    head.append(escape(messages.say(locale, "contributions.last")))
    rows = [
        [_person(one), f"{one['lines']:,}", f"{one['files']:,}", escape(last_commit(one, locale))]
        for one in change["owners"]
    ]
    return _suggested(change, locale) + _table(head[0], head, rows)


def _suggested(change: Mapping[str, Any], locale: str) -> str:
    """Who may review, and why."""
    if not change["reviewers"]:
        return f"<p>{escape(why_nobody(change, locale))}</p>"
    items = "".join(f"<li>{escape(why_suggested(one, _called(one), locale))}</li>" for one in change["reviewers"])
    return f"<p>{_word(locale, 'reviewers')}:</p><ul>{items}</ul>"


def _person(person: Mapping[str, Any]) -> str:
    name, login = person["name"] or person["email"], person.get("login")
    return escape(f"{name} ({login})" if login and login != name else name)


def _called(person: Mapping[str, Any]) -> str:
    """By login where that is known, beside the name."""
    login, name = person.get("login"), person["name"]
    return f"{login} ({name})" if login and name and name != login else login or name or person["email"]


def _table(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that a keyboard can scroll; all given is HTML."""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    around = f'<div class="table" role="group" tabindex="0" aria-label="{name}">'
    return f"{around}<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"


def _word(locale: str, key: str) -> str:
    return escape(messages.say(locale, f"analysis.{key}"))
