"""Durable jobs: made, leased one a lane, moved on under a fence, ended."""

from __future__ import annotations

import pytest

from bot.errors import LeaseLost, Refused
from bot.model import EventType, JobKind, JobState, NewEvent, Repository, Stage
from bot.store.jobs import JobFilter, NewRelease
from bot.store.store import Store
from storage.opened import open_store
from tests.storage.sample import (
    API,
    ENDED,
    LEASE_S,
    LOG,
    NOW,
    STARTED,
    after,
    claimed,
    ended,
    release,
    request,
    started,
)


async def types(store: Store, job_id: str) -> list[tuple[int, EventType]]:
    return [(event.seq, event.type) for event in await store.jobs.events(job_id)]


async def test_a_new_job_is_what_was_asked_for_and_says_it_is_queued(store: Store) -> None:
    asked = request(pull_number=42)
    job = await store.jobs.create(asked, NOW)
    assert (job.kind, job.lane, job.repository, job.origin, job.spec) == (
        asked.kind,
        asked.lane,
        asked.repository,
        asked.origin,
        asked.spec,
    )
    assert (job.state, job.created_at, job.fence) == (JobState.PENDING, NOW, 0)
    assert await store.jobs.get(job.id) == job
    assert await types(store, job.id) == [(1, EventType.JOB_QUEUED)]


async def test_a_lane_runs_one_job_at_a_time_oldest_first(store: Store) -> None:
    first, second = [await store.jobs.create(request(), NOW) for _ in range(2)]
    assert (await claimed(store.jobs)).id == first.id
    assert await store.jobs.claim("other", NOW, LEASE_S) is None
    assert await store.jobs.ahead_in_lane(second) == 1
    await store.jobs.finish(first.id, 1, JobState.CANCELLED, [ENDED], NOW, result={})
    assert (await claimed(store.jobs)).id == second.id
    assert await store.jobs.ahead_in_lane(second) == 0


async def test_lanes_run_beside_each_other(store: Store) -> None:
    jobs = [await store.jobs.create(request(lane), NOW) for lane in ("a", "a", "b")]
    assert [(await claimed(store.jobs)).id for _ in range(2)] == [jobs[0].id, jobs[2].id]
    assert await store.jobs.claim("w", NOW, LEASE_S) is None


async def test_a_lapsed_lease_is_claimed_again_under_a_higher_fence(store: Store) -> None:
    await store.jobs.create(request(), NOW)
    dead = await started(store.jobs, "dead")
    assert await store.jobs.claim("w", after(LEASE_S - 0.001), LEASE_S) is None
    taken = await claimed(store.jobs, "w", after(LEASE_S))
    assert (taken.id, taken.fence, taken.lease_owner, taken.state) == (dead.id, 2, "w", JobState.PROCESSING)
    assert taken.started_at == NOW


async def test_a_started_job_blocks_its_lane_until_it_is_itself_taken_up_again(store: Store) -> None:
    first = await store.jobs.create(request(), NOW)
    await store.jobs.create(request(), NOW)
    await started(store.jobs)
    assert (await claimed(store.jobs, at=after(60))).id == first.id
    assert await store.jobs.claim("w", after(60), LEASE_S) is None


async def test_every_write_of_a_worker_that_lost_its_lease_is_refused(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs, "old")
    await claimed(store.jobs, "new", after(60))
    before = await types(store, job.id)
    with pytest.raises(LeaseLost):
        await store.jobs.heartbeat(job.id, 1, after(60), LEASE_S)
    with pytest.raises(LeaseLost):
        await store.jobs.advance(job.id, 1, JobState.BUILDING, Stage.BUILD, [LOG], after(60))
    with pytest.raises(LeaseLost):
        await store.jobs.append(job.id, 1, [LOG], after(60))
    with pytest.raises(LeaseLost):
        await store.jobs.keep_facts(job.id, 1, Stage.BUILD, {})
    with pytest.raises(LeaseLost):
        await store.jobs.finish(job.id, 1, JobState.FAILED, [ENDED], after(60), result={})
    assert await types(store, job.id) == before


async def test_an_ended_job_takes_no_more_writes(store: Store) -> None:
    await store.jobs.create(request(), NOW)
    job = await ended(store.jobs)
    with pytest.raises(LeaseLost):
        await store.jobs.append(job.id, job.fence, [LOG], NOW)
    with pytest.raises(LeaseLost):
        await store.jobs.heartbeat(job.id, job.fence, NOW, LEASE_S)
    await store.jobs.give_back(job.id, job.fence)
    assert await store.jobs.claim("w", after(3600), LEASE_S) is None


