"""What a job waits for outside of its lane, who let it run, and which rules a maintainer set aside, in words."""

from __future__ import annotations

from bot import messages
from bot.model import Job
from bot.repo_config.rules import ROLES
from bot.shown.view import JobView


def standing(job: Job, locale: str) -> str:
    """Where an unfinished job stands, in a few words for lists."""
    return held_title(job, locale) or messages.say(
        locale, f"report.title.{job.state.value}", environment=job.environment
    )


def held_title(job: Job, locale: str) -> str | None:
    """One line for a job that is held; None for all others."""
    hold = job.hold
    if hold is None:
        return None
    key = "HELD" if hold.approvals else "AWAITS_CHECKS" if hold.checks else "AWAITS_TURN"
    return messages.say(locale, f"report.title.{key}")


def held_sentence(view: JobView, locale: str) -> str:
    """What is missing, who may give it, how, and until when; empty for a job that is not held."""
    hold, job = view.job.hold, view.job
    if hold is None:
        return ""
    until = hold.until.strftime("%Y-%m-%d %H:%M UTC")
    sentences: list[str] = []
    if hold.after:
        sentences.append(messages.say(locale, "report.awaits_turn", job=hold.after, until=until))
    if hold.checks:
        checks = ", ".join(f"`{messages.neutral(check)}`" for check in hold.checks)
        sentences.append(messages.say(locale, "report.awaits_checks", checks=checks, until=until))
    if hold.approvals:
        facts = {"count": len(view.approved_by), "needed": hold.approvals, "sha": job.sha[:7], "until": until}
        who = ", ".join(_who(name, locale) for name in hold.who) or messages.say(locale, "report.anyone_else")
        sentences.append(messages.say(locale, "report.held", who=who, job=job.id, **facts))
    return " ".join(sentences)


def consent(view: JobView, locale: str) -> str:
    """Who approved it, and what was set aside with which reason; empty where nobody had to."""
    lines: list[str] = []
    if view.approved_by:
        lines.append(
            messages.say(locale, "report.approved_by", who=", ".join(f"`{name}`" for name in view.approved_by))
        )
    if set_aside := view.job.spec.get("bypassed"):
        rules = dict.fromkeys(messages.say(locale, f"rule.{_rule(code)}") for code in set_aside)
        reason = messages.neutral(str(view.job.spec.get("reason") or ""))
        actor = messages.neutral(view.job.origin.actor)
        lines.append(messages.say(locale, "report.bypassed", actor=actor, rules=", ".join(rules), reason=reason))
    return "\n".join(lines)


def _who(name: str, locale: str) -> str:
    """One of those named in the settings: a role, a team or a login."""
    return messages.say(locale, "report.role", role=name) if name in ROLES else f"`{name}`"


def _rule(code: str) -> str:
    return "checks" if code.startswith("checks_") else code
