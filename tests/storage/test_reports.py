"""Each face tells each job to its end, at its own pace."""

from __future__ import annotations

from bot.model import JobState
from bot.store.store import Store
from storage.opened import open_store
from tests.storage.sample import ENDED, LOG, NOW, after, ended, request, started

CHECK, COMMENT = "check_run", "comment"


async def behind(store: Store, face: str, seconds: float = 0) -> list[tuple[str, int, int]]:
    return [(r.job.id, r.told_seq, r.last_seq) for r in await store.reports.behind(face, after(seconds))]


async def test_every_face_is_behind_a_new_job_until_it_told_it(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    assert await behind(store, CHECK) == await behind(store, COMMENT) == [(job.id, 0, 1)]
    await store.reports.told(CHECK, job.id, 1, {"check_run_id": 5})
    assert await behind(store, CHECK) == []
    assert await behind(store, COMMENT) == [(job.id, 0, 1)]
    assert await store.reports.state(CHECK, job.id) == {"check_run_id": 5}


async def test_each_new_event_leaves_a_face_behind_again(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await store.reports.told(CHECK, job.id, 1, {})
    await started(store.jobs)
    assert await behind(store, CHECK) == [(job.id, 1, 2)]
    await store.reports.told(CHECK, job.id, 2, {})
    await store.jobs.finish(job.id, 1, JobState.FAILED, [LOG, ENDED], NOW, result={})
    [report] = await store.reports.behind(CHECK, NOW)
    assert (report.job.state, report.told_seq, report.last_seq) == (JobState.FAILED, 2, 4)


async def test_events_that_came_while_the_face_was_telling_are_not_lost(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await behind(store, CHECK)
    await started(store.jobs)
    await store.reports.told(CHECK, job.id, 1, {})
    assert await behind(store, CHECK) == [(job.id, 1, 2)]


async def test_a_report_put_off_is_due_when_it_was_said_and_counts_its_attempts(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await store.reports.postpone(CHECK, job.id, after(30), "rate_limited")
    await store.reports.postpone(CHECK, job.id, after(60), "rate_limited")
    assert await behind(store, CHECK, 59) == []
    [report] = await store.reports.behind(CHECK, after(60))
    assert report.attempts == 2
    await store.reports.told(CHECK, job.id, 1, {})
    await store.reports.rewind(CHECK, job.id)
    [report] = await store.reports.behind(CHECK, NOW)
    assert report.attempts == 0


async def test_an_id_is_kept_before_anything_is_told(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    assert await store.reports.state(CHECK, job.id) is None
    await store.reports.keep_state(CHECK, job.id, {"check_run_id": 5})
    [report] = await store.reports.behind(CHECK, NOW)
    assert (report.told_seq, report.state) == (0, {"check_run_id": 5})


async def test_a_rewound_job_is_told_again_with_the_ids_it_had(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await store.reports.told(CHECK, job.id, 1, {"check_run_id": 5})
    await store.reports.rewind(CHECK, job.id)
    [report] = await store.reports.behind(CHECK, NOW)
    assert (report.told_seq, report.state) == (0, {"check_run_id": 5})


async def test_a_face_that_is_new_is_told_what_runs_and_what_ended_lately_but_not_all_history(store: Store) -> None:
    await store.jobs.create(request("old"), after(-90_000))
    await ended(store.jobs)
    running = await store.jobs.create(request("running"), after(-90_000))
    await started(store.jobs)
    lately = await store.jobs.create(request("lately"), after(-60))
    await ended(store.jobs)
    assert [job_id for job_id, _, _ in await behind(store, CHECK)] == [running.id, lately.id]


async def test_a_face_away_for_long_is_told_all_it_missed(store: Store) -> None:
    await behind(store, CHECK)
    await store.jobs.create(request(), NOW)
    first = await store.jobs.create(request("a"), NOW)
    await store.reports.told(CHECK, first.id, 1, {})
    assert len(await behind(store, CHECK, 10 * 86_400)) == 1


async def test_cursors_stand_after_a_restart(store: Store, url: str) -> None:
    job = await store.jobs.create(request(), NOW)
    await store.reports.told(CHECK, job.id, 1, {"check_run_id": 5})
    again = await open_store(url)
    assert await behind(again.store, CHECK) == []
    assert await behind(again.store, COMMENT) == [(job.id, 0, 1)]
    await again.close()


async def test_reports_are_told_oldest_job_first_and_no_more_than_asked(store: Store) -> None:
    jobs = [await store.jobs.create(request(lane), NOW) for lane in "abc"]
    found = await store.reports.behind(CHECK, NOW, limit=2)
    assert [report.job.id for report in found] == [job.id for job in jobs[:2]]
