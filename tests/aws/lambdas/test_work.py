"""The stream's records lead to one build each, whatever comes twice, late, in another order, or goes wrong."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aws.lambdas.finding import Finder
from aws.lambdas.work import Bench
from bot.asked import Asked, Place, Waits
from bot.errors import Transient
from bot.model import JobState
from tests.aws.lambdas.doomed import Death, Fate
from tests.aws.lambdas.quay import ASKER, Quay, Reply, http_event
from tests.aws.lambdas.stream import Record, doubled, reversed_order
from tests.world import REPO

BUILT = ["PENDING", "PROCESSING", "BUILDING"]


async def builds_of(quay: Quay) -> list[str | None]:
    """Which deployment each build is of, oldest first."""
    return [build.job_id for build in await quay.builds()]


async def failed(quay: Quay, **body: Any) -> tuple[str, str]:
    """Ask for this, and why it failed: the code, and the sentence."""
    reply = await asks(quay, **body)
    await quay.works()
    asked = await quay.asked(reply.id)
    assert (asked.state, asked.waits) == (JobState.FAILED, Waits.SERVER)
    assert await builds_of(quay) == []
    return asked.outcome["errorCode"], asked.outcome["errorMessage"]


async def asks(quay: Quay, language: str = "en", **body: Any) -> Reply:
    asked = {"userId": "alice", "repo": REPO, "branch": "main", **body}
    return await quay.request(http_event(asked, accept_language=language))


async def test_a_build_begins_at_the_commit_the_branch_is_at(quay: Quay) -> None:
    sha = await quay.push("one")
    reply = await quay.ask()
    await quay.works()
    asked = await quay.asked(reply.id)
    assert await quay.walked(reply.id) == BUILT
    assert asked.found is not None
    assert (asked.found.sha, asked.found.login, asked.found.environment) == (sha, "alice", "production")
    assert (asked.waits, asked.build_id) == (Waits.SERVER, (await quay.built(reply.id)).id)
    assert asked.steps[0].at <= asked.steps[1].at <= asked.steps[2].at


@pytest.mark.parametrize("arrange", [doubled, lambda records: [*reversed_order(records), *records]])
async def test_records_that_come_twice_or_in_another_order_begin_one_build_each(
    quay: Quay, arrange: Callable[[list[Record]], list[Record]]
) -> None:
    ids = [(await quay.ask()).id for _ in range(3)]
    quay.pump.arrange = arrange
    await quay.works()
    assert sorted(filter(None, await builds_of(quay))) == sorted(ids)
    assert [await quay.walked(one) for one in ids] == [BUILT] * 3


async def test_a_record_that_comes_again_days_later_changes_nothing(quay: Quay) -> None:
    reply = await quay.ask()
    (records,) = (await quay.pump.new()).values()
    async with quay.bench() as bench:
        await quay.pump.deliver(records, bench.settle)
        before = await quay.asked(reply.id)
        await quay.pump.deliver(records, bench.settle)
    assert await quay.asked(reply.id) == before
    assert len(await builds_of(quay)) == 1


async def test_a_record_nobody_understands_is_put_aside_and_holds_up_no_other(quay: Quay) -> None:
    ids = [(await quay.ask()).id for _ in range(3)]
    broken = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "7", "Keys": {}}}
    quay.pump.arrange = lambda records: [records[0], broken, *records[1:]]
    await quay.works()
    assert quay.pump.aside == [broken]
    assert [await quay.walked(one) for one in ids] == [BUILT] * 3


async def test_a_bug_ends_the_deployment_it_strikes_and_no_other(quay: Quay) -> None:
    ids = [(await quay.ask()).id for _ in range(2)]

    async def breaks(asked: Asked, _: object) -> str:
        if asked.id == ids[0]:
            raise RuntimeError("password=hunter2")
        return "api:1"

    await quay.works(build=breaks)
    struck = await quay.asked(ids[0])
    assert (struck.state, struck.outcome["errorCode"]) == (JobState.FAILED, "UNEXPECTED_ERROR")
    assert "RuntimeError" in struck.outcome["errorMessage"]
    assert "hunter2" not in json.dumps(dict(struck.outcome))
    assert await quay.walked(ids[1]) == BUILT


async def test_who_may_not_deploy_is_told_so(quay: Quay) -> None:
    code, words = await failed(quay, userId="bob")
    assert code == "PERMISSION_NEEDED"
    assert "bob" in words


async def test_what_ended_before_there_was_a_job_stands_in_the_audit_trail_once(quay: Quay) -> None:
    reply = await asks(quay, branch="gone")
    await quay.works()
    await quay.looks()
    noted = await quay.asked(reply.id)
    assert noted.waits is None
    assert await quay.table.change(noted, replace(noted, waits=Waits.SERVER)) is not None
    await quay.looks()
    (record,) = await quay.store.audit.of_job(reply.id)
    entry = record.entry
    assert (entry.actor, entry.face, entry.command, entry.outcome) == ("alice", "table", "deploy", "refused")
    assert (entry.reason, entry.repository, entry.rules["asker"]) == ("ref_not_found", REPO, ASKER)
    assert await quay.jobs() == []


async def test_the_reason_is_in_the_language_it_was_asked_in(quay: Quay) -> None:
    code, words = await failed(quay, language="ko", branch="gone")
    assert code == "REF_NOT_FOUND"
    assert "gone" in words
    assert any("가" <= letter <= "힣" for letter in words)


async def test_a_user_without_the_app_is_unknown(quay: Quay) -> None:
    quay.github.person("carol")
    assert (await failed(quay, userId="carol", repo="api"))[0] == "USER_UNKNOWN"
    reply = await asks(quay, userId=987_654_321, repo="api")
    await quay.works()
    assert (await quay.asked(reply.id)).outcome["errorCode"] == "USER_UNKNOWN"


@pytest.mark.parametrize("known", [True, False])
async def test_an_account_by_its_number_may_name_a_repository_alone(quay: Quay, known: bool) -> None:
    if known:
        await quay.looks()
    account = quay.github.installation("acme").account
    quay.github.set_permission(REPO, account.login, "admin")
    reply = await asks(quay, userId=account.id, repo="api")
    await quay.works()
    asked = await quay.asked(reply.id)
    assert await quay.walked(reply.id) == BUILT, asked.outcome
    assert asked.found is not None
    assert (asked.found.login, asked.found.repository.full_name) == ("acme", REPO)


async def test_a_repository_the_installation_does_not_cover_is_not_installed(quay: Quay) -> None:
    await quay.github.create_repo("acme/other", files={"Dockerfile": "FROM scratch\n"})
    await quay.github.select_repositories("acme", ["acme/other"])
    assert (await failed(quay))[0] == "REPOSITORY_NOT_INSTALLED"
    reply = await asks(quay, repo="acme/nothing")
    await quay.works()
    assert (await quay.asked(reply.id)).outcome["errorCode"] == "REPOSITORY_NOT_INSTALLED"


async def test_an_empty_repository_has_nothing_to_deploy(quay: Quay) -> None:
    await quay.github.create_repo("acme/empty")
    quay.github.set_permission("acme/empty", "alice", "write")
    assert (await failed(quay, repo="acme/empty"))[0] == "REF_NOT_FOUND"


async def test_an_environment_nobody_set_up_is_unknown(quay: Quay) -> None:
    code, words = await failed(quay, environment="mars")
    assert code == "UNKNOWN_ENVIRONMENT"
    assert "production" in words


async def test_settings_that_make_no_sense_are_told_with_their_place(quay: Quay) -> None:
    await quay.push_files({".shipmate.yml": "environments:\n  production:\n    prot: 1\n"})
    code, words = await failed(quay)
    assert code == "BAD_CONFIG"
    assert "3" in words


async def test_what_aws_denies_names_the_action(quay: Quay) -> None:
    quay.emulator.goes_wrong({"kind": "deny", "service": "codebuild", "operation": "StartBuild"})
    code, words = await failed(quay)
    assert code == "AWS_DENIED"
    assert "codebuild:StartBuild" in words


async def test_the_table_saves_asking_who_has_the_app(quay: Quay) -> None:
    await quay.looks()
    kept = await quay.places.find("Acme")
    assert kept is not None
    before = len(quay.github.requests)
    await quay.ask()
    await quay.works()
    asked = [request.path for request in quay.github.requests[before:]]
    assert not any(path.endswith("/installation") for path in asked)
    assert await quay.places.find(kept.account_id) == kept


async def test_an_installation_that_was_made_anew_is_found_and_kept(quay: Quay) -> None:
    await quay.looks()
    stale = await quay.places.find("acme")
    await quay.github.uninstall("acme")
    await quay.github.install("acme")
    reply = await quay.ask()
    await quay.works()
    assert await quay.walked(reply.id) == BUILT
    now = await quay.places.find("acme")
    assert now is not None
    assert now != stale
    assert now.installation_id == quay.github.installation("acme").id


async def test_a_suspended_installation_is_none(quay: Quay) -> None:
    await quay.github.suspend("acme")
    await quay.looks()
    assert (await failed(quay, repo="api", userId="acme"))[0] == "USER_UNKNOWN"
    assert (await failed(quay))[0] == "REPOSITORY_NOT_INSTALLED"
    await quay.github.suspend("acme", on=False)
    reply = await quay.ask()
    await quay.works()
    assert await quay.walked(reply.id) == BUILT


async def test_the_server_keeps_the_table_of_installations_as_github_has_them(quay: Quay) -> None:
    await quay.places.put(Place(1, "gone", 2))
    await quay.looks()
    assert [place.login for place in await quay.places.all()] == ["acme"]
    await quay.github.uninstall("acme")
    await quay.looks()
    assert await quay.places.all() == []


@pytest.mark.parametrize("builds", [{}, {"builder": "codebuild", "provision": True}])
async def test_what_another_builder_makes_or_one_without_a_role_yet_is_left_to_the_server(
    quay: Quay, builds: dict[str, Any]
) -> None:
    await quay.lies(builds=builds)
    reply = await quay.ask()
    await quay.works()
    asked = await quay.asked(reply.id)
    assert (asked.state, asked.waits, asked.build_id) == (JobState.PROCESSING, Waits.SERVER, None), asked.outcome
    assert await builds_of(quay) == []


@pytest.mark.parametrize(
    "files",
    [
        {"one/Dockerfile": "FROM scratch\nCMD serve one\n", "two/Dockerfile": "FROM scratch\nCMD serve two\n"},
        {"README.md": "nothing to see"},
    ],
)
async def test_where_only_a_checkout_can_tell_the_server_does(quay: Quay, files: dict[str, str]) -> None:
    await quay.github.push(REPO, branch="odd", files={"Dockerfile": None, **files})
    reply = await quay.ask("odd")
    await quay.works()
    asked = await quay.asked(reply.id)
    assert (asked.state, asked.waits, asked.build_id) == (JobState.PROCESSING, Waits.SERVER, None)


async def test_a_dockerfile_is_generated_where_there_is_none(quay: Quay) -> None:
    files = {"Dockerfile": None, "requirements.txt": "flask==3.0\n", "app.py": FLASK}
    await quay.github.push(REPO, branch="flask", files=files)
    reply = await quay.ask("flask")
    await quay.works()
    build = await quay.built(reply.id)
    assert await quay.walked(reply.id) == BUILT
    assert build.status == "SUCCEEDED", build.failed_phase


FLASK = """\
from flask import Flask
app = Flask(__name__)
if __name__ == "__main__":
    app.run(port=8000)
