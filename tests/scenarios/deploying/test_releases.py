"""Going back to a release, taking one to another environment, and what a deployment can be told beside its commit."""

from __future__ import annotations

import itertools

import pytest

from bot.model import Release
from tests.fake_engine import dockerfile
from tests.world import REPO, SETTINGS, World

PARAMS = """\
environments:
  production:
    branch: main
    checks: 1
    env: {LEVEL: warn}
    params: {LEVEL: {enum: [info, debug]}, NAME: {pattern: "[a-z]+"}, API_TOKEN: }
"""


_branches = itertools.count()


async def _pushed(world: World, *versions: str, branch: str = "main") -> None:
    for serves in versions:
        await world.push(serves, branch=branch)
        await world.settle()


async def _asked(world: World, *lines: str) -> str:
    """Say it on a pull request of its own; all our answers there."""
    pull = await world.open_pull("other", branch=f"branch-{next(_branches)}")
    for line in lines:
        await world.say(pull.number, line)
    return "\n".join(comment.body for comment in world.answers(pull.number))


async def _live(world: World, environment: str = "production") -> Release:
    repository = world.github.repository(REPO)
    release = await world.store.releases.active(repository.id, environment)
    assert release is not None
    return release


# The same again


async def test_retry_says_again_what_the_command_said(world: World) -> None:
    await world.push_files({".shipmate.yml": PARAMS, "Dockerfile": dockerfile("blue")})
    await world.settle()
    pull = await world.open_pull("green", "fail")
    await world.say(pull.number, "/deploy --canary 25% -- LEVEL=debug")
    first = (await world.jobs())[-1]
    await world.say(pull.number, f"/retry {first.id}")
    again = (await world.jobs())[-1]
    assert again.id != first.id
    assert again.spec["environment"]["traffic"] == first.spec["environment"]["traffic"]
    assert again.spec["environment"]["env"]["LEVEL"] == "debug"
    assert (again.spec["canary"], again.spec["set_by_hand"]) == ("25%", ["LEVEL"])


async def test_what_may_no_longer_be_set_by_hand_is_not_set_by_a_retry(world: World) -> None:
    await world.push_files({".shipmate.yml": PARAMS, "Dockerfile": dockerfile("blue")})
    await world.settle()
    pull = await world.open_pull("green", "fail")
    await world.say(pull.number, "/deploy -- LEVEL=debug")
    await world.push_files({".shipmate.yml": SETTINGS})
    await world.settle()
    jobs = await world.jobs()
    await world.say(pull.number, f"/retry {jobs[-2].id}")
    assert "`LEVEL`" in world.answers(pull.number)[-1].body
    assert len(await world.jobs()) == len(jobs)


# Going back


@pytest.mark.parametrize("named", ["v1", "1", "last-good", "the commit"])
async def test_rollback_goes_to_the_release_that_was_named(world: World, named: str) -> None:
    sha = await world.push("one")
    await world.settle()
    await _pushed(world, *(["two"] if named == "last-good" else ["two", "three"]))
    await _asked(world, f"/rollback to {sha[:9] if named == 'the commit' else named} --reason it was better")
    assert await world.serves() == "one"
    assert (await _live(world)).version == 1


async def test_a_release_somebody_rolled_back_from_is_not_gone_back_to_by_itself(world: World) -> None:
    await _pushed(world, "one", "two")
    await _asked(world, "/rollback")
    await _pushed(world, "three")
    await _asked(world, "/rollback")
    assert await world.serves() == "one"


async def test_a_release_that_was_named_is_good_again(world: World) -> None:
    await _pushed(world, "one", "two")
    await _asked(world, "/rollback", "/rollback to v2")
    assert await world.serves() == "two"
    await _pushed(world, "three")
    await _asked(world, "/rollback")
    assert await world.serves() == "two"


async def test_a_release_that_cannot_come_back_is_told_with_those_that_can(world: World) -> None:
    await _pushed(world, *(f"version {number}" for number in range(1, 8)))
    answer = await _asked(world, "/rollback to v9\n/rollback to abcdef0\n/rollback to v7\n/rollback to v1")
    for told in ("never had a release `v9`", "never had a release `abcdef0`", "v7 serves", "v1 of `production` is not"):
        assert told in answer
    assert answer.count("`v6 (") == 4
    assert await world.serves() == "version 7"


