"""Whether the checks an environment asks for have passed on a commit: pure, over what GitHub says of that commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Refused
from bot.github.commit_checks import CommitChecks
from bot.repo_config.rules import ALL_CHECKS

GOOD = frozenset({"success", "neutral", "skipped"})
"""As GitHub counts them for its own required checks.

https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
"""
PENDING = frozenset({"pending", "queued", "in_progress", "waiting", "requested"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands in the way, by name; nothing does when all three are empty."""

    failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


def verdict(checks: CommitChecks, required: Sequence[str]) -> Verdict:
    """Judge a commit. A name that several reported is good when all of them say so; one nobody reported is missing."""
    said = _said(checks)
    names = sorted(said) if ALL_CHECKS in required else required
    if not names:
        return Verdict(missing=(ALL_CHECKS,))
    return Verdict(
        failed=tuple(name for name in names if said[name] - GOOD - PENDING),
        missing=tuple(name for name in names if not said[name]),
        pending=tuple(name for name in names if said[name] & PENDING),
    )


def require_passed(checks: CommitChecks, required: Sequence[str]) -> None:
    """Raises Refused("checks_failed", "checks_missing" or "checks_pending"), whichever weighs most."""
    judged = verdict(checks, required)
    for code, names in (
        ("checks_failed", judged.failed),
        ("checks_missing", judged.missing),
        ("checks_pending", judged.pending),
    ):
        if names:
            raise Refused(code, checks=list(names), sha=checks.sha[:7])


def _said(checks: CommitChecks) -> dict[str, set[str]]:
    """Each name's states, of check runs and of statuses alike."""
    said: dict[str, set[str]] = defaultdict(set)
    for run in checks.runs:
        said[run.name].add(run.conclusion or run.status)
    for status in checks.statuses:
        said[status.context].add(status.state)
    return said
