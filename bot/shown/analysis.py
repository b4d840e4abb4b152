"""The words of an analysis at GitHub: who wrote what, with bars, or who owns the lines that a change touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot import messages
from bot.jobs.analysis.faces.bars import bar
from bot.jobs.analysis.faces.words import language_name
from bot.model import JobState
from bot.shown.view import JobView

BAR_PLACES = 12
NAME_CHARACTERS = 60
LIST_CHARACTERS = 400
ICONS: Mapping[JobState, str] = {
    JobState.COMPLETED: "📊",
    JobState.FAILED: "❌",
    JobState.TIMED_OUT: "⏱️",
    JobState.CANCELLED: "🚫",
    JobState.SUPERSEDED: "⏭️",
}

Found = Mapping[str, Any]


def title(view: JobView, locale: str) -> str:
    """One line: where the analysis stands, or what it is about."""
    if view.state is JobState.COMPLETED and "change" in view.result:
        return messages.say(locale, "analysis.change_title.COMPLETED")
    return messages.say(locale, f"analysis.title.{view.state.value}")


def headline(view: JobView, locale: str) -> str:
    """The first line: icon, what, and of which commit."""
    parts = [f"{ICONS.get(view.state, '⏳')} **{title(view, locale)}**"]
    if len(view.job.spec["targets"]) > 1:
        parts.append(", ".join(f"`{target['name']}`" for target in view.job.spec["targets"][:5]))
    elif view.job.sha:
        parts.append(f"`{code(view.job.ref)}` · `{view.job.sha[:7]}`")
    return " · ".join(parts)


def summary(view: JobView, locale: str) -> str:
    """All of it: a table once there is one, before that how far it is."""
    told = (headline(view, locale), sentence(view, locale), period(view, locale))
    parts = [*told, *_findings(view, locale), _facts(view, locale)]
    return "\n\n".join(part for part in parts if part)


def sentence(view: JobView, locale: str) -> str:
    """Where it stands, in words."""
    if view.state is JobState.PENDING:
        return messages.say(locale, "analysis.waiting", ahead=view.ahead) if view.ahead else ""
    if not view.state.is_final:
        return view.note
    found = view.result.get("analysis")
    if view.state is not JobState.COMPLETED or not found:
        return view.message
    why = "; ".join(found["warnings"])
    exact = "analysis.exact" if found["exact"] else "analysis.not_exact"
    return f"{view.message}, {messages.say(locale, exact, why=why)}"


def period(view: JobView, locale: str) -> str:
    """Which commits the numbers beside the lines are of; empty for the whole history, and before there are any."""
    asked = {name: view.job.spec[name] for name in ("since", "until") if view.job.spec.get(name)}
    if not asked or not (view.result.get("analysis") or view.result.get("portfolio")):
        return ""
    return messages.say(locale, "analysis.between" if len(asked) > 1 else f"analysis.{next(iter(asked))}", **asked)


def name_of(person: Found, *, with_login: bool = True) -> str:
    """A person as they are called in the history, and at GitHub; nobody is mentioned, and no markup acts."""
    shown = messages.neutral(person["name"] or person["email"], NAME_CHARACTERS)
    login = person.get("login")
    told = f" ({messages.neutral(login)})" if with_login and login and login != shown else ""
    return shown + told


def called(person: Found) -> str:
    """A person as a review is asked of them: by login where that is known, beside their name; nobody is mentioned."""
    login, name = person.get("login"), person["name"]
    if not login:
        return name_of(person)
    told = f" ({messages.neutral(name, NAME_CHARACTERS)})" if name and name != login else ""
    return messages.neutral(login) + told


def why_suggested(person: Found, name: str, locale: str) -> str:
    """Why somebody may review a change, in words; `name` is what they are called, as the face writes it.

    The name alone where the result was kept before reasons were.
    """
    if "lastCommit" not in person:
        return name
    day = person["lastCommit"]
    key = "analysis.reviewer" if day else "analysis.reviewer_away"
    return messages.say(locale, key, name=name, lines=person["lines"], day=day or "")


def why_nobody(change: Found, locale: str) -> str:
    """Why nobody is suggested, in words."""
    return messages.say(locale, "analysis.others_left" if change.get("otherOwners") else "analysis.no_reviewers")


def last_commit(person: Found, locale: str) -> str:
    """The day of somebody's newest commit before a change; a dash where that was not kept."""
    return person.get("lastCommit", "–") or messages.say(locale, "analysis.away")


def code(text: str) -> str:
    """Text inside backticks, in a table or out of one."""
    return text.replace("`", "'").replace("|", "¦").replace("\n", " ")[:100]


def _findings(view: JobView, locale: str) -> Iterator[str]:
    if "change" in view.result:
        yield from _change(view.result["change"], locale)
    found = view.result.get("analysis") or view.result.get("portfolio")
    if found:
        yield _authors(found, locale)
        yield _lists(found, locale)
        yield "\n".join(f"- {line}" for line in not_analysed(found, locale))
    if "analysis" in view.result and "svg" in view.addresses:
        picture = f"![{messages.say(locale, 'analysis.picture')}]({view.addresses['svg']})"
        yield f"[{picture}]({view.addresses['report']})"


