"""What the audit trail holds of what people say, click and push at GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from bot.audit import AuditRecord
from bot.errors import Refused
from bot.store.audit import AuditFilter
from storage.jobs import rows as jobrows
from tests.fake_engine import dockerfile
from tests.world import REPO, SETTINGS, World


async def trail(world: World) -> list[AuditRecord]:
    """All of it, which must hold."""
    assert (await world.store.audit.verify()).broken is None
    return await world.store.audit.page(AuditFilter())


async def told(world: World) -> list[tuple[str, str, str, str]]:
    """Who, what, what came of it, and why."""
    entries = [record.entry for record in await trail(world)]
    return [(entry.actor, entry.command, entry.outcome, entry.reason) for entry in entries]


async def test_a_push_and_its_end_are_in_the_trail(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    asked, ended = await trail(world)
    assert (asked.entry.actor, asked.entry.face, asked.entry.sha) == ("alice", "push", sha)
    assert (asked.entry.job_id, asked.entry.environment, asked.entry.repository) == (job.id, "production", REPO)
    assert (ended.entry.outcome, ended.entry.job_id, ended.entry.face) == ("COMPLETED", job.id, "worker")
    assert asked.delivery is not None


async def test_a_command_is_in_the_trail_with_its_words_its_commit_and_the_role_that_allowed_it(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging --reason fixes the login")
    (job,) = await world.jobs()
    record = (await trail(world))[0]
    entry = record.entry
    assert (entry.actor, entry.face, entry.command, entry.outcome) == ("alice", "comment", "deploy", "acted")
    assert entry.actor_id == world.github.person("alice").id
    assert entry.raw == "/deploy to staging --reason fixes the login"
    assert (entry.sha, entry.job_id, entry.environment) == (pull.head_sha, job.id, "staging")
    assert entry.rules["role"] == "write"
    assert record.delivery is not None


async def test_each_environment_of_one_command_is_a_record_of_its_own_job(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging,production")
    jobs = {job.environment: job.id for job in await world.jobs()}
    asked = [record.entry for record in await trail(world) if record.entry.outcome == "acted"]
    assert {entry.environment: entry.job_id for entry in asked} == jobs


async def test_refusals_and_mistakes_are_in_the_trail_with_what_decided(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy", by="bob")
    await world.say(pull.number, "/deploy to moon\n/deplyo now")
    assert await told(world) == [
        ("bob", "deploy", "refused", "permission_needed"),
        ("alice", "deploy", "refused", "unknown_environment"),
        ("alice", "deplyo", "refused", "unknown_command"),
    ]
    refused, unknown, _ = [record.entry for record in await trail(world)]
    assert (refused.rules["has"], refused.rules["needs"]) == ("read", "write")
    assert (unknown.environment, unknown.rules["known"]) == ("moon", ["production", "staging"])


async def test_a_click_is_in_the_trail_as_the_one_who_clicked(world: World) -> None:
    await world.push("one")
    await world.settle()
    await world.push("two")
    await world.settle()
    await world.github.click(world.github.check_runs(REPO)[-1].id, "rollback", by="bob")
    await world.settle()
    assert (await told(world))[-1] == ("bob", "rollback", "refused", "permission_needed")
    assert (await trail(world))[-1].entry.raw == "button rollback"


async def test_a_cancelled_job_names_who_cancelled_it(world: World) -> None:
    world.github.set_permission(REPO, "carol", "write")
    pull = await world.open_pull("two", "hang")
    await world.comment(pull.number, "/deploy")
    await world.until_state("BUILDING")
    await world.say(pull.number, "/cancel", by="carol")
    assert await told(world) == [
        ("alice", "deploy", "acted", "deploy_asked"),
        ("carol", "cancel", "acted", "cancel_asked"),
        ("carol", "deploy", "CANCELLED", "cancelled"),
    ]


async def test_an_end_that_a_gate_decided_tells_both_commits(world: World) -> None:
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy")
    await world.until_state("BUILDING")
    moved = await world.push("three", branch="feature")
    world.engine.go_on.set()
    await world.settle()
    entry = (await trail(world))[-1].entry
    assert (entry.reason, entry.sha) == ("ref_changed", pull.head_sha)
    assert entry.rules == {"before": pull.head_sha[:7], "now": moved[:7]}


async def test_a_secret_that_somebody_typed_is_not_in_the_trail(world: World) -> None:
    token = "ghp_" + "s" * 36
    pull = await world.open_pull("two")
    await world.say(pull.number, f"/deploy to {token.lower()}\n/deploy {token}\n/deplyo {token}")
    raws: list[Any] = [(record.entry.raw, record.entry.rules) for record in await trail(world)]
    assert len(raws) == 3
    assert token not in str(raws)


async def test_a_redelivered_command_is_in_the_trail_once(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/status")
    await world.redeliver(said.delivery, times=2)
    await world.settle()
    assert await told(world) == [("alice", "status", "acted", "status_told")]


async def test_a_bad_configuration_on_a_push_is_a_refusal_of_that_commit(world: World) -> None:
    sha = await world.push_files({".shipmate.yml": "environments: 3\n", "Dockerfile": dockerfile("x")})
    await world.settle()
    (record,) = await trail(world)
    assert (record.entry.command, record.entry.outcome, record.entry.reason) == ("push", "refused", "bad_config")
    assert record.entry.sha == sha


@pytest.mark.parametrize("steps", [1, 3, 5, 8, 13, 21])
async def test_a_server_that_dies_between_any_two_steps_leaves_one_chain_that_tells_each_thing_once(
    world: World, steps: int
) -> None:
    pull = await world.open_pull("two")
    await world.comment(pull.number, "/deploy")
    for _ in range(3):
        world.life.fatal_step = world.life.steps + steps
        await world.restart_when_it_dies()
    world.life.fatal_step = 0
    await world.settle()
    assert await told(world) == [
        ("alice", "deploy", "acted", "deploy_asked"),
        ("alice", "deploy", "COMPLETED", "completed"),
    ]


async def test_what_there_was_no_room_for_is_told_as_refused_to_whoever_spoke_or_clicked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Refused("queue_full", limit=0)

    for version in ("one", "two"):
        await world.push(version)
        await world.settle()
    pull = await world.open_pull("three")
    monkeypatch.setattr(jobrows, "_require_room", full)
    await world.say(pull.number, "/deploy")
    await world.github.click(world.github.check_runs(REPO)[0].id, "rollback")
    await world.settle()
    assert (await told(world))[-2:] == [
        ("alice", "deploy", "refused", "queue_full"),
        ("alice", "rollback", "refused", "queue_full"),
    ]
    assert world.checks()[-1] == "shipmate / deploy: action_required"


async def test_a_preview_that_ends_with_its_pull_request_is_in_the_trail(world: World) -> None:
    await world.push_files({".shipmate.yml": "previews: {enabled: true}\n" + SETTINGS})
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    await world.github.close_pull(REPO, pull.number)
    await world.settle()
    assert ("alice", "preview", "acted", "preview_closed") in await told(world)
