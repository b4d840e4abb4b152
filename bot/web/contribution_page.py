"""The contribution page of a repository: the report's own page, with dates, authors and downloads to choose, releases
and the quality snapshot beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

from bot.jobs.analysis.faces.page import plain_table, render_page, section, style
from bot.jobs.analysis.reports.report import Report

OFFERED_AUTHORS = 100
"""Names the author field suggests."""
FORMS = ("json", "csv", "html")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader chose, as the address has it; `link` is what lets them in, if it is no key."""

    path: str
    ref: str = ""
    since: str = ""
    until: str = ""
    author: str = ""
    link: str = field(default="", repr=False)

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


def render(chosen: Report, whole: Report, asked: Asked, beside: Mapping[str, Any]) -> str:
    """The page of `chosen`, whose choices come from the `whole` report; `beside` is what is kept beside it."""
    more = _releases(beside.get("releases") or ()) + _quality(beside.get("quality") or {})
    return render_page(chosen, tools=_form(asked, whole) + _downloads(asked), more=more)


def security_policy() -> str:
    """Nothing but the page's own style sheet and a form that comes back here."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _form(asked: Asked, whole: Report) -> str:
    names = "".join(f'<option value="{escape(entry.author.name)}">' for entry in whole.authors[:OFFERED_AUTHORS])
    hidden = f'<input type="hidden" name="link" value="{escape(asked.link)}">' if asked.link else ""
    return (
        f'<form method="get" action="{escape(asked.path)}">{hidden}'
        f"{_field('Branch, tag or commit', 'ref', asked.ref or whole.ref, 'text')}"
        f"{_field('From', 'since', asked.since, 'date')}"
        f"{_field('Before', 'until', asked.until, 'date')}"
        f"{_field('Author', 'author', asked.author, 'text', 'authors')}"
        f'<datalist id="authors">{names}</datalist><button>Show</button></form>'
    )


def _field(label: str, name: str, value: str, kind: str, suggestions: str = "") -> str:
    offered = f' list="{suggestions}"' if suggestions else ""
    return f'<label>{label}<input type="{kind}" name="{name}" value="{escape(value)}"{offered}></label>'


def _downloads(asked: Asked) -> str:
    links = (f'<a href="{escape(asked.path)}?{escape(asked.query(format=form))}">{form.upper()}</a>' for form in FORMS)
    return f"<nav>Download: {' · '.join(links)}</nav>"


def _releases(releases: Any) -> str:
    rows = [
        [
            f"{release['environment']} v{release['version']}",
            release["liveAt"][:10],
            release["sha"][:7],
            ", ".join(f"{author['name']} ({author['commits']})" for author in release["authors"][:5]),
            ", ".join(f"{one['name']} +{one['added']:,} -{one['deleted']:,}" for one in release["languages"][:4]),
        ]
        for release in releases
    ]
    head = ["Release", "Live", "Commit", "Commits by", "Languages"]
    return section("What each release shipped", "", "", plain_table(head, rows)) if rows else ""


def _quality(quality: Mapping[str, Any]) -> str:
    parts = [
        _complexity(quality.get("complexity")),
        _findings(quality.get("findings")),
        _measures(quality.get("sonar")),
        _summary(quality.get("summary")),
        "".join(f'<p class="note">{escape(warning)}</p>' for warning in quality.get("warnings", ())),
    ]
    return section("Quality", "", "", "".join(parts)) if any(parts) else ""


def _complexity(part: Mapping[str, Any] | None) -> str:
    if not part:
        return ""
    rows = [[f"{one['path']}:{one['line']}", one["name"], str(one["complexity"])] for one in part["worst"]]
    counts = f"{part['functions']:,} functions, complexity {part['average']} on average"
    told = f"<p>{counts}, {part['aboveLimit']:,} too complex.</p>"
    return told + plain_table(["Function", "Name", "Complexity"], rows)


def _findings(part: Mapping[str, Any] | None) -> str:
    if not part:
        return ""
    rows = [[rule, f"{count:,}"] for rule, count in part["byRule"].items()]
    return f"<p>{part['total']:,} findings in Python.</p>" + (plain_table(["Rule", "Findings"], rows) if rows else "")


def _measures(part: Mapping[str, str] | None) -> str:
    return plain_table(["SonarQube", ""], [[name, value] for name, value in part.items()]) if part else ""


def _summary(part: Mapping[str, Any] | None) -> str:
    """Generated words are marked as such, and what was sent for them can be read."""
    if not part:
        return ""
    marked = f"<p>Generated by {escape(part['model'])}; read it with doubt:</p>"
    sent = f"<details><summary>What the model was sent</summary><p>{escape(part['sent'])}</p></details>"
    return f"{marked}<blockquote>{escape(part['text'])}</blockquote>{sent}"
