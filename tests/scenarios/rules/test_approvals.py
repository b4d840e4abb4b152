"""A second person lets a deployment run: who may, for which commit, once; and what ends one that nobody let run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import aiohttp
import pytest

from bot.clock import utc_now
from bot.model import Job
from tests.fake_engine import dockerfile
from tests.scenarios.settings import TWO_PEOPLE, frozen_now, with_rules
from tests.world import REPO, World


@pytest.fixture(autouse=True)
def people(world: World) -> None:
    """Beside alice, carol and dave may write."""
    for name in ("carol", "dave"):
        world.github.set_permission(REPO, name, "write")


async def held(world: World, number: int, by: str = "alice") -> Job:
    """A deployment that was asked for and is held."""
    await world.say(number, "/deploy", by=by)
    job = (await world.jobs())[-1]
    assert job.hold is not None
    return job


async def test_a_deployment_waits_until_somebody_else_approves_it(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    job = await held(world, pull.number)
    assert "Waiting for approval" in world.answer(pull.number)
    assert f"Say `/approve {job.id}`" in world.answer(pull.number)
    assert world.checks(pull.head_sha) == ["shipmate / deploy: queued"]
    assert [action["identifier"] for action in world.check_run().actions] == ["approve", "cancel"]
    said = await world.say(pull.number, "/approve", by="carol")
    assert await world.serves() == "two"
    assert world.reactions(said) == ["+1"]
    assert "Approved by `carol`" in world.answer(pull.number)


async def test_who_asked_cannot_approve_it_too_not_even_an_admin(world: World) -> None:
    world.github.set_permission(REPO, "alice", "admin")
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/approve")
    assert "Whoever asked cannot approve it too" in world.answers(pull.number)[-1].body
    assert await world.states() == ["PENDING"]


async def test_status_says_what_a_held_job_waits_for(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/status")
    assert "Waiting for approval |" in world.answers(pull.number)[-1].body


async def test_two_approvals_are_of_two_people(world: World) -> None:
    await with_rules(world, "approvals: {required: 2}")
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/approve", by="carol")
    assert "1 of 2 approvals" in world.answer(pull.number)
    await world.say(pull.number, "/approve", by="carol")
    assert "carol has approved" in world.answers(pull.number)[-1].body
    assert await world.states() == ["PENDING"]
    await world.say(pull.number, "/approve", by="dave")
    assert await world.serves() == "two"


async def test_a_reader_cannot_approve_and_who_is_not_named_cannot_either(world: World) -> None:
    await with_rules(world, "approvals: {required: 1, teams: [acme/sre]}")
    world.github.add_to_team("acme", "sre", "dave")
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/approve", by="bob")
    assert "`/approve` needs `write`" in world.answers(pull.number)[-1].body
    await world.say(pull.number, "/approve", by="carol")
    assert "not among those who may `/approve`" in world.answers(pull.number)[-1].body
    await world.say(pull.number, "/approve", by="dave")
    assert await world.serves() == "two"


async def test_a_click_on_the_check_run_approves_as_the_one_who_clicks(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.github.click(world.check_run().id, "approve", by="alice")
    await world.settle()
    assert "Whoever asked cannot approve it too" in world.answers(pull.number)[-1].body
    await world.github.click(world.check_run().id, "approve", by="carol")
    await world.settle()
    assert await world.serves() == "two"


async def test_two_people_clicking_at_once_both_count(world: World) -> None:
    await with_rules(world, "approvals: {required: 2}")
    pull = await world.open_pull("two")
    await held(world, pull.number)
    for name in ("carol", "dave"):
        await world.github.click(world.check_run().id, "approve", by=name)
    await world.settle()
    assert await world.serves() == "two"


async def test_an_approval_of_another_commit_does_not_count(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    first = await held(world, pull.number)
    await world.push("three", branch="feature")
    await world.settle()
    await world.say(pull.number, f"/approve {first.id}", by="carol")
    assert "head moved" in world.answers(pull.number)[-1].body
    assert (await world.jobs())[0].error_code == "ref_changed"
    second = await held(world, pull.number)
    assert second.sha != first.sha
    assert await world.states() == ["FAILED", "PENDING"]


async def test_a_head_that_moves_ends_what_is_held_without_anybody_asking(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.push("three", branch="feature")
    await world.settle()
    await world.make_the_rounds()
    await world.settle()
    assert (await world.jobs())[0].error_code == "ref_changed"
    assert world.checks(pull.head_sha) == ["shipmate / deploy: failure"]


async def test_an_approval_of_a_closed_pull_request_ends_it(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.github.close_pull(REPO, pull.number)
    await world.say(pull.number, "/approve", by="carol")
    assert (await world.jobs())[0].error_code == "pull_closed"


async def test_a_permission_taken_away_before_the_approval_ends_it(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    world.github.set_permission(REPO, "alice", "read")
    await world.say(pull.number, "/approve", by="carol")
    assert "alice may no longer deploy" in world.answers(pull.number)[-1].body
    assert (await world.jobs())[0].error_code == "permission_lost"


async def test_in_a_freeze_an_approval_is_refused_and_the_job_goes_on_waiting(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await with_rules(world, f"{TWO_PEOPLE}, {frozen_now()}")
    await world.say(pull.number, "/approve", by="carol")
    assert "is frozen until" in world.answers(pull.number)[-1].body
    assert await world.states() == ["PENDING"]
    await with_rules(world, TWO_PEOPLE)
    await world.say(pull.number, "/approve", by="carol")
    assert await world.serves() == "two"


async def test_what_staging_moved_on_from_can_be_approved_and_what_was_taken_back_there_cannot(world: World) -> None:
    await with_rules(world, f"{TWO_PEOPLE}, after: staging")
    pull, other = await world.open_pull("two"), await world.open_pull("three", branch="other")
    await world.say(pull.number, "/deploy to staging")
    await world.say(pull.number, "/deploy to production")
    await world.say(other.number, "/deploy to staging")
    await world.say(other.number, "/deploy to production")
    await world.say(pull.number, "/approve", by="carol")
    assert await world.serves() == "two"
    await world.say(other.number, "/rollback staging")
    await world.say(other.number, "/approve", by="carol")
    assert "takes only what is live in `staging`" in world.answers(other.number)[-1].body
    assert await world.serves() == "two"


async def test_while_the_environment_is_locked_an_approval_is_refused(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/lock production --reason looking into it", by="dave")
    await world.say(pull.number, "/approve", by="carol")
    assert "looking into it" in world.answers(pull.number)[-1].body
    assert await world.states() == ["PENDING"]
    await world.say(pull.number, "/unlock production", by="dave")
    await world.say(pull.number, "/approve", by="carol")
    assert await world.serves() == "two"


async def test_an_approver_whose_permission_is_taken_away_while_it_builds_does_not_count(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two", "wait")
    await held(world, pull.number)
    await world.comment(pull.number, "/approve", by="carol")
    await world.until(world.engine.building.is_set)
    world.github.set_permission(REPO, "carol", "read")
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "approvals_missing"
    assert world.engine.running == []


async def test_a_held_job_lets_the_others_of_its_environment_pass(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    await with_rules(world, TWO_PEOPLE)
    first, second = await world.open_pull("two"), await world.open_pull("three", branch="other")
    await held(world, first.number)
    await world.say(second.number, "/deploy --reason the shop is down", by="carol")
    assert await world.states() == ["PENDING", "COMPLETED"]
    await world.say(first.number, "/approve", by="dave")
    assert await world.serves() == "two"


async def test_a_held_job_can_be_cancelled(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/cancel")
    assert await world.states() == ["CANCELLED"]
    assert any("Cancelled by alice before it began." in one.body for one in world.answers(pull.number))
    await world.say(pull.number, "/approve", by="carol")
    assert "Nothing waits for approval here" in world.answers(pull.number)[-1].body


async def test_one_nobody_approved_in_time_ends(world: World) -> None:
    await with_rules(world, "approvals: {required: 1, expires: 1h}")
    pull = await world.open_pull("two")
    job = await held(world, pull.number)
    assert job.hold is not None
    assert timedelta(minutes=59) < job.hold.until - utc_now() <= timedelta(hours=1)
    hold = '{"until": "2026-01-01T00:00:00+00:00", "approvals": 1, "who": [], "checks": []}'
    with closing(sqlite3.connect(world.database)) as database, database:
        database.execute("UPDATE jobs SET hold = ? WHERE id = ?", (hold, job.id))
    await world.make_the_rounds()
    await world.settle()
    assert await world.states() == ["TIMED_OUT"]
    assert "Nobody let it run in time" in world.answer(pull.number)
    assert world.checks(pull.head_sha) == ["shipmate / deploy: timed_out"]


async def test_a_push_waits_for_its_approval_and_a_newer_one_takes_its_place(world: World) -> None:
    await with_rules(world, f"branch: main, {TWO_PEOPLE}")
    middle = await world.push("one")
    await world.settle()
    last = await world.push("two")
    await world.settle()
    assert world.checks(middle) == ["shipmate / deploy: skipped"]
    assert world.checks(last) == ["shipmate / deploy: queued"]
    run = world.check_run(last)
    await world.github.click(run.id, "approve", by="alice")
    await world.settle()
    assert (await world.states())[-1] == "PENDING"
    await world.github.click(run.id, "approve", by="carol")
    await world.settle()
    assert await world.serves() == "two"


async def test_a_held_job_and_its_approvals_survive_a_server_that_is_killed(world: World) -> None:
    await with_rules(world, "approvals: {required: 2}")
    pull = await world.open_pull("two")
    await held(world, pull.number)
    await world.say(pull.number, "/approve", by="carol")
    await world.abandon()
    await world.start()
    await world.say(pull.number, "/approve", by="dave")
    assert await world.serves() == "two"


async def test_where_several_are_held_one_must_be_named(world: World) -> None:
    await with_rules(world, TWO_PEOPLE, f", {TWO_PEOPLE}")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging,production")
    await world.say(pull.number, "/approve", by="carol")
    assert "Several wait for approval here" in world.answers(pull.number)[-1].body
    assert await world.states() == ["PENDING", "PENDING"]
    job = next(job for job in await world.jobs() if job.environment == "staging")
    await world.say(pull.number, f"/approve {job.id}", by="carol")
    assert await world.serves("staging") == "two"


async def test_of_two_held_jobs_the_one_named_is_approved(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    first, second = await world.open_pull("two"), await world.open_pull("three", branch="other")
    one = await held(world, first.number)
    await held(world, second.number)
    await world.say(second.number, f"/approve {one.id}", by="carol")
    assert await world.states() == ["COMPLETED", "PENDING"]
    assert await world.serves() == "two"


async def test_the_page_of_a_job_says_what_it_waits_for_and_who_let_it_run(world: World) -> None:
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    job = await held(world, pull.number)
    address = world.house.links.job(job.id).replace("http://shipmate.test", world.address)
    async with aiohttp.ClientSession() as reader:
        text = await (await reader.get(address)).text()
        assert "Waiting for approval" in text
        assert f"Say /approve {job.id} before" in text
        await world.say(pull.number, "/approve", by="carol")
        events = await (await reader.get(address.replace("?", "/events?"))).text()
        assert "Approved by carol" in events


# Forks


async def open_fork(world: World, serves: str = "forked") -> int:
    await world.github.fork(REPO, "mallory/api")
    await world.github.push("mallory/api", branch="work", files={"Dockerfile": dockerfile(serves)}, by="mallory")
    pull = await world.github.open_pull(REPO, head="work", from_fork="mallory/api", by="mallory")
    await world.settle()
    return pull.number


async def test_a_forks_commit_is_deployed_once_a_maintainer_looked_at_it(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    number = await open_fork(world)
    await world.say(number, "/deploy")
    assert "can say `/approve`" in world.answer(number)
    await world.say(number, "/approve", by="carol")
    assert "The next push ends that" in world.answers(number)[-1].body
    await world.say(number, "/deploy")
    assert await world.serves() == "forked"


async def test_trust_in_a_fork_ends_with_its_next_push(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    number = await open_fork(world)
    await world.say(number, "/approve", by="carol")
    await world.github.push("mallory/api", branch="work", files={"Dockerfile": dockerfile("evil")}, by="mallory")
    await world.settle()
    await world.say(number, "/deploy")
    assert "comes from a fork" in world.answers(number)[-1].body
    assert await world.jobs() == []


async def test_neither_a_writer_nor_an_admins_reason_skips_the_review_of_a_fork(world: World) -> None:
    world.github.set_permission(REPO, "carol", "admin")
    number = await open_fork(world)
    await world.say(number, "/approve")
    assert "`/approve` needs `maintain`" in world.answers(number)[-1].body
    await world.say(number, "/deploy --reason I trust them", by="carol")
    assert "comes from a fork" in world.answers(number)[-1].body
    assert await world.jobs() == []


async def test_a_maintainer_cannot_trust_a_fork_of_their_own(world: World) -> None:
    world.github.set_permission(REPO, "mallory", "maintain")
    number = await open_fork(world)
    await world.say(number, "/approve", by="mallory")
    assert "cannot approve it too" in world.answers(number)[-1].body


async def test_what_was_trusted_of_a_fork_is_not_retried_once_its_head_moved(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    number = await open_fork(world)
    await world.say(number, "/approve", by="carol")
    await world.comment(number, "/deploy")
    await world.until_state("COMPLETED")
    await world.settle()
    run = world.check_run()
    await world.github.push("mallory/api", branch="work", files={"Dockerfile": dockerfile("evil")}, by="mallory")
    await world.settle()
    await world.github.rerequest(run.id)
    await world.settle()
    assert await world.states() == ["COMPLETED"]