async def test_a_rollback_brings_its_own_variables_back(world: World) -> None:
    await world.push_files({"Dockerfile": dockerfile("one"), ".shipmate.yml": PARAMS})
    await world.settle()
    await _asked(world, "/deploy main -- LEVEL=debug", "/rollback to v1", "/rollback to v2")
    assert world.engine.copies[(await _live(world)).instance_id].spec.env["LEVEL"] == "debug"


# The same image elsewhere


async def test_promote_takes_the_same_image_to_another_environment(world: World) -> None:
    await _pushed(world, "old")
    await _pushed(world, "new", branch="staging")
    builds = len(world.engine.built)
    told = await _asked(world, "/promote staging to production --reason it is good")
    assert "Deployed to production" in told
    assert await world.serves() == "new"
    assert len(world.engine.built) == builds
    staging, production = await _live(world, "staging"), await _live(world)
    assert (production.image, production.sha) == (staging.image, staging.sha)
    assert production.instance_id != staging.instance_id


async def test_promote_uses_the_settings_of_the_environment_it_goes_to(world: World) -> None:
    settings = SETTINGS.replace("branch: main,", "branch: main, env: {WHERE: production}, release_command: printenv,")
    await world.push_files({".shipmate.yml": settings})
    await world.settle()
    await _pushed(world, "new", branch="staging")
    await _asked(world, "/promote staging to production")
    assert world.engine.copies[(await _live(world)).instance_id].spec.env == {"WHERE": "production"}
    (*_, job) = await world.jobs()
    assert "WHERE=production" in await world.store.jobs.log_tail(job.id, 50)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/promote staging to production", "serves nothing that could go to `production`"),
        ("/promote production to production", "serves that already"),
        ("/promote moon to production", "no environment `moon`"),
        ("/promote staging", "needs `to ENV`"),
    ],
)
async def test_a_promotion_that_makes_no_sense_is_answered(world: World, line: str, told: str) -> None:
    assert told in await _asked(world, line)
    assert await world.jobs() == []


