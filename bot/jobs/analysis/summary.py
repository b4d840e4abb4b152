"""The few numbers of a finished analysis that faces show at once; the whole report is kept beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.codeshares import code_shown
from bot.jobs.analysis.reports.portfolio import Person, Portfolio, add_up
from bot.jobs.analysis.reports.remarks import say_again
from bot.jobs.analysis.reports.report import LanguageShare, Report
from bot.jobs.analysis.reports.series import moment
from bot.jobs.analysis.runs.reviewers import ChangeOwners
from bot.jobs.analysis.runs.suggestions import People, other_owners, suggest

SHOWN_AUTHORS = 10
SHOWN_LANGUAGES = 8
SHOWN_OWNERS = 10
SUGGESTED = 3


def of_report(report: Report, locale: str) -> dict[str, Any]:
    """Who wrote what is there; what goes with it is said in that language."""
    return {
        "repository": report.repository,
        "ref": report.ref,
        "head": report.head,
        "lines": report.lines,
        "files": report.files,
        "exact": report.exact,
        "busFactor": len(report.insights.bus_factor.authors),
        **_people(add_up([report]).people),
        "addresses": len(report.authors),
        **_languages(report.languages),
        "frameworks": [entry.name for entry in report.frameworks[:SHOWN_LANGUAGES]],
        "warnings": [say_again(warning, locale) for warning in report.warnings],
    }


def of_portfolio(portfolio: Portfolio, locale: str) -> dict[str, Any]:
    """Several repositories added up; why some of them are not is said in that language."""
    return {
        "repositories": list(portfolio.repositories),
        "lines": portfolio.lines,
        "files": portfolio.files,
        **_people(portfolio.people),
        **_languages(portfolio.language_shares),
        "skipped": [one._replace(why=say_again(one.why, locale)).to_json() for one in portfolio.skipped],
    }


def _people(people: Sequence[Person]) -> dict[str, Any]:
    """How many there are, and the first of them, each once whatever addresses they have."""
    shown = [
        {
            **_person(one.author, one.login),
            "lines": one.lines,
            "share": one.share,
            "commits": one.commits,
            "added": one.added,
            "deleted": one.deleted,
            "languages": list(one.languages)[:3],
        }
        for one in people[:SHOWN_AUTHORS]
    ]
    return {"authorCount": len(people), "authors": shown}


def _languages(languages: Sequence[LanguageShare]) -> dict[str, Any]:
    """Those of all lines, and beside them those of code alone, where there is anything else."""
    shown, code = languages[:SHOWN_LANGUAGES], code_shown(languages)
    return {"languages": [entry.to_json() for entry in shown], "code": [entry.to_json() for entry in code]}


def of_change(change: ChangeOwners, logins: Mapping[str, str], by: str) -> dict[str, Any]:
    """Who owns the lines a change touches, and who may review it: never who made it."""
    people = People(change, logins)
    others = other_owners(change, people, by)

    def told(author: Author, lines: int) -> dict[str, Any]:
        seen = people.last_commit(author)
        return {**_person(author, people.login(author)), "lines": lines, "lastCommit": _day(seen) if seen else None}

    return {
        "lines": sum(owner.lines for owner in change.owners),
        "skipped": change.skipped,
        "ownerCount": len(change.owners),
        "owners": [{**told(owner.author, owner.lines), "files": owner.files} for owner in change.owners[:SHOWN_OWNERS]],
        "otherOwners": len(others),
        "reviewers": [told(one.author, one.lines) for one in suggest(change, others, SUGGESTED)],
    }


def _day(seconds: int) -> str:
    """The day of a moment in seconds since 1970, in UTC."""
    return moment(seconds).partition("T")[0]


def _person(author: Author, login: str | None) -> dict[str, Any]:
    return {"name": author.name, "email": author.email, "login": login, "bot": author.is_bot}
