"""A merge queue waits for every required check on the merge it made: ours never holds it up, and deploys nothing."""

from __future__ import annotations

from tests.world import REPO, World


async def test_a_merge_queue_is_answered_at_once_on_its_own_commit_and_nothing_is_deployed(world: World) -> None:
    pull = await world.open_pull("two")
    queued = await world.github.queue_pull(REPO, pull.number)
    await world.settle()
    assert world.checks(queued.sha) == ["shipmate / deploy: neutral"]
    assert "`main` goes to `production`" in str(world.check_run(queued.sha).summary)
    assert await world.jobs() == []
    assert "ignored merge_queue_branch" in await world.outcomes("push")
    assert await world.outcomes("merge_group") == ["acted merge_group_answered"]


async def test_the_answer_has_the_name_of_the_check_that_the_base_branch_would_have(world: World) -> None:
    await world.push_files({"NOTES": "one\n"}, branch="staging")
    await world.settle()
    await world.push("two", branch="feature")
    opened = await world.github.open_pull(REPO, head="feature", base="staging")
    queued = await world.github.queue_pull(REPO, opened.number)
    await world.settle()
    assert world.checks(queued.sha) == ["shipmate / deploy (staging): neutral"]


async def test_a_queue_of_a_branch_that_is_not_deployed_is_not_ours_to_answer(world: World) -> None:
    await world.push_files({"NOTES": "one\n"}, branch="docs")
    await world.push("two", branch="feature")
    opened = await world.github.open_pull(REPO, head="feature", base="docs")
    queued = await world.github.queue_pull(REPO, opened.number)
    await world.settle()
    assert world.checks(queued.sha) == []
    assert await world.outcomes("merge_group") == ["ignored branch_not_deployed"]


async def test_what_the_queue_merged_is_deployed_once_it_is_there(world: World) -> None:
    pull = await world.open_pull("two")
    await world.github.queue_pull(REPO, pull.number)
    await world.settle()
    await world.github.merge_pull(REPO, pull.number)
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert await world.serves() == "two"


async def test_a_redelivered_question_is_answered_once(world: World) -> None:
    pull = await world.open_pull("two")
    queued = await world.github.queue_pull(REPO, pull.number)
    await world.settle()
    await world.redeliver(queued.deliveries[-1], times=2)
    await world.settle()
    assert world.checks(queued.sha) == ["shipmate / deploy: neutral"]