async def test_a_commit_built_for_one_environment_is_not_built_for_the_next(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging")
    await world.say(pull.number, "/deploy to production")
    assert len(world.engine.built) == 1
    assert await world.serves() == "two"
    assert "Built already for staging" in (world.answers(pull.number)[-1].body)


async def test_a_failed_deploy_leaves_the_image_it_shares(world: World) -> None:
    pull = await world.open_pull("two")
    settings = SETTINGS.replace("branch: main,", "branch: main, release_command: 'false',")
    await world.push_files({".shipmate.yml": settings})
    await world.settle()
    await world.say(pull.number, "/deploy to staging")
    await world.say(pull.number, "/deploy to production")
    assert (await world.states())[-1] == "FAILED"
    assert (await _live(world, "staging")).image in world.engine.images


async def test_the_image_of_an_old_release_stays_while_another_environment_has_it(world: World) -> None:
    await _pushed(world, "first", branch="staging")
    await _asked(world, "/promote staging to production")
    image = (await _live(world)).image
    await _pushed(world, *(f"version {number}" for number in range(7)), branch="staging")
    await world.make_the_rounds()
    assert image in world.engine.images
    assert await world.serves() == "first"


# What would change


async def test_a_rehearsal_builds_and_tells_what_would_change_and_changes_nothing(world: World) -> None:
    await _pushed(world, "one")
    settings = SETTINGS.replace("branch: main,", "branch: main, env: {NEW: x}, memory: 64, release_command: migrate,")
    await world.push_files({".shipmate.yml": settings}, branch="settings")
    await world.github.push(REPO, branch="main", files={".shipmate.yml": settings, "Dockerfile": "FROM x\nRUN fail\n"})
    await world.settle()
    pull = await world.open_pull("two")
    images, instances, deployments = dict(world.engine.images), set(world.engine.copies), len(world.deployments())
    said = await world.say(pull.number, "/deploy --noop --reason look first")
    told = world.answer(pull.number)
    assert "Reason look first" in told
    assert "2 Push" not in told
    for sentence in (
        "Nothing was changed in production",
        "`+NEW`",
        "`memory`: `512` becomes `64`",
        "`migrate` runs once",
    ):
        assert sentence in told
    assert "v1) gives way to" in told
    assert world.reactions(said) == ["rocket"]
    assert world.checks(pull.head_sha) == ["shipmate / deploy --noop: success"]
    assert (world.engine.images, set(world.engine.copies)) == (images, instances)
    assert len(world.deployments()) == deployments
    assert await world.serves() == "one"
    assert (await _live(world)).version == 1


async def test_a_rehearsal_finds_a_secret_that_is_not_set(world: World) -> None:
    await world.push_files({".shipmate.yml": "environments:\n  production: {secrets: [NOT_SET]}\n"}, branch="main")
    told = await _asked(world, "/deploy --noop")
    assert "The secret `NOT_SET` is not set" in told


async def test_a_rehearsal_of_what_cannot_be_built_says_so(world: World) -> None:
    await _pushed(world, "one")
    pull = await world.open_pull("two", "fail")
    await world.say(pull.number, "/deploy --noop")
    assert "could not be built" in world.answer(pull.number)
    assert await world.serves() == "one"


# Several environments, variables


async def test_one_command_deploys_to_several_environments(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging,production")
    assert (await world.serves("staging"), await world.serves()) == ("two", "two")
    assert len(world.answers(pull.number)) == 2


async def test_of_several_environments_none_is_begun_when_one_is_wrong(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging,moon")
    assert "no environment `moon`" in world.answer(pull.number)
    assert await world.jobs() == []


ORDERED = SETTINGS.replace("production: {branch: main,", "production: {branch: main, after: staging,")


async def test_of_several_environments_the_later_one_waits_for_the_one_before(world: World) -> None:
    await world.push_files({".shipmate.yml": ORDERED})
    await world.settle()
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy to production,staging")
    await world.until(lambda: "Waiting for the environment before" in _said(world, pull.number))
    await world.make_the_rounds()
    assert [job.environment for job in await world.unfinished()] == ["production", "staging"]
    world.engine.go_on.set()
    while len(await world.unfinished()) > 1:
        await world.make_the_rounds()
    await world.make_the_rounds()
    await world.settle()
    assert (await world.serves("staging"), await world.serves()) == ("two", "two")
    assert len(world.engine.built) == 1


async def test_once_the_environment_before_has_the_commit_only_the_missing_approval_is_told(world: World) -> None:
    await world.push_files({".shipmate.yml": ORDERED.replace("after: staging,", "after: staging, approvals: {},")})
    await world.settle()
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging,production")
    assert "It goes on when" in _said(world, pull.number)
    await world.make_the_rounds()
    await world.settle()
    assert "It goes on when" not in _said(world, pull.number)
    assert "0 of 1 approvals" in _said(world, pull.number)


async def test_what_fails_in_the_environment_before_does_not_reach_the_next(world: World) -> None:
    await world.push_files({".shipmate.yml": ORDERED})
    await world.settle()
    pull = await world.open_pull("two", "fail")
    await world.comment(pull.number, "/deploy to staging,production")
    await world.until(lambda: "could not be built" in _said(world, pull.number))
    await world.make_the_rounds()
    await world.settle()
    assert "`staging` did not get this commit" in _said(world, pull.number)
    assert [job.state.value for job in await world.jobs()][-2:] == ["FAILED", "FAILED"]


def _said(world: World, number: int) -> str:
    return "\n".join(comment.body for comment in world.answers(number))


async def test_a_variable_is_set_for_this_release_alone(world: World) -> None:
    await world.push_files({".shipmate.yml": PARAMS})
    await world.settle()
    await _asked(world, "/deploy -- LEVEL=debug NAME=x")
    spec = world.engine.copies[(await _live(world)).instance_id].spec
    assert spec.env == {"LEVEL": "debug", "NAME": "x"}
    await _asked(world, "/deploy main")
    assert world.engine.copies[(await _live(world)).instance_id].spec.env == {"LEVEL": "warn"}


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("OTHER=1", "`OTHER` may not be set by hand"),
        ("LEVEL=trace", "it may be `info`, `debug`"),
        ("NAME=X; reboot", "`NAME` is not allowed"),
        ("NAME='a b'", "`NAME` is not allowed"),
    ],
)
async def test_a_variable_that_may_not_be_set_so_is_told_without_its_value(world: World, pair: str, told: str) -> None:
    await world.push_files({".shipmate.yml": PARAMS})
    await world.settle()
    answer = await _asked(world, f"/deploy -- {pair}")
    assert told in answer or "KEY=VALUE" in answer
    assert "reboot" not in answer.replace("`reboot`", "")
    assert len(await world.jobs()) == 1


async def test_a_variable_that_looks_like_a_secret_is_not_shown(world: World) -> None:
    await world.push_files({".shipmate.yml": PARAMS + "    release_command: printenv\n"})
    await world.settle()
    answer = await _asked(world, "/deploy -- API_TOKEN=correct-horse-battery")
    (*_, job) = await world.jobs()
    assert "API_TOKEN=***" in await world.store.jobs.log_tail(job.id, 50)
    assert "correct-horse" not in answer