"""


async def test_codebuild_that_is_down_for_a_while_is_asked_again(quay: Quay) -> None:
    reply = await quay.ask()
    quay.emulator.goes_wrong({"kind": "fault", "service": "codebuild", "times": 12})
    await quay.works()
    assert await quay.walked(reply.id) == BUILT
    assert quay.pump.aside == []


async def test_codebuild_that_stays_down_leaves_the_record_aside_and_the_deployment_waiting(quay: Quay) -> None:
    reply = await quay.ask()

    async def is_down(*_: object) -> str:
        raise Transient("aws_unavailable", operation="codebuild.StartBuild", message="down")

    await quay.works(build=is_down)
    asked = await quay.asked(reply.id)
    assert (asked.state, asked.waits) == (JobState.PROCESSING, Waits.WORK)
    (aside,) = quay.pump.aside
    assert aside["dynamodb"]["Keys"]["deploymentId"]["S"] == reply.id


@pytest.mark.parametrize("kinds", [("cut",), ("throttle", "reset")])
async def test_each_call_may_go_wrong_once(quay: Quay, kinds: tuple[str, ...]) -> None:
    """One deployment for each call that a deployment takes, each with another call that goes wrong."""
    async with quay.bench() as bench:
        for number, kind in enumerate(itertools.cycle(kinds)):
            reply = await quay.ask()
            records = [one for batch in (await quay.pump.new()).values() for one in batch if is_of(one, reply.id)]
            quay.emulator.goes_wrong({"kind": kind, "skip": number})
            await quay.pump.deliver(records, replace(bench, build=quay.new_builds()).settle)
            fired = quay.emulator.fired()
            quay.emulator.goes_wrong()
            assert await quay.walked(reply.id) == BUILT
            assert (await builds_of(quay)).count(reply.id) == 1
            if fired == [0]:
                assert number > 8
                return


def is_of(record: Record, deployment_id: str) -> bool:
    return bool(record["dynamodb"]["Keys"]["deploymentId"]["S"] == deployment_id)


def doomed(bench: Bench, fate: Fate) -> Bench:
    """The same, every step of which may be its last."""
    finder = Finder(bench.finder.github, fate.doom(bench.finder.places))
    return replace(
        bench, table=fate.doom(bench.table), finder=finder, build=fate.doom(bench.build), stop=fate.doom(bench.stop)
    )


async def test_a_death_after_any_step_is_made_good_by_the_next_delivery(quay: Quay) -> None:
    for last_step in range(1, 30):
        reply = await quay.ask()
        records = [one for batch in (await quay.pump.new()).values() for one in batch if is_of(one, reply.id)]
        fate = Fate(last_step)
        try:
            async with quay.bench() as bench:
                await quay.pump.deliver(records, doomed(bench, fate).settle)
        except Death:
            await quay.push(f"moved on {last_step}")
        else:
            assert last_step > 6
            break
        async with quay.bench() as bench:
            await quay.pump.deliver(records, bench.settle)
        asked = await quay.asked(reply.id)
        assert [step.state.value for step in asked.steps] == BUILT
        assert (await builds_of(quay)).count(reply.id) == 1
        build = await quay.built(reply.id)
        assert asked.found is not None
        assert asked.found.sha == (await quay.commit_of(build.id))
    else:
        raise AssertionError("it never came to an end")
