"""Deliveries come twice, in any order, late or never: each is acted on once, and none is lost."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace

import aiohttp

from bot.sandbox.github.hooks import Delivery, sign
from tests.fake_engine import Copy, dockerfile
from tests.world import REPO, World

LONGER_THAN_THE_STORE_WAITS_S = 1.0


async def test_a_delivery_sent_five_times_builds_once(world: World) -> None:
    world.github.faults.add("duplicate", on="webhook", path="^push$", times=4)
    sha = await world.push("one")
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert world.checks(sha) == ["shipmate / deploy: success"]


async def test_a_delivery_sent_again_after_the_end_does_nothing(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deploy")
    await world.redeliver(said.delivery, times=3)
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert len(world.answers(pull.number)) == 1


async def _tell_through_the_repositorys_own_hook(world: World, delivery: Delivery | None) -> int:
    """The same event once more, as a hook of the repository tells it: another id, no installation."""
    assert delivery is not None
    payload = {key: value for key, value in delivery.payload.items() if key != "installation"}
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        **sign(world.github.webhook_secret, body),
    }
    address = f"{world.address}/webhook/github"
    async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as reply:
        return reply.status


async def test_a_comment_told_by_two_hooks_is_obeyed_once(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.comment(pull.number, "/deploy")
    assert await _tell_through_the_repositorys_own_hook(world, said.delivery) == 202
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert len(world.answers(pull.number)) == 1


async def test_a_comment_told_by_the_repositorys_own_hook_alone_is_obeyed(world: World) -> None:
    pull = await world.open_pull("two")
    world.github.faults.add("drop", on="webhook", path="issue_comment")
    said = await world.comment(pull.number, "/deploy")
    await _tell_through_the_repositorys_own_hook(world, said.delivery)
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert world.reactions(said) == ["rocket"]


async def test_a_push_told_by_two_hooks_builds_once(world: World) -> None:
    pushed = await world.github.push(REPO, files={"CHANGES.txt": "one\n"})
    told = next(one for one in pushed.deliveries if one.event == "push")
    assert await _tell_through_the_repositorys_own_hook(world, told) == 202
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_a_click_told_twice_acts_once(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    clicked = await world.github.rerequest(world.check_run(sha).id)
    assert await _tell_through_the_repositorys_own_hook(world, clicked) == 202
    await world.settle()
    assert await world.states() == ["COMPLETED", "COMPLETED"]


async def test_a_push_told_after_a_newer_one_does_not_put_the_older_commit_over_it(world: World) -> None:
    world.github.faults.add("drop", on="webhook", path="^push$")
    pushed = await world.github.push(REPO, files={"Dockerfile": dockerfile("one")})
    first = pushed.sha
    second = await world.push("two")
    await world.settle()
    await world.redeliver(next(one for one in pushed.deliveries if one.event == "push"))
    await world.settle()
    assert await world.outcomes("push") == ["acted deploy_asked", "ignored newer_push_taken"]
    assert (world.checks(first), world.checks(second)) == ([], ["shipmate / deploy: success"])
    assert await world.serves() == "two"


async def test_a_branch_forced_back_to_an_older_commit_is_deployed_again(world: World) -> None:
    first = await world.push("one")
    await world.settle()
    await world.push("two")
    await world.settle()
    await world.github.force_push(REPO, "main", first)
    await world.settle()
    assert await world.serves() == "one"


async def test_a_command_told_before_its_pull_request_is_not_taken_for_another_commit(world: World) -> None:
    await world.push("two", branch="feature")
    world.github.faults.add("reorder", on="webhook", path=r"pull_request\.opened")
    pull = await world.github.open_pull(REPO, head="feature")
    await world.say(pull.number, "/deploy")
    assert all(job.sha == pull.head_sha for job in await world.jobs())


async def test_what_happened_while_the_server_was_down_is_fetched(world: World) -> None:
    pull = await world.open_pull("two")
    await world.stop()
    sha = await world.push("one")
    said = await world.comment(pull.number, "/deploy to staging")
    await world.github.settle()
    _an_hour_ago(world)
    await world.start()
    await world.make_the_rounds()
    await world.settle()
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert world.reactions(said) == ["rocket"]
    assert await world.serves("staging") == "two"


def _an_hour_ago(world: World) -> None:
    """What was sent so far was sent an hour ago, so that it cannot be on its way any more."""
    for delivery in world.github.deliveries:
        delivery.delivered_at -= 3600


async def test_fetching_twice_acts_once(world: World) -> None:
    await world.stop()
    await world.push("one")
    await world.github.settle()
    _an_hour_ago(world)
    await world.start()
    await world.make_the_rounds()
    await world.make_the_rounds()
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_a_missed_delivery_that_github_does_not_give_holds_up_none_after_it(world: World) -> None:
    pull = await world.open_pull("two")
    await world.stop()
    await world.push("one")
    await world.comment(pull.number, "/whoami")
    await world.github.settle()
    _an_hour_ago(world)
    await world.start()
    world.github.faults.add("status", path=r"/app/hook/deliveries/\d+$", status=404)
    await world.make_the_rounds()
    await world.settle()
    assert "acted whoami_told" in await world.outcomes("issue_comment")


async def test_a_repository_that_is_closed_to_us_keeps_no_other_from_being_looked_at(world: World) -> None:
    await world.github.create_repo("acme/web", files={"Dockerfile": dockerfile("web")})
    await world.github.push("acme/web", files={"CHANGES.txt": "one\n"})
    await world.settle()
    (run,) = world.github.check_runs("acme/web")
    run.status, run.conclusion = "in_progress", None
    world.github.faults.add("status", path="/repos/acme/api", status=403, count=None)
    await world.make_the_rounds()
    await world.settle()
    assert run.state == "success"


async def test_a_dangling_check_run_is_closed(world: World) -> None:
    """One whose end GitHub shows wrongly is told again, and one of a job nobody knows is cancelled."""
    sha = await world.push("one")
    await world.settle()
    run = world.check_run(sha)
    run.status, run.conclusion = "in_progress", None
    await world.make_the_rounds()
    await world.settle()
    assert run.state == "success"
    run.status, run.conclusion, run.external_id = "in_progress", None, "dep_aaaaaaaaaa"
    await world.make_the_rounds()
    await world.settle()
    assert run.state == "cancelled"


async def test_an_instance_nobody_owns_is_removed(world: World) -> None:
    await world.push("one")
    await world.settle()
    (live,) = world.engine.copies.values()
    lost = replace(live.spec, name="shipmate-lost", job_id="dep_lost000000")
    world.engine.copies[lost.name] = Copy(lost, ["serve", "lost"])
    await world.make_the_rounds()
    assert list(world.engine.copies) == [live.spec.name]


async def test_a_live_release_that_was_stopped_is_started_again(world: World) -> None:
    await world.push("one")
    await world.settle()
    (live,) = world.engine.copies.values()
    live.stop()
    assert await world.serves() == "status 503"
    await world.make_the_rounds()
    assert await world.serves() == "one"


async def test_while_another_process_holds_the_database_a_push_is_refused_and_fetched_later(world: World) -> None:
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        pushed = await world.github.push(REPO, files={"CHANGES.txt": "one\n"})
        await world.github.settle()
        assert [one.status_code for one in pushed.deliveries] == [503] * len(pushed.deliveries)
        other.execute("ROLLBACK")
    _an_hour_ago(world)
    await world.make_the_rounds()
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_a_job_goes_on_when_another_process_held_the_database_for_a_while(world: World) -> None:
    sha = await world.push("one", "wait")
    await world.until(world.engine.building.is_set)
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        world.engine.go_on.set()
        await world.until(lambda: not world.engine.building.is_set())
        await asyncio.sleep(LONGER_THAN_THE_STORE_WAITS_S)
        other.execute("ROLLBACK")
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert world.checks(sha) == ["shipmate / deploy: success"]


async def _disk_has_room(world: World, *, room: bool) -> None:
    """A database that may not grow is one on a full disk."""

    def limit(database: sqlite3.Connection) -> None:
        pages = 2**30 if room else database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")

    await world.house.opened.database.write(limit)


async def test_with_a_full_disk_a_push_is_refused_and_fetched_when_there_is_room_again(world: World) -> None:
    await _disk_has_room(world, room=False)
    pushed = [await world.github.push(REPO, files={f"{number}.txt": "x"}) for number in range(5)]
    await world.github.settle()
    assert 503 in {delivery.status_code for one in pushed for delivery in one.deliveries}
    await _disk_has_room(world, room=True)
    _an_hour_ago(world)
    await world.make_the_rounds()
    await world.settle()
    assert (await world.states())[-1] == "COMPLETED"
    assert world.checks(pushed[-1].sha) == ["shipmate / deploy: success"]


async def test_a_job_outlasts_a_full_disk(world: World) -> None:
    sha = await world.push("one", "wait", "flood 4000")
    await world.until(world.engine.building.is_set)
    await _disk_has_room(world, room=False)
    world.engine.go_on.set()
    await asyncio.sleep(LONGER_THAN_THE_STORE_WAITS_S)
    assert len(await world.unfinished()) == 1
    await _disk_has_room(world, room=True)
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert world.checks(sha) == ["shipmate / deploy: success"]
