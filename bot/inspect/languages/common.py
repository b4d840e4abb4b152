"""What most languages settle the same way: the framework from dependencies, the port from code or the framework."""

from __future__ import annotations

from collections.abc import Sequence

from bot.inspect.dependencies import Dependencies, Match, matches
from bot.inspect.draft import Draft
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command


def begin(draft: Draft, family: str, language: str, manager: str, at: str | None) -> None:
    """Settle what the manifest alone says of a language that never ends as static files."""
    draft.family = family
    draft.settle("language", language, f"{family}/manifest", f"{at} is there", at=at)
    draft.settle("package_manager", manager, f"{family}/{manager}", f"{at} is {manager}'s", at=at)
    draft.rule_out("static_output")


def settle_framework(draft: Draft, languages: Sequence[str], dependencies: Dependencies) -> Match | None:
    """The likeliest framework of these languages, or the one that .shipmate.yml names; None when there is none."""
    found = [match for language in languages for match in matches(draft.folder, language, dependencies)]
    chosen = max(found, key=lambda match: match.score, default=None)
    return settle_match(draft, chosen, found)


def settle_match(draft: Draft, chosen: Match | None, found: Sequence[Match]) -> Match | None:
    """Settle a chosen framework; what was settled before (.shipmate.yml) stands and is returned instead."""
    if chosen is None:
        draft.rule_out("framework")
        return None
    why, framework = chosen.why, chosen.framework.id
    draft.settle("framework", framework, "framework/dependency", why, at=chosen.at, line=chosen.line)
    draft.raise_certainty(0.9)
    return next((match for match in found if match.framework.id == draft.text("framework")), None)


def settle_ports(draft: Draft, match: Match | None, sources: Sequence[str], patterns: Sequence[str]) -> None:
    """The port: from the start command, from the sources, from the framework's habit."""
    settle_port_from_command(draft)
    settle_port_from_code(draft, sources, patterns)
    settle_framework_port(draft, match)


def settle_framework_port(draft: Draft, match: Match | None) -> None:
    """The port a framework listens on when nothing else is said."""
    if match and match.framework.port:
        why = f"{match.framework.id} listens there by default"
        draft.settle("port", match.framework.port, "port/framework", why)


def start_with(
    draft: Draft, command: str, rule: str, why: str, at: str | None = None, *, guessed: bool = False
) -> None:
    """Settle the start, and that the folder has an entry; a guess does not make a library an application."""
    if draft.settle("start", command, rule, why, at=at):
        draft.guessed_entry = guessed
    draft.has_entry = True