async def test_a_heartbeat_keeps_the_lease_and_tells_until_when(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    assert await store.jobs.heartbeat(job.id, 1, after(5), LEASE_S) == after(15)
    assert await store.jobs.claim("other", after(14), LEASE_S) is None
    assert await store.jobs.claim("other", after(15), LEASE_S)


async def test_a_job_given_back_is_taken_up_at_once(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs, "leaving")
    await store.jobs.give_back(job.id, 1)
    await store.jobs.give_back(job.id, 1)
    assert (await claimed(store.jobs, "staying")).fence == 2
    await store.jobs.give_back(job.id, 1)
    assert await store.jobs.lease_owners() == ["staying"]


async def test_a_dead_workers_leases_all_lapse(store: Store) -> None:
    for lane in "abc":
        await store.jobs.create(request(lane), NOW)
    for worker in ("dead", "dead", "alive"):
        await started(store.jobs, worker)
    assert await store.jobs.lease_owners() == ["alive", "dead"]
    assert await store.jobs.lapse("dead") == 2
    assert [(await claimed(store.jobs)).lane for _ in range(2)] == ["a", "b"]
    assert await store.jobs.claim("w", NOW, LEASE_S) is None


async def test_events_are_numbered_without_gaps_and_read_from_any_point(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    told = NewEvent(EventType.STAGE_FINISHED, "빌드 완료", Stage.BUILD, {"seconds": 1.5, "tags": ["a"]})
    [event, _] = await store.jobs.append(job.id, 1, [told, LOG], after(1))
    assert (event.seq, event.at, event.message, event.stage, event.details) == (
        3,
        after(1),
        told.message,
        told.stage,
        told.details,
    )
    assert await store.jobs.events(job.id, after=2, limit=1) == [event]
    assert await store.jobs.last_seq(job.id) == 4
    assert [seq for seq, _ in await types(store, job.id)] == [1, 2, 3, 4]
    assert await store.jobs.append(job.id, 1, [], NOW) == []


async def test_a_job_nobody_made_has_nothing(store: Store) -> None:
    assert await store.jobs.get("dep_nobody") is None
    assert await store.jobs.events("dep_nobody") == []
    assert await store.jobs.last_seq("dep_nobody") == 0
    assert await store.jobs.ask_cancel("dep_nobody", "bob", NOW) is None
    assert await store.jobs.facts("dep_nobody") == {}


async def test_a_state_that_may_not_follow_is_a_bug_and_changes_nothing(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    with pytest.raises(ValueError, match="may not follow"):
        await store.jobs.advance(job.id, 1, JobState.VERIFYING, Stage.SWITCH, [LOG], NOW)
    with pytest.raises(ValueError, match="finish"):
        await store.jobs.advance(job.id, 1, JobState.FAILED, None, [LOG], NOW)
    with pytest.raises(ValueError, match="advance"):
        await store.jobs.finish(job.id, 1, JobState.BUILDING, [LOG], NOW, result={})
    with pytest.raises(ValueError, match="may not follow"):
        await store.jobs.finish(job.id, 1, JobState.ROLLED_BACK, [LOG], NOW, result={})
    assert await store.jobs.last_seq(job.id) == 2


async def test_events_and_the_facts_that_tell_of_them_are_stored_together_or_not_at_all(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await claimed(store.jobs)
    await store.jobs.append(job.id, 1, [LOG], NOW, {Stage.BUILD: {"mark": 1}})
    assert await store.jobs.facts(job.id) == {Stage.BUILD: {"mark": 1}}
    with pytest.raises(LeaseLost):
        await store.jobs.append(job.id, 0, [LOG], NOW, {Stage.BUILD: {"mark": 2}})
    assert await store.jobs.facts(job.id) == {Stage.BUILD: {"mark": 1}}
    assert [kind for _, kind in await types(store, job.id)].count(EventType.LOG_WRITTEN) == 1


async def test_facts_of_a_stage_are_kept_for_a_resume(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    await store.jobs.keep_facts(job.id, 1, Stage.BUILD, {"image": "old"})
    await store.jobs.keep_facts(job.id, 1, Stage.BUILD, {"image": "sha256:1"})
    await store.jobs.keep_facts(job.id, 1, Stage.SWITCH, {"percent": 0})
    assert await store.jobs.facts(job.id) == {Stage.BUILD: {"image": "sha256:1"}, Stage.SWITCH: {"percent": 0}}


async def test_a_newer_push_supersedes_those_of_its_face_that_wait(store: Store) -> None:
    running = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    waiting = await store.jobs.create(request(), NOW)
    asked = await store.jobs.create(request(face="comment"), NOW)
    other = await store.jobs.create(request("other lane"), NOW)
    await store.jobs.create(request(supersedes=True), NOW)
    states = [await store.jobs.get(job.id) for job in (running, waiting, asked, other)]
    assert [job.state for job in states if job] == [
        JobState.PROCESSING,
        JobState.SUPERSEDED,
        JobState.PENDING,
        JobState.PENDING,
    ]
    assert [type_ for _, type_ in await types(store, waiting.id)] == [EventType.JOB_QUEUED, EventType.JOB_ENDED]


async def test_a_superseded_head_of_its_lane_passes_the_turn_on(store: Store) -> None:
    await store.jobs.create(request(), NOW)
    newer = await store.jobs.create(request(supersedes=True), NOW)
    assert (await claimed(store.jobs)).id == newer.id


async def test_a_waiting_job_is_cancelled_at_once(store: Store) -> None:
    first = await store.jobs.create(request(), NOW)
    second = await store.jobs.create(request(), NOW)
    job = await store.jobs.ask_cancel(first.id, "bob", after(1))
    assert job is not None
    assert (job.state, job.ended_at, job.cancel_asked_by) == (JobState.CANCELLED, after(1), "bob")
    assert [type_ for _, type_ in await types(store, first.id)] == [
        EventType.JOB_QUEUED,
        EventType.CANCEL_ASKED,
        EventType.JOB_ENDED,
    ]
    assert (await claimed(store.jobs)).id == second.id


async def test_a_running_job_learns_of_a_cancel_and_tells_it_once(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    for who in ("bob", "carol"):
        told = await store.jobs.ask_cancel(job.id, who, NOW)
        assert told is not None
        assert (told.state, told.cancel_asked_by) == (JobState.PROCESSING, "bob")
    assert [type_ for _, type_ in await types(store, job.id)].count(EventType.CANCEL_ASKED) == 1


async def test_an_ended_job_stays_as_it_ended_when_cancelled(store: Store) -> None:
    await store.jobs.create(request(), NOW)
    job = await ended(store.jobs)
    told = await store.jobs.ask_cancel(job.id, "bob", NOW)
    assert told is not None
    assert (told.state, told.cancel_asked_by) == (JobState.COMPLETED, None)


async def test_no_more_jobs_wait_than_allowed(url: str) -> None:
    opened = await open_store(url, max_waiting=2)
    jobs = opened.store.jobs
    for lane in "ab":
        await jobs.create(request(lane), NOW)
    with pytest.raises(Refused) as caught:
        await jobs.create(request("c"), NOW)
    await started(jobs)
    await jobs.create(request("c"), NOW)
    await opened.close()
    assert (caught.value.code, caught.value.facts) == ("queue_full", {"limit": 2})


async def test_a_newer_push_fits_into_a_full_queue_by_replacing_the_older(url: str) -> None:
    opened = await open_store(url, max_waiting=1)
    await opened.store.jobs.create(request(), NOW)
    await opened.store.jobs.create(request(supersedes=True), NOW)
    assert len(await opened.store.jobs.find(JobFilter(states=(JobState.PENDING,)))) == 1
    await opened.close()


async def test_the_end_is_written_with_its_release_in_one(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    await store.jobs.finish(
        job.id,
        1,
        JobState.FAILED,
        [ENDED],
        after(9),
        result={"url": "http://a"},
        error_code="build_failed",
        error_message="exit 1",
    )
    found = await store.jobs.get(job.id)
    assert found is not None
    assert (found.state, found.ended_at, found.result) == (JobState.FAILED, after(9), {"url": "http://a"})
    assert (found.error_code, found.error_message, found.lease_owner) == ("build_failed", "exit 1", None)


async def test_an_end_with_a_release_that_cannot_be_kept_is_no_end(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await started(store.jobs)
    with pytest.raises(ValueError, match="release 404"):
        await store.jobs.finish(job.id, 1, JobState.FAILED, [ENDED], NOW, result={}, activate=404)
    found = await store.jobs.get(job.id)
    assert found is not None
    assert found.state is JobState.PROCESSING


async def test_each_release_is_the_next_version_of_its_environment_and_one_is_active(store: Store) -> None:
    made: list[NewRelease] = []
    for environment in ("production", "production", "staging"):
        job = await store.jobs.create(request(environment, environment=environment), NOW)
        await started(store.jobs)
        new = release(job, f"sha256:{len(made)}")
        made.append(new)
        await store.jobs.advance(job.id, 1, JobState.DEPLOYING, Stage.START, [], NOW)
        await store.jobs.advance(job.id, 1, JobState.VERIFYING, Stage.SWITCH, [], NOW)
        await store.jobs.finish(job.id, 1, JobState.COMPLETED, [ENDED], NOW, result={}, release=new)
    recent = await store.releases.recent(API.id, "production")
    assert [(each.version, each.active) for each in recent] == [(2, True), (1, False)]
    assert recent[1].spec == made[0].spec
    assert await store.releases.active(API.id, "production") == recent[0]
    assert await store.releases.active(API.id, "nowhere") is None
    assert await store.releases.environments(API.id) == ["production", "staging"]
    assert [each.environment for each in await store.releases.all_active()] == ["production", "staging"]


async def test_a_rollback_makes_an_old_release_the_active_one(store: Store) -> None:
    for _ in range(2):
        job = await store.jobs.create(request(), NOW)
        await ended(store.jobs, new=release(job))
    old = (await store.releases.recent(API.id, "production"))[1]
    await store.jobs.create(request(kind=JobKind.ROLLBACK), NOW)
    job = await started(store.jobs)
    await store.jobs.finish(job.id, job.fence, JobState.COMPLETED, [ENDED], NOW, result={}, activate=old.id)
    active = await store.releases.active(API.id, "production")
    assert active is not None
    assert (active.id, active.version) == (old.id, 1)
    assert [each.id for each in await store.releases.all_active()] == [old.id]


async def test_unfinished_jobs_of_an_environment_are_known(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    assert await store.jobs.unfinished_in(API.id, "production") == [job.id]
    assert await store.jobs.unfinished_in(API.id, "staging") == []
    await ended(store.jobs)
    assert await store.jobs.unfinished_in(API.id, "production") == []


async def test_jobs_are_found_by_any_part_newest_first(store: Store) -> None:
    web = Repository(8, "acme/web")
    first = await store.jobs.create(request("1", pull_number=5), NOW)
    second = await store.jobs.create(request("2", kind=JobKind.ANALYSIS, environment="staging"), NOW)
    third = await store.jobs.create(request("3", repository=web), NOW)
    await started(store.jobs)

    async def ids(which: JobFilter) -> list[str]:
        return [job.id for job in await store.jobs.find(which)]

    assert await ids(JobFilter()) == [third.id, second.id, first.id]
    assert await ids(JobFilter(repository=API)) == [second.id, first.id]
    assert await ids(JobFilter(environment="staging")) == [second.id]
    assert await ids(JobFilter(kind=JobKind.DEPLOY)) == [third.id, first.id]
    assert await ids(JobFilter(pull_number=5)) == [first.id]
    assert await ids(JobFilter(states=(JobState.PENDING,))) == [third.id, second.id]
    assert await ids(JobFilter(states=(JobState.PENDING, JobState.PROCESSING))) == [third.id, second.id, first.id]
    assert await ids(JobFilter(repository=web, states=(JobState.PROCESSING,))) == []
    assert await ids(JobFilter(limit=1)) == [third.id]
    assert await ids(JobFilter(before=third.id)) == [second.id, first.id]
    assert await ids(JobFilter(before="dep_nobody")) == []
    assert await ids(JobFilter(limit=0)) == []


async def test_a_repository_is_known_by_each_name_it_had_whatever_the_case(store: Store) -> None:
    old, new, other = API, Repository(API.id, "acme/backend"), Repository(9, "acme/api")
    first = await store.jobs.create(request("1", repository=old), NOW)
    second = await store.jobs.create(request("2", repository=new), NOW)
    for name in ("acme/api", "ACME/Api", "acme/Backend"):
        assert await store.jobs.called(name) == new
    assert await store.jobs.called("acme/web") is None
    assert [job.id for job in await store.jobs.find(JobFilter(old))] == [second.id, first.id]
    await store.jobs.create(request("3", repository=other), NOW)
    assert await store.jobs.called("acme/api") == other
    assert await store.jobs.called("acme/backend") == new


async def test_what_was_only_cloned_is_found_by_its_address(store: Store) -> None:
    one, two = Repository(0, "git.example.org/one"), Repository(0, "git.example.org/two")
    job = await store.jobs.create(request("1", repository=one), NOW)
    await store.jobs.create(request("2", repository=two), NOW)
    assert await store.jobs.called("git.example.org/ONE") == one
    assert [found.id for found in await store.jobs.find(JobFilter(one))] == [job.id]


async def test_a_claimed_job_that_was_not_started_is_not_replaced_while_its_lease_holds(store: Store) -> None:
    taken = await store.jobs.create(request(), NOW)
    await claimed(store.jobs)
    await store.jobs.create(request(supersedes=True), NOW)
    await store.jobs.ask_cancel(taken.id, "bob", NOW)
    job = await store.jobs.get(taken.id)
    assert job is not None
    assert (job.state, job.cancel_asked_by) == (JobState.PENDING, "bob")
    await store.jobs.advance(taken.id, 1, JobState.PROCESSING, None, [STARTED], NOW)
