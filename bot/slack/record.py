"""What the audit trail is told of words and clicks in Slack that led to no order of the shared grammar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.audit import AuditEntry
from bot.errors import ShipmateError
from bot.grammar import MOST_RAW_CHARACTERS
from bot.slack.inbound.interactions import DialogFilled, SlackClicked
from bot.slack.inbound.requests import SlackSaid
from bot.store.slack import SlackLink

Meant = SlackSaid | SlackClicked | DialogFilled


def heard(request: Meant, link: SlackLink | None, outcome: str, reason: str, rules: Mapping[str, Any]) -> AuditEntry:
    """By whom: the account at GitHub, where the person is linked to one, else who it is in Slack."""
    user = request.speaker.user
    command, raw = _words(request)
    return AuditEntry(
        actor=link.github_login if link else user.user_id,
        actor_id=link.github_id if link else None,
        face="slack",
        command=command,
        outcome=outcome,
        reason=reason,
        repository=(request.form.repository or "") if isinstance(request, DialogFilled) else "",
        raw=raw[:MOST_RAW_CHARACTERS],
        rules={**rules, "slack_user": user.user_id, "slack_team": user.team_id, "channel": request.where.channel},
        job_id=request.job_id if isinstance(request, SlackClicked) else None,
    )


def refused(request: Meant, link: SlackLink | None, error: ShipmateError) -> AuditEntry:
    """The facts of the refusal are the values that decided."""
    return heard(request, link, "refused", error.code, error.facts)


def _words(request: Meant) -> tuple[str, str]:
    """The command, and how it was said; no words at all ask for help."""
    match request:
        case SlackSaid():
            return next(iter(request.text.lower().removeprefix("/").split()), "help")[:40], request.text
        case SlackClicked():
            return request.action, f"button {request.action}"
        case DialogFilled():
            return "deploy", request.form.raw
