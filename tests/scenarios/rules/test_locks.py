"""Locks that people put on environments: whom they stop, how they end, and who is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import utc_now
from bot.errors import Transient
from bot.locks import Lock
from bot.sandbox.github.people import Opened
from bot.store.audit import AuditFilter
from tests.world import REPO, World


@pytest.fixture(autouse=True)
async def _people(world: World) -> None:
    world.github.set_permission(REPO, "carol", "write")


@pytest.fixture
async def pull(world: World) -> Opened:
    return await world.open_pull("two")


async def locks(world: World) -> list[Lock]:
    return await world.store.locks.of(world.github.hub.repository(REPO).id, utc_now())


def last(world: World, pull: Opened) -> str:
    return world.answers(pull.number)[-1].body


def notices(world: World, pull: Opened) -> list[str]:
    """What alice was told by name."""
    return [one.body for one in world.answers(pull.number) if "@alice: " in one.body]


async def test_a_locked_environment_takes_nothing_of_others_and_says_what_to_do(world: World, pull: Opened) -> None:
    said = await world.say(pull.number, "/lock staging --reason database move --for 2h")
    assert world.reactions(said) == ["+1"]
    assert "`staging` is yours alone until" in last(world, pull)
    for command in ("/deploy to staging", "/rollback staging", "/promote production to staging"):
        await world.say(pull.number, command, by="carol")
    assert await world.jobs() == []
    await world.say(pull.number, "/deploy to staging", by="carol")
    refusal = last(world, pull)
    assert "locked by `alice`" in refusal
    assert "database move" in refusal
    assert "`/lock staging --reason TEXT`" in refusal


async def test_the_holder_deploys_and_other_environments_are_free(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging")
    await world.say(pull.number, "/deploy to staging")
    await world.say(pull.number, "/deploy to production", by="carol")
    assert await world.states() == ["COMPLETED", "COMPLETED"]


async def test_without_a_name_the_default_environment_is_locked_and_with_all_every_one(
    world: World, pull: Opened
) -> None:
    await world.say(pull.number, "/lock")
    await world.say(pull.number, "/deploy", by="carol")
    assert "`production` is locked by `alice`" in last(world, pull)
    await world.say(pull.number, "/unlock")
    await world.say(pull.number, "/lock --all --reason audit")
    await world.say(pull.number, "/deploy to staging", by="carol")
    assert "`staging` is locked by `alice`" in last(world, pull)
    assert "`/unlock --all`" in last(world, pull)


async def test_looking_what_would_be_is_free(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging")
    await world.say(pull.number, "/deploy to staging --noop", by="carol")
    assert await world.states() == ["COMPLETED"]


async def test_a_push_of_somebody_else_is_refused_on_its_commit_and_the_holders_goes_through(
    world: World, pull: Opened
) -> None:
    await world.say(pull.number, "/lock production --reason freeze of mine")
    sha = await world.push("three", by="carol")
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: action_required"]
    assert "freeze of mine" in str(world.check_run(sha).summary)
    await world.push("four", by="alice")
    await world.settle()
    assert await world.serves() == "four"


async def test_a_commit_refused_on_two_branches_is_told_so_for_each(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock --all", by="carol")
    sha = await world.push("three")
    await world.settle()
    await world.github.force_push(REPO, "staging", sha)
    await world.settle()
    told = [run.summary or "" for run in world.github.check_runs(REPO, sha)]
    assert [("`production`" in one, "`staging`" in one) for one in told] == [(True, False), (False, True)]


async def test_another_ones_lock_is_taken_over_only_with_a_reason_and_its_holder_is_told(
    world: World, pull: Opened
) -> None:
    await world.say(pull.number, "/lock staging")
    await world.say(pull.number, "/lock staging", by="carol")
    assert "locked by `alice`" in last(world, pull)
    await world.say(pull.number, "/lock staging --reason hotfix @all", by="carol")
    (notice,) = notices(world, pull)
    assert "`carol` took over your lock of `staging` in acme/api: hotfix" in notice
    assert "@all" not in "".join(one.body for one in world.answers(pull.number))
    await world.say(pull.number, "/deploy to staging")
    assert "locked by `carol`" in last(world, pull)
    entries = [record.entry for record in await world.store.audit.page(AuditFilter())]
    taken = next(entry for entry in entries if entry.reason == "lock_taken_over")
    assert (taken.actor, taken.rules["taken_over_from"][0]["holder"]) == ("carol", "alice")


async def test_another_ones_lock_is_ended_only_with_a_reason_and_its_holder_is_told(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging")
    await world.say(pull.number, "/unlock staging", by="carol")
    assert "locked by `alice`" in last(world, pull)
    await world.say(pull.number, "/unlock staging --reason she is away", by="carol")
    assert any("`carol` ended your lock" in one.body for one in world.answers(pull.number))
    await world.say(pull.number, "/deploy to staging", by="carol")
    assert await world.states() == ["COMPLETED"]


async def test_one_environment_cannot_be_taken_out_of_a_lock_of_all(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock --all")
    for command in ("/lock staging --reason x", "/unlock staging --reason x"):
        await world.say(pull.number, command, by="carol")
        assert "One alone cannot be taken out" in last(world, pull)
    await world.say(pull.number, "/unlock --all --reason x", by="carol")
    assert "Unlocked: every environment" in last(world, pull)
    await world.say(pull.number, "/locks")
    assert "Nothing is locked" in last(world, pull)


async def test_a_lock_of_all_is_listed_in_words(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock --all")
    await world.say(pull.number, "/locks")
    assert "| every environment | `alice` |" in last(world, pull)


async def test_a_secret_in_a_reason_is_neither_kept_nor_shown(world: World, pull: Opened) -> None:
    token = "ghp_" + "a1B2" * 9
    await world.say(pull.number, f"/lock staging --reason for {token} only")
    await world.say(pull.number, "/locks")
    (lock,) = await locks(world)
    assert lock.reason == "for *** only"
    told = [one.body for one in world.answers(pull.number)]
    kept = await world.store.audit.newest(REPO, None, 10)
    assert token not in f"{told} {kept}"
    assert "for *** only" in told[-1]


async def test_a_length_nobody_can_read_is_answered_with_examples(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging --for tomorrow")
    assert "write it as `45m`, `3h` or `1d12h`" in last(world, pull)


async def test_a_lock_of_all_takes_over_those_of_single_environments(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging\n/lock production")
    await world.say(pull.number, "/lock --all", by="carol")
    assert "locked by `alice`" in last(world, pull)
    await world.say(pull.number, "/lock --all --reason outage", by="carol")
    await world.say(pull.number, "/locks")
    assert last(world, pull).count("`carol`") == 1
    assert "`alice`" not in last(world, pull)


async def test_unlocking_all_without_a_reason_ends_ones_own_alone(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging")
    await world.say(pull.number, "/lock production", by="carol")
    await world.say(pull.number, "/unlock --all")
    await world.say(pull.number, "/locks")
    assert "`staging`" not in last(world, pull)
    assert "| `production` | `carol` |" in last(world, pull)


async def test_what_is_not_locked_cannot_be_unlocked(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/unlock staging\n/unlock --all")
    first, second = (one.body for one in world.answers(pull.number))
    assert "`staging` is not locked" in first
    assert "Nothing is locked" in second


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("/lock moon", "There is no environment `moon`"),
        ("/lock staging --for soon", "soon"),
        ("/lock staging --for 0s", "no time to lock for"),
        ("/lock staging --for 91d", "90 days at most"),
        ("/lock staging --for 9999w9999w9999w", "90 days at most"),
        ("/lock staging --all", "either"),
        ("/unlock staging extra", "extra"),
    ],
)
async def test_what_makes_no_sense_is_answered_and_locks_nothing(
    world: World, pull: Opened, command: str, sentence: str
) -> None:
    await world.say(pull.number, command)
    assert sentence in last(world, pull)
    assert await locks(world) == []


async def test_one_who_may_not_write_locks_nothing_and_may_look(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging", by="bob")
    assert "needs `write`" in last(world, pull)
    await world.say(pull.number, "/locks", by="bob")
    assert "Nothing is locked" in last(world, pull)


async def test_a_lock_ends_by_the_clock_and_its_holder_is_told(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging --for 1s")
    await asyncio.sleep(1.1)
    await world.say(pull.number, "/deploy to staging", by="carol")
    assert await world.states() == ["COMPLETED"]
    await world.make_the_rounds()
    await world.make_the_rounds()
    await world.settle()
    (notice,) = notices(world, pull)
    assert "the time of your lock of `staging` in acme/api is over" in notice
    entries = [record.entry for record in await world.store.audit.page(AuditFilter())]
    assert [entry.actor for entry in entries if entry.reason == "lock_expired"] == ["alice"]


async def test_a_lock_that_was_over_is_anybodys_before_its_end_was_told(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging --for 1s")
    await asyncio.sleep(1.1)
    await world.say(pull.number, "/lock staging", by="carol")
    await world.make_the_rounds()
    await world.say(pull.number, "/locks")
    assert "| `staging` | `carol` |" in last(world, pull)


async def test_locking_again_changes_ones_own_lock(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging --reason one --for 1h")
    await world.say(pull.number, "/lock staging --reason two")
    await world.say(pull.number, "/locks")
    assert "two" in last(world, pull)
    assert "one" not in last(world, pull).splitlines()[-1]
    assert "| until it is unlocked | two |" in last(world, pull)


async def test_a_job_under_way_changes_nothing_more_once_somebody_else_locked_its_environment(world: World) -> None:
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy to staging")
    await world.until_state("BUILDING")
    await world.comment(pull.number, "/lock staging --reason mine now", by="carol")
    await world.until(lambda: any("yours alone" in one.body for one in world.answers(pull.number)))
    world.engine.go_on.set()
    await world.settle()
    (job,) = await world.jobs()
    assert (job.state.value, job.error_code) == ("FAILED", "environment_locked")
    assert world.told("staging") == ["failure"]


async def test_locks_that_cannot_be_read_let_nothing_change(world: World) -> None:
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy to staging")
    await world.until_state("BUILDING")
    read = world.store.locks.of

    async def unreadable(*_: object) -> None:
        raise Transient("store_io", retry_after_s=0.01)

    world.store.locks.of = unreadable  # type: ignore[method-assign,assignment]
    world.engine.go_on.set()
    await world.until_state("FAILED", "DEPLOYING")
    await world.settle()
    world.store.locks.of = read  # type: ignore[method-assign]
    (job,) = await world.jobs()
    assert (job.state.value, job.error_code) == ("FAILED", "store_io")
    assert world.engine.running == []


async def test_of_two_who_lock_in_the_same_moment_one_is_told_who_has_it(world: World, pull: Opened) -> None:
    others = await world.open_pull("three", branch="other")
    await asyncio.gather(
        world.comment(pull.number, "/lock staging"), world.comment(others.number, "/lock staging", by="carol")
    )
    await world.settle()
    told = sorted([last(world, pull), last(world, others)], key=lambda text: "yours alone" in text)
    assert "is locked by" in told[0]
    assert "yours alone" in told[1]


async def test_a_lane_goes_on_after_the_server_of_its_running_job_was_killed(world: World) -> None:
    first = await world.open_pull("one", "wait")
    second = await world.open_pull("two", branch="other")
    await world.comment(first.number, "/deploy to staging")
    await world.until_state("BUILDING")
    await world.comment(second.number, "/deploy to staging", by="carol")
    await world.until(lambda: world.answers(second.number))
    await world.abandon()
    world.engine.go_on.set()
    await world.start()
    await world.settle()
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    assert await world.serves("staging") == "two"


async def test_a_lock_outlives_the_server(world: World, pull: Opened) -> None:
    await world.say(pull.number, "/lock staging --for 1h")
    await world.abandon()
    await world.start()
    await world.say(pull.number, "/deploy to staging", by="carol")
    assert "locked by `alice`" in last(world, pull)
    (lock,) = await locks(world)
    assert lock.until is not None
    assert lock.until - lock.since == timedelta(hours=1)
