"""What the audit trail holds of what people say and click in Slack."""

from __future__ import annotations

from bot.store.audit import AuditFilter
from tests.slack.world import ALICE, BORA, CHEN, SlackWorld
from tests.world import REPO


async def told(world: SlackWorld) -> list[tuple[str, str, str, str]]:
    """Who, what, what came of it, and why; all of it must hold."""
    assert (await world.store.audit.verify()).broken is None
    entries = [record.entry for record in await world.store.audit.page(AuditFilter())]
    return [(entry.actor, entry.command, entry.outcome, entry.reason) for entry in entries if entry.face == "slack"]


async def test_commands_refusals_and_mistakes_in_slack_are_in_the_trail(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO} to staging")
    await world.type(f"deploy {REPO}", user=BORA)
    await world.type(f"deploy {REPO}", user=CHEN)
    await world.type("deplyo")
    await world.type("whoami")
    assert await told(world) == [
        ("alice", "deploy", "acted", "deploy_asked"),
        ("bob", "deploy", "refused", "permission_needed"),
        (CHEN, "deploy", "refused", "slack_not_linked"),
        ("alice", "deplyo", "refused", "unknown_command"),
        ("alice", "whoami", "acted", "whoami_told"),
    ]
    first = (await world.store.audit.page(AuditFilter()))[0].entry
    assert (first.raw, first.environment, first.repository) == (f"deploy {REPO} to staging", "staging", REPO)
    assert first.actor_id == world.github.person("alice").id


async def test_a_click_in_slack_is_in_the_trail_as_the_one_who_clicked(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    await world.click("rollback", user=BORA)
    await world.click("rollback", user=CHEN)
    await world.click("rollback", user=ALICE)
    assert (await told(world))[1:] == [
        ("bob", "rollback", "refused", "permission_needed"),
        (CHEN, "rollback", "refused", "slack_not_linked"),
        ("alice", "rollback", "refused", "no_release"),
    ]
