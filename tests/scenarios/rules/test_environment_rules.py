"""The rules of an environment: who may, after which checks, in which order, when, and what a maintainer sets aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.clock import utc_now
from bot.composition.desks import records_of
from bot.errors import Permanent
from bot.gates.gate import Gate
from bot.jobs.deploy.plan import Plan
from tests.scenarios.settings import frozen_now, with_rules
from tests.world import REPO, World

# Up to date

UP_TO_DATE = "branch: main, up_to_date: true"


async def test_a_branch_that_lacks_what_is_merged_is_not_deployed_until_it_has_it(world: World) -> None:
    await with_rules(world, UP_TO_DATE)
    pull = await world.open_pull("two")
    await world.push("one")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert "lacks what is on `main`" in world.answer(pull.number)
    assert await world.serves() == "one"
    fresh = await world.open_pull("three", branch="fresh")
    await world.say(fresh.number, "/deploy")
    assert await world.serves() == "three"


async def test_without_a_branch_of_its_own_the_default_branch_is_what_must_be_held(world: World) -> None:
    await with_rules(world, "up_to_date: true")
    pull = await world.open_pull("two")
    await world.push("one")
    await world.say(pull.number, "/deploy")
    assert "lacks what is on `main`" in world.answer(pull.number)
    await world.say(pull.number, "/deploy main")
    assert await world.serves() == "one"


async def test_a_maintainer_deploys_an_older_branch_with_a_reason_and_everybody_sees_it(world: World) -> None:
    await with_rules(world, UP_TO_DATE)
    world.github.set_permission(REPO, "carol", "maintain")
    pull = await world.open_pull("two")
    await world.push("one")
    await world.settle()
    await world.say(pull.number, "/deploy --reason urgent", by="alice")
    assert await world.serves() == "one"
    await world.say(pull.number, "/deploy --reason urgent", by="carol")
    assert await world.serves() == "two"
    assert "carol set aside: that it must be up to date. Reason: urgent" in world.answers(pull.number)[-1].body


async def test_a_branch_that_fell_behind_while_it_waited_for_approval_is_not_deployed(world: World) -> None:
    await with_rules(world, "up_to_date: true, approvals: {required: 1}")
    for name, role in (("carol", "write"), ("dave", "maintain")):
        world.github.set_permission(REPO, name, role)
    pull, other = await world.open_pull("two"), await world.open_pull("three", branch="other")
    await world.say(pull.number, "/deploy")
    await world.say(other.number, "/deploy --reason urgent", by="dave")
    assert await world.serves() == "three"
    await world.push_files({"README.md": "merged meanwhile\n"})
    await world.say(pull.number, "/approve", by="carol")
    assert "lacks what is on `main`" in world.answers(pull.number)[-1].body
    assert await world.serves() == "three"


async def test_a_branch_that_falls_behind_while_it_is_built_is_not_deployed(world: World) -> None:
    await with_rules(world, "up_to_date: true")
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy")
    await world.until_it_builds()
    await world.push_files({"README.md": "merged meanwhile\n"})
    world.engine.go_on.set()
    await world.settle()
    assert await world.states() == ["FAILED"]
    assert "lacks what is on `main`" in world.answer(pull.number)
    assert world.deployments()[0].statuses[-1].state == "failure"


async def test_what_a_maintainer_set_aside_is_not_asked_again_though_more_is_merged(world: World) -> None:
    await with_rules(world, "up_to_date: true")
    world.github.set_permission(REPO, "carol", "maintain")
    pull = await world.open_pull("two", "wait")
    await world.push_files({"README.md": "merged before\n"})
    await world.comment(pull.number, "/deploy --reason urgent", by="carol")
    await world.until_it_builds()
    await world.push_files({"README.md": "merged meanwhile\n"})
    world.engine.go_on.set()
    await world.settle()
    assert await world.serves() == "two"


async def test_a_push_that_a_newer_one_overtook_is_not_called_behind(world: World) -> None:
    await with_rules(world, "branch: main, up_to_date: true")
    await world.push("one", "wait")
    await world.until_it_builds()
    await world.push("two")
    world.engine.go_on.set()
    await world.settle()
    assert (await world.states())[-2:] == ["COMPLETED", "COMPLETED"]
    assert await world.serves() == "two"


async def test_what_was_deployed_comes_back_though_it_is_behind(world: World) -> None:
    await with_rules(world, UP_TO_DATE)
    for serves in ("one", "two"):
        await world.push(serves)
        await world.settle()
    pull = await world.open_pull("three")
    await world.say(pull.number, "/rollback")
    assert await world.serves() == "one"


# Who may


async def test_only_people_of_the_team_deploy_where_a_team_is_named(world: World) -> None:
    await with_rules(world, "teams: [acme/sre]")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    assert "not among those who may `/deploy` in `production`: `acme/sre`" in world.answer(pull.number)
    assert await world.jobs() == []
    world.github.add_to_team("acme", "sre", "alice")
    await world.say(pull.number, "/deploy")
    assert await world.serves() == "two"


async def test_each_command_can_have_its_own_people(world: World) -> None:
    await with_rules(world, "who: {deploy: [alice], rollback: [maintain]}")
    world.github.set_permission(REPO, "carol", "maintain")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy", by="carol")
    await world.say(pull.number, "/deploy")
    await world.push("three", branch="feature")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    await world.say(pull.number, "/rollback")
    assert "not among those who may `/rollback`" in world.answers(pull.number)[-1].body
    await world.say(pull.number, "/rollback", by="carol")
    assert await world.serves() == "two"


async def test_a_name_in_the_file_gives_nobody_more_than_github_does(world: World) -> None:
    await with_rules(world, "who: {deploy: [bob, read]}")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy", by="bob")
    assert "`/deploy` needs `write`" in world.answer(pull.number)


async def test_the_pull_requests_own_file_gives_nobody_anything(world: World) -> None:
    await with_rules(world, "who: {deploy: [carol]}")
    await world.push_files({".shipmate.yml": "environments: {production: {checks: 1}}\n"}, branch="sneaky")
    pull = await world.github.open_pull(REPO, head="sneaky")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert "not among those who may" in world.answer(pull.number)


async def test_a_base_branch_that_anybody_may_push_to_sets_no_rules(world: World) -> None:
    await with_rules(world, "who: {deploy: [carol]}")
    await world.push_files({".shipmate.yml": "environments: {production: {checks: 1}}\n"}, branch="lax")
    await world.push("two", branch="feature")
    pull = await world.github.open_pull(REPO, head="feature", base="lax")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert "not among those who may" in world.answer(pull.number)


async def test_a_protected_base_branch_has_settings_of_its_own_under_the_default_branchs_rules(world: World) -> None:
    await with_rules(world, "who: {deploy: [carol]}")
    own = "environments:\n  production: {checks: 1, env: {FROM: release}}\n  staging: {checks: 1}\n  lab: {checks: 1}\n"
    await world.push_files({".shipmate.yml": own}, branch="release")
    world.github.repository(REPO).protected.add("release")
    await world.push("two", branch="feature")
    pull = await world.github.open_pull(REPO, head="feature", base="release")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert "not among those who may" in world.answer(pull.number)
    await world.say(pull.number, "/deploy to lab")
    assert await world.serves("lab") == "two"


async def test_a_push_by_a_merge_queue_is_let_through_by_its_name(world: World) -> None:
    await with_rules(world, 'branch: main, who: {deploy: ["queue[bot]"]}')
    sha = await world.push("one")
    await world.settle()
    assert "not among those who may" in (world.check_run(sha).summary or "")
    await world.push("two", by="queue[bot]")
    await world.settle()
    assert await world.serves() == "two"


async def test_when_github_cannot_say_who_is_in_a_team_nothing_is_done(world: World) -> None:
    await with_rules(world, "teams: [acme/sre]")
    world.github.add_to_team("acme", "sre", "alice")
    pull = await world.open_pull("two")
    world.github.faults.add("status", path="/memberships/", status=500, count=None)
    await world.say(pull.number, "/deploy")
    assert "could not say whether alice may" in world.answer(pull.number)
    assert await world.jobs() == []


async def test_one_taken_out_of_the_team_while_it_runs_ends_the_deployment(world: World) -> None:
    await with_rules(world, "teams: [acme/sre]")
    world.github.add_to_team("acme", "sre", "alice")
    first = await world.open_pull("one")
    await world.say(first.number, "/deploy")
    pull = await world.open_pull("two", "wait", branch="other")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    world.github.hub.world.account("acme").teams["sre"].clear()
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "not_allowed_here"
    assert await world.serves() == "one"


# Checks


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ([], "have not reported on"),
        ([("test", "in_progress")], "still run on"),
        ([("test", "failure")], "have failed on"),
        ([("test", "success"), ("test", "timed_out")], "have failed on"),
        ([("lint", "success")], "have not reported on"),
    ],
)
async def test_a_check_that_has_not_passed_blocks(world: World, said: list[tuple[str, str]], answer: str) -> None:
    await with_rules(world, "required_checks: [test]")
    pull = await world.open_pull("two")
    for name, state in said:
        await world.github.check(REPO, pull.head_sha, name, state)
    await world.say(pull.number, "/deploy")
    assert answer in world.answer(pull.number)
    assert await world.jobs() == []


async def test_check_runs_and_statuses_that_passed_on_this_very_commit_let_it_through(world: World) -> None:
    await with_rules(world, "required_checks: [test, ci/lint]")
    pull = await world.open_pull("two")
    await world.github.check(REPO, pull.head_sha, "test", "skipped")
    await world.github.set_status(REPO, pull.head_sha, "ci/lint")
    await world.say(pull.number, "/deploy")
    assert await world.serves() == "two"
    moved = await world.push("three", branch="feature")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert f"have not reported on {moved[:7]}" in world.answers(pull.number)[-1].body


async def test_all_checks_means_that_there_is_one_and_ours_do_not_count(world: World) -> None:
    await with_rules(world, "required_checks: all")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging")
    assert world.checks(pull.head_sha) == ["shipmate / deploy (staging): success"]
    await world.say(pull.number, "/deploy")
    assert "have not reported" in world.answers(pull.number)[-1].body
    await world.github.check(REPO, pull.head_sha, "test")
    await world.say(pull.number, "/deploy")
    assert await world.serves() == "two"


async def test_checks_that_cannot_be_read_block(world: World) -> None:
    await with_rules(world, "required_checks: [test]")
    pull = await world.open_pull("two")
    await world.github.check(REPO, pull.head_sha, "test")
    world.github.faults.add("status", path="/status", status=500, count=None)
    await world.say(pull.number, "/deploy")
    assert "could not say whether the checks" in world.answer(pull.number)


async def test_a_check_that_fails_while_it_builds_ends_the_deployment(world: World) -> None:
    await with_rules(world, "required_checks: [test]")
    pull = await world.open_pull("two", "wait")
    await world.github.check(REPO, pull.head_sha, "test")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    await world.github.check(REPO, pull.head_sha, "test", "failure")
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "checks_failed"
    assert world.engine.running == []


async def test_a_push_waits_for_the_checks_of_its_commit(world: World) -> None:
    await with_rules(world, "branch: main, required_checks: [test]")
    sha = await world.push("one")
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: queued"]
    assert "It goes on when these checks have passed: `test`" in (world.check_run(sha).summary or "")
    await world.github.check(REPO, sha, "test", "in_progress")
    await world.make_the_rounds()
    assert (await world.states())[-1] == "PENDING"
    await world.github.check(REPO, sha, "test")
    await world.make_the_rounds()
    await world.settle()
    assert await world.serves() == "one"


async def test_a_push_whose_checks_fail_is_not_deployed(world: World) -> None:
    await with_rules(world, "branch: main, required_checks: [test]")
    sha = await world.push("one")
    await world.settle()
    await world.github.check(REPO, sha, "test", "failure")
    await world.make_the_rounds()
    await world.settle()
    assert "shipmate / deploy: failure" in world.checks(sha)
    assert (await world.jobs())[-1].error_code == "checks_failed"


# Order


async def test_production_takes_only_what_is_live_in_staging(world: World) -> None:
    await with_rules(world, "after: staging")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to production")
    assert "takes only what is live in `staging`" in world.answer(pull.number)
    await world.say(pull.number, "/deploy to staging")
    await world.say(pull.number, "/deploy to production")
    assert (await world.serves("staging"), await world.serves()) == ("two", "two")
    await world.push("three", branch="feature")
    await world.settle()
    await world.say(pull.number, "/deploy to production")
    assert "takes only what is live in `staging`" in world.answers(pull.number)[-1].body


# Freeze windows


async def test_a_frozen_environment_refuses_and_says_until_when_and_why(world: World) -> None:
    await with_rules(world, frozen_now())
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    assert "`production` is frozen until" in world.answer(pull.number)
    assert "the big sale" in world.answer(pull.number)
    await world.say(pull.number, "/deploy to staging")
    assert await world.serves("staging") == "two"


async def test_a_push_to_a_frozen_environment_is_told_on_its_commit(world: World) -> None:
    await with_rules(world, f"branch: main, {frozen_now()}")
    sha = await world.push("one")
    await world.settle()
    assert await world.jobs() == []
    assert "is frozen until" in (world.check_run(sha).summary or "")


async def test_going_back_is_allowed_in_a_freeze(world: World) -> None:
    pull = await world.open_pull("one")
    await world.say(pull.number, "/deploy")
    await world.push("two", branch="feature")
    await world.settle()
    await world.say(pull.number, "/deploy")
    await with_rules(world, f"{frozen_now()}, approvals: {{required: 2}}, required_checks: [test]")
    await world.say(pull.number, "/rollback to last-good")
    assert await world.serves() == "one"


# Setting rules aside


async def test_a_maintainer_with_a_reason_deploys_in_a_freeze_and_everyone_sees_it(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    await with_rules(world, f"{frozen_now()}, required_checks: [test], approvals: {{required: 1}}")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy --reason the shop is down", by="carol")
    assert await world.serves() == "two"
    line = "carol set aside: the freeze, the required checks, the approvals. Reason: the shop is down"
    assert line in world.answer(pull.number)
    assert line in (world.check_run(pull.head_sha).summary or "")


async def test_a_reason_opens_nothing_for_one_who_is_no_maintainer(world: World) -> None:
    await with_rules(world, frozen_now())
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy --reason I want to")
    assert "is frozen until" in world.answer(pull.number)
    assert await world.jobs() == []


async def test_a_maintainer_without_a_reason_keeps_to_the_rules(world: World) -> None:
    world.github.set_permission(REPO, "carol", "admin")
    await with_rules(world, frozen_now())
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy", by="carol")
    assert "is frozen until" in world.answer(pull.number)


async def test_a_maintainer_who_is_none_any_more_sets_nothing_aside(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    await with_rules(world, frozen_now())
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy --reason the shop is down", by="carol")
    await world.until(world.engine.building.is_set)
    world.github.set_permission(REPO, "carol", "write")
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "permission_lost"


async def test_a_freeze_that_begins_while_it_waits_stops_it_before_anything_changes(world: World) -> None:
    await with_rules(world, "freeze: [{from: '2100-01-01', to: '2100-01-02'}]")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    (job,) = await world.jobs()
    plan = Plan.from_json(job.spec)
    new_year = datetime(2100, 1, 1, 12, tzinfo=UTC)
    records = records_of(world.store)
    await Gate(world.house.github, records, utc_now).recheck(job, plan)
    with pytest.raises(Permanent, match="frozen"):
        await Gate(world.house.github, records, lambda: new_year).recheck(job, plan)
    await Gate(world.house.github, records, lambda: new_year).recheck(job, replace(plan, noop=True))