def _authors(found: Found, locale: str) -> str:
    """The table, or that nobody is in it, as where a name was asked for that nobody has."""

    def word(key: str) -> str:
        return messages.say(locale, f"analysis.{key}")

    if not found["authors"]:
        return messages.say(locale, "contributions.nobody")
    head = f"| {word('author')} | {word('lines')} | {word('share')} | | {word('commits')} | {word('languages')} |"
    rows = [_author(author, locale) for author in found["authors"]]
    rest = found["authorCount"] - len(found["authors"])
    more = [messages.say(locale, "analysis.others", count=rest)] if rest > 0 else []
    below = " · ".join([*more, *several_addresses(found, locale)])
    return "\n".join([head, "|---|---:|---:|---|---:|---|", *rows, *(["", below] if below else [])])


def several_addresses(found: Found, locale: str) -> list[str]:
    """That people stand in the table once, where the report lists each of their addresses."""
    joined = found.get("addresses", 0) > found["authorCount"]
    return [messages.say(locale, "analysis.several_addresses")] if joined else []


def _author(author: Found, locale: str) -> str:
    languages = ", ".join(messages.neutral(language_name(locale, name)) for name in author["languages"])
    drawn = bar(author["share"], BAR_PLACES)
    return (
        f"| {name_of(author)} | {author['lines']:,} | {author['share']:.1%} | {f'`{drawn}`' if drawn else ''} |"
        f" {author['commits']:,} | {languages} |"
    )


def languages_of(found: Found, locale: str) -> str:
    """Languages with their shares of all lines, as text."""
    return _shares(found["languages"], locale)


def code_of(found: Found, locale: str) -> str:
    """Languages with their shares of code alone, as GitHub counts; empty where all is code, or that was not kept."""
    return _shares(found.get("code", ()), locale)


def _shares(languages: Sequence[Found], locale: str) -> str:
    return ", ".join(f"{language_name(locale, one['name'])} {one['share']:.1%}" for one in languages)


def not_analysed(found: Found, locale: str) -> list[str]:
    """The repositories of several that are not in the sum, each with the reason."""
    words = messages.say(locale, "contributions.not_analysed")
    skipped = found.get("skipped", ())
    return [f"{words}: {messages.neutral(one['repository'])} – {messages.neutral(one['why'], 300)}" for one in skipped]


def bus_factor(found: Found, locale: str) -> str:
    """How few people own more than half; empty where that was not asked, as of several repositories."""
    few = found.get("busFactor")
    return messages.say(locale, "analysis.bus_factor", people=few) if few else ""


def _lists(found: Found, locale: str) -> str:
    """Languages with their shares, of code alone too, frameworks, and on how few people it rests."""
    lists = {
        "languages": messages.neutral(languages_of(found, locale), LIST_CHARACTERS),
        "code": messages.neutral(code_of(found, locale), LIST_CHARACTERS),
        "frameworks": ", ".join(messages.neutral(name) for name in found.get("frameworks", ())),
    }
    shown = {messages.say(locale, f"analysis.{key}"): listed for key, listed in lists.items() if listed}
    told = " · ".join(f"**{name}** {listed}" for name, listed in shown.items())
    return "\n\n".join(part for part in (bus_factor(found, locale), told) if part)


def _change(change: Found, locale: str) -> Iterator[str]:
    """Who owns the lines, and who may review."""
    if not change["owners"]:
        yield messages.say(locale, "analysis.only_new")
        return
    suggested = [f"- {why_suggested(person, f'**{called(person)}**', locale)}" for person in change["reviewers"]]
    if suggested:
        yield "\n".join([f"{messages.say(locale, 'analysis.reviewers')}:", "", *suggested])
    else:
        yield why_nobody(change, locale)
    yield _owners(change["owners"], change["lines"], locale)
    if change["skipped"]:
        yield messages.say(locale, "analysis.skipped", count=change["skipped"])


def _owners(owners: Sequence[Found], total: int, locale: str) -> str:
    def word(key: str) -> str:
        return messages.say(locale, f"analysis.{key}")

    last = messages.say(locale, "contributions.last")
    head = f"| {word('owner')} | {word('lines')} | {word('share')} | | {word('files')} | {last} |"
    rows = []
    for owner in owners:
        share = owner["lines"] / (total or 1)
        drawn = bar(share, BAR_PLACES)
        shown = f"`{drawn}`" if drawn else ""
        counts = f"{owner['lines']:,} | {share:.1%} | {shown} | {owner['files']:,}"
        rows.append(f"| {name_of(owner)} | {counts} | {last_commit(owner, locale)} |")
    return "\n".join([head, "|---|---:|---:|---|---:|---|", *rows])


def _facts(view: JobView, locale: str) -> str:
    facts = []
    if "report" in view.addresses and "analysis" in view.result:
        facts.append(f"[{messages.say(locale, 'analysis.report')}]({view.addresses['report']})")
    facts.append(f"{messages.say(locale, 'report.asked_by')} {messages.neutral(view.job.origin.actor)}")
    facts.append(f"[{messages.say(locale, 'report.open_log')}]({view.link})")
    facts.append(f"{messages.say(locale, 'report.job')} `{view.job.id}`")
    return " · ".join(facts)
