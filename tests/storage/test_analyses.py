"""Reports are kept whole and found again: by job, by ref, by commit; those nobody asked for do not pile up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.model import Repository
from bot.store.analyses import StoredAnalysis
from storage.opened import OpenStore
from tests.storage.sample import API, request

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHA = "a" * 40
REPORT = StoredAnalysis("dep_one", "acme/api", "main", SHA, NOW, {"lines": 3, "name": "Zoë"}, is_default=True)


async def test_a_report_is_found_by_its_job_as_it_was_kept(opened: OpenStore) -> None:
    await opened.store.analyses.put(REPORT)
    assert await opened.store.analyses.of_job("dep_one") == [REPORT]
    assert await opened.store.analyses.of_job("dep_two") == []


async def test_keeping_a_report_again_replaces_it(opened: OpenStore) -> None:
    for lines in (1, 2):
        await opened.store.analyses.put(replace(REPORT, body={"lines": lines}))
    (kept,) = await opened.store.analyses.of_job("dep_one")
    assert kept.body == {"lines": 2}


async def test_the_newest_is_found_by_branch_by_commit_and_for_the_default_branch(opened: OpenStore) -> None:
    analyses = opened.store.analyses
    await analyses.put(REPORT)
    await analyses.put(replace(REPORT, job_id="dep_two", body={"lines": 4}))
    await analyses.put(replace(REPORT, job_id="dep_three", ref="topic", sha="b" * 40, is_default=False))
    for asked, job in ((None, "dep_two"), ("main", "dep_two"), (SHA, "dep_two"), ("topic", "dep_three")):
        found = await analyses.newest("Acme/API", asked)
        assert found is not None
        assert found.job_id == job
    assert await analyses.newest("acme/api", "gone") is None
    assert await analyses.newest("acme/web") is None


async def test_a_renamed_repositorys_reports_are_found_by_both_its_names(opened: OpenStore) -> None:
    jobs, analyses = opened.store.jobs, opened.store.analyses
    await jobs.create(request("1"), NOW)
    await analyses.put(replace(REPORT, repository_id=API.id))
    await jobs.create(request("2", repository=Repository(API.id, "acme/backend")), NOW)
    for name in ("acme/api", "acme/backend"):
        found = await analyses.newest(name)
        assert found is not None
        assert found.job_id == REPORT.job_id
    await jobs.create(request("3", repository=Repository(9, "acme/api")), NOW)
    assert await analyses.newest("acme/api") is None


async def test_of_the_reports_nobody_asked_for_the_last_one_of_a_branch_stays(opened: OpenStore) -> None:
    analyses = opened.store.analyses
    await analyses.put(REPORT)
    for job in ("dep_two", "dep_three"):
        await analyses.put(replace(REPORT, job_id=job, is_passing=True))
    assert await analyses.of_job("dep_two") == []
    assert len(await analyses.of_job("dep_three")) == len(await analyses.of_job("dep_one")) == 1


async def test_a_login_is_known_until_it_is_old(opened: OpenStore) -> None:
    logins = opened.store.commit_logins
    await logins.put({"Alice@Example.com": "alice", "nobody@example.com": None}, NOW)
    asked = ["alice@example.com", "nobody@example.com", "new@example.com"]
    assert await logins.known(asked, NOW) == {"alice@example.com": "alice", "nobody@example.com": None}
    assert await logins.known(asked, NOW + timedelta(seconds=1)) == {}


async def test_thousands_of_addresses_may_be_asked_about_at_once(opened: OpenStore) -> None:
    emails = [f"{number}@example.com" for number in range(1500)]
    await opened.store.commit_logins.put(dict.fromkeys(emails, "someone"), NOW)
    assert len(await opened.store.commit_logins.known(emails, NOW)) == 1500
