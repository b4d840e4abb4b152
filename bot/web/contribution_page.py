"""The contribution page of a repository: the report's own page, with dates, authors and downloads to choose, releases
and the quality snapshot beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from bot import messages
from bot.jobs.analysis.faces.page import render_page
from bot.jobs.analysis.faces.parts import Row, document, folded, note, section, style, table
from bot.jobs.analysis.reports.remarks import from_kept, say_again
from bot.jobs.analysis.reports.report import AuthorReport, Report

OFFERED_AUTHORS = 100
"""Names the author field suggests."""
FORMS = ("json", "csv", "html")
NOWHERE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader chose, as the address has it; `link` is what lets them in, if it is no key."""

    path: str
    repository: str
    ref: str = ""
    since: str = ""
    until: str = ""
    author: str = ""
    link: str = field(default="", repr=False)
    is_one: bool = False
    """Whether it is about one analysis, so that there is no ref to choose."""

    def query(self, **more: str) -> str:
        """The same choice as a query, without empty fields."""
        fields = {
            "link": self.link,
            "ref": self.ref,
            "since": self.since,
            "until": self.until,
            "author": self.author,
            **more,
        }
        return urlencode({name: value for name, value in fields.items() if value})


def render(
    chosen: Report,
    whole: Report,
    asked: Asked,
    beside: Mapping[str, Any],
    locale: str,
    around: Mapping[str, str] = NOWHERE,
) -> str:
    """The page of `chosen`, whose choices come from the `whole` report; `beside` is what is kept beside it.

    `around` are addresses of the pages that the reader may go on to: "job", "overview".
    """
    extras = _Extras(locale)
    tools = extras.onward(around) + extras.form(asked, whole.ref, whole.authors) + extras.downloads(asked)
    more = extras.releases(beside.get("releases") or ()) + extras.quality(
        beside.get("quality") or {}, beside.get("qualityRemarks", ())
    )
    return render_page(chosen, locale, tools=tools, more=more)


def render_refusal(why: str, asked: Asked, locale: str, around: Mapping[str, str] = NOWHERE) -> str:
    """The page where there is nothing to show: why, where to go on, and the form to choose otherwise."""
    name = asked.repository
    title = messages.say(locale, "contributions.title", repository=name)
    told = f'<header><h1>{escape(name)}</h1><p class="warning" role="status">{escape(why)}</p></header>'
    extras = _Extras(locale)
    return document(locale, title, told + extras.onward(around) + extras.form(asked))


def security_policy() -> str:
    """Nothing but the page's own style sheet and a form that comes back here."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class _Extras:
    """What this page has beside the report's own, as HTML in one language."""

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def form(self, asked: Asked, ref: str = "", authors: Sequence[AuthorReport] = ()) -> str:
        """Where the reader chooses a ref, dates and an author; `ref` is the one that is shown."""
        names = dict.fromkeys(entry.author.name for entry in authors[:OFFERED_AUTHORS])
        offered = "".join(f'<option value="{escape(name)}">' for name in names)
        hidden = f'<input type="hidden" name="link" value="{escape(asked.link)}">' if asked.link else ""
        return (
            f'<form method="get" action="{escape(asked.path)}">{hidden}'
            f"{'' if asked.is_one else self._field('ref', asked.ref or ref, 'text')}"
            f"{self._field('since', asked.since, 'date')}"
            f"{self._field('until', asked.until, 'date')}"
            f"{self._field('author', asked.author, 'text', 'authors')}"
            f'<datalist id="authors">{offered}</datalist><button>{self._html("show")}</button></form>'
            f"{note(self._say('choice'))}"
        )

    def onward(self, around: Mapping[str, str]) -> str:
        """The pages this one stands among."""
        known = [name for name in ("job", "overview") if name in around]
        links = [f'<a href="{escape(around[name])}">{self._html(name)}</a>' for name in known]
        return f"<nav>{' · '.join(links)}</nav>" if links else ""

    def _field(self, name: str, value: str, kind: str, suggestions: str = "") -> str:
        offered = f' list="{suggestions}"' if suggestions else ""
        label = escape(messages.say(self._locale, "analysis.author")) if name == "author" else self._html(name)
        return f'<label>{label}<input type="{kind}" name="{name}" value="{escape(value)}"{offered}></label>'

    def downloads(self, asked: Asked) -> str:
        """The same choice as files."""
        forms = [(form.upper(), f"{asked.path}?{asked.query(format=form)}") for form in FORMS]
        links = " · ".join(f'<a href="{escape(address)}">{name}</a>' for name, address in forms)
        return f"<nav>{self._html('download')}: {links}</nav>"

    def releases(self, releases: Sequence[Mapping[str, Any]]) -> str:
        """What each release shipped."""
        heading, head = self._say("releases"), ("release", "live", "commit", "commits_by")
        return section(
            heading,
            table(
                heading,
                [*map(self._say, head), messages.say(self._locale, "analysis.languages")],
                [_release(release) for release in releases],
            ),
        )

    def quality(self, quality: Mapping[str, Any], kept: Sequence[list[Any] | None]) -> str:
        """The snapshot, each part of it that was taken; `kept` is what its warnings are said with in this language."""
        warnings = from_kept(quality.get("warnings", ()), kept)
        return section(
            self._say("quality"),
            self._complexity(quality.get("complexity")),
            self._findings(quality.get("findings")),
            self._measures(quality.get("sonar")),
            self._summary(quality.get("summary")),
            *(note(say_again(warning, self._locale)) for warning in warnings),
        )

    def _complexity(self, part: Mapping[str, Any] | None) -> str:
        if not part:
            return ""
        counts = {"functions": part["functions"], "average": part["average"], "above": part["aboveLimit"]}
        rows: list[Row] = [[f"{one['path']}:{one['line']}", one["name"], one["complexity"]] for one in part["worst"]]
        head = [self._say(key) for key in ("function", "name", "complexity_of")]
        return f"<p>{self._html('complexity', **counts)}</p>" + table(head[-1], head, rows)

    def _findings(self, part: Mapping[str, Any] | None) -> str:
        if not part:
            return ""
        head = [self._say("rule"), self._say("findings_of")]
        return f"<p>{self._html('findings', total=part['total'])}</p>" + table(
            head[-1], head, list(part["byRule"].items())
        )

    def _measures(self, part: Mapping[str, str] | None) -> str:
        head = [self._say("measure"), self._say("value")]
        return table(head[0], head, list((part or {}).items()))

    def _summary(self, part: Mapping[str, Any] | None) -> str:
        """Generated words are marked as such, and what was sent for them can be read."""
        if not part:
            return ""
        marked = f"<p>{self._html('generated', model=part['model'])}</p>"
        sent = folded(self._say("sent"), f"<p>{escape(part['sent'])}</p>")
        return f"{marked}<blockquote>{escape(part['text'])}</blockquote>{sent}"

    def _say(self, key: str, **facts: Any) -> str:
        return messages.say(self._locale, f"contributions.{key}", **facts)

    def _html(self, key: str, **facts: Any) -> str:
        return escape(self._say(key, **facts))


def _release(release: Mapping[str, Any]) -> Row:
    """A release as one row."""
    return [
        f"{release['environment']} v{release['version']}",
        release["liveAt"][:10],
        release["sha"][:7],
        ", ".join(f"{author['name']} ({author['commits']})" for author in release["authors"][:5]),
        ", ".join(f"{one['name']} +{one['added']:,} -{one['deleted']:,}" for one in release["languages"][:4]),
    ]
