"""What the audit trail is told of words and clicks in Slack that led to no order of the shared grammar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.audit import AuditEntry
from bot.errors import ShipmateError
from bot.grammar import MOST_RAW_CHARACTERS
from bot.slack.requests import SlackClicked, SlackSaid
from bot.store import SlackLink


def heard(
    request: SlackSaid | SlackClicked, link: SlackLink | None, outcome: str, reason: str, rules: Mapping[str, Any]
) -> AuditEntry:
    """By whom: the account at GitHub, where the person is linked to one, else who it is in Slack."""
    user = request.speaker.user
    return AuditEntry(
        actor=link.github_login if link else user.user_id,
        actor_id=link.github_id if link else None,
        face="slack",
        command=_word(request.text) if isinstance(request, SlackSaid) else request.action,
        outcome=outcome,
        reason=reason,
        raw=request.text[:MOST_RAW_CHARACTERS] if isinstance(request, SlackSaid) else f"button {request.action}",
        rules={**rules, "slack_user": user.user_id, "slack_team": user.team_id, "channel": request.where.channel},
        job_id=request.job_id if isinstance(request, SlackClicked) else None,
    )


def refused(request: SlackSaid | SlackClicked, link: SlackLink | None, error: ShipmateError) -> AuditEntry:
    """The facts of the refusal are the values that decided."""
    return heard(request, link, "refused", error.code, error.facts)


def _word(text: str) -> str:
    """What was asked for; nothing at all asks for help."""
    return next(iter(text.lower().removeprefix("/").split()), "help")[:40]
