"""Deployments through a connection: in the account that was lent, for whom it was lent, under keys that are renewed."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiobotocore.session import AioSession

from aws.clients import AwsAccess, AwsClients
from aws.credentials import Role, account_of, assumed, sealed_keys
from bot.clock import utc_now
from bot.composition.desks import connection_desk
from bot.composition.house import House
from bot.connections import AwsOffer, ConnectionDesk, Hand, Terms
from bot.errors import Refused, Transient
from bot.model import Job
from bot.store.connections import AwsConnection
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator
from tests.aws.guard import Guard
from tests.aws.harbour import Harbour
from tests.aws.network import CONTAINER_PORT, Network
from tests.fake_engine import dockerfile
from tests.patience import ENOUGH_S
from tests.world import REPO

ROLE = "arn:aws:iam::123456789012:role/deployer"
EXTERNAL_ID = "acme-external-7"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLE9"
ALICE = Hand("alice", "shell")
GATE = {"requests": 3, "p95_slack_ms": 10_000}
"""How fast a busy machine answers decides nothing here."""


class LentHarbour(Harbour):
    """A harbour of a server that has no account of its own."""

    async def _opened(self, stack: AsyncExitStack) -> House:
        house = await super()._opened(stack)
        return replace(house, engines={name: one for name, one in house.engines.items() if name != "ecs"})


@pytest.fixture
async def harbour(
    emulator: Emulator,
    clients: AwsClients,
    network: Network,
    guard: Guard,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Harbour]:
    """A server whose own identity may assume roles, and nothing else is asked of it."""

    def new_session() -> AioSession:
        return guard.watch(AioSession())

    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASERVERSERVER0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the server's own")
    folder = Path(tempfile.mkdtemp(prefix="lent"))
    async with LentHarbour(folder, emulator, clients, network, new_session) as harbour:
        yield harbour
    shutil.rmtree(folder, ignore_errors=True)


async def lend(harbour: Harbour, *borrowers: str, name: str | None = "prod", replaces: bool = False) -> AwsConnection:
    """A role, lent to these."""
    offer = AwsOffer(REGION, role_arn=ROLE, external_id=EXTERNAL_ID)
    return await desk(harbour).add_aws(offer, ALICE, Terms(name, borrowers, replaces))


async def lend_keys(harbour: Harbour, key: str, *, replaces: bool = False) -> AwsConnection:
    """Keys, lent to the repository."""
    return await desk(harbour).add_aws(AwsOffer(REGION, key, SECRET), ALICE, Terms("prod", (REPO,), replaces))


def desk(harbour: Harbour) -> ConnectionDesk:
    return connection_desk(harbour.house.settings, harbour.store, harbour.masker, harbour.house.github)


async def newest(harbour: Harbour) -> Job:
    return (await harbour.jobs())[-1]


async def begun(harbour: Harbour) -> None:
    """Return once the platform rolls out."""
    async with asyncio.timeout(ENOUGH_S):
        while "ecs.UpdateService" not in harbour.emulator.calls():  # noqa: ASYNC110 - nobody here could set an event
            await asyncio.sleep(0.02)


async def test_a_deployment_is_in_the_account_that_its_environment_names(harbour: Harbour) -> None:
    harbour.emulator.gives_sessions(trusts={ROLE: EXTERNAL_ID})
    connection = await lend(harbour, REPO)
    harbour.emulator.gives_sessions(signed=[])
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    assert await harbour.states() == ["COMPLETED"]
    assert await harbour.answers_people() == "200 zero"
    by_session, by_others = harbour.emulator.signed_by_sessions()
    assert set(by_others) == {"sts.AssumeRole"}
    assert {"ecr.GetAuthorizationToken", "ecs.CreateService"} <= set(by_session)
    session = harbour.emulator.sessions()[-1]
    tags = {"shipmate:repository": REPO, "shipmate:environment": "production"}
    assert session == {"role": ROLE, "external_id": EXTERNAL_ID, "tags": tags}
    assert (await newest(harbour)).spec["environment"]["connection"] == connection.id


async def test_a_repository_nothing_was_lent_to_is_refused_and_nothing_begins(harbour: Harbour) -> None:
    await lend(harbour)
    await harbour.sail(ecs={"connection": "prod"})
    assert await harbour.jobs() == []
    run = harbour.check_run()
    assert f"No connection prod is lent to {REPO}" in str(run.summary)
    assert await harbour.outcomes("push") == ["refused connection_not_lent"]
    trail = await harbour.store.audit.newest(REPO, None, 1)
    assert trail[0].entry.reason == "connection_not_lent"


async def test_who_the_app_does_not_know_can_be_lent_nothing(harbour: Harbour) -> None:
    for name in ("acme/nothing", "nobody"):
        with pytest.raises(Refused, match="connection_for_unknown"):
            await lend(harbour, name)


async def test_what_a_pull_request_names_counts_for_nothing(harbour: Harbour) -> None:
    """Its branch may say what it likes, and so may the branch it asks to be merged into, protected or not."""
    connection = await lend(harbour, REPO)
    other = await lend(harbour, REPO, name="other")
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    settings = harbour.settings_of(gate=GATE, ecs={"connection": other.id})
    await harbour.push_files({".shipmate.yml": settings}, branch="release")
    harbour.github.repository(REPO).protected.add("release")
    await harbour.push_files({".shipmate.yml": settings}, branch="feature")
    opened = await harbour.github.open_pull(REPO, head="feature", base="release", by="alice")
    await harbour.say(opened.number, "/deploy")
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert (await newest(harbour)).spec["environment"]["connection"] == connection.id


async def test_a_session_that_ends_in_the_middle_is_followed_by_another(harbour: Harbour) -> None:
    await lend(harbour, REPO)
    harbour.emulator.is_like(minute_s=1.5)
    await harbour.sail(ecs={"connection": "prod"})
    before = len(harbour.emulator.sessions())
    harbour.emulator.gives_sessions(lasts_s=2)
    await lend(harbour, REPO, replaces=True)
    traffic = {"strategy": "canary", "percent": 20, "every": "1m", "bake": "1m"}
    await harbour.sail(gate=GATE, ecs={"connection": "prod"}, traffic=traffic)
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert len(harbour.emulator.sessions()) - before >= 3


async def test_the_emulated_aws_refuses_a_session_that_is_over(clients: AwsClients, emulator: Emulator) -> None:
    emulator.gives_sessions(lasts_s=0)
    over = await assumed(Role(ROLE), clients)()
    access = AwsAccess(
        REGION, emulator.url, sealed_keys(over.access_key_id, over.secret_access_key, over.session_token)
    )
    with pytest.raises(Transient, match="aws_credentials_expired"):
        await account_of(access)


async def test_keys_are_changed_under_a_deployment_and_it_goes_on(harbour: Harbour) -> None:
    first = await lend_keys(harbour, "AKIAFIRSTFIRSTFIRST1")
    await harbour.sail(gate=GATE, ecs={"connection": "prod"}, traffic={"bake": "1m"})
    harbour.emulator.is_like(minute_s=1)
    await harbour.push("one")
    await begun(harbour)
    second = await lend_keys(harbour, "AKIASECONDSECOND0002", replaces=True)
    harbour.emulator.gives_sessions(dead_keys=["AKIAFIRSTFIRSTFIRST1"])
    await harbour.settle()
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert (second.id, second.account_id) == (first.id, first.account_id)
    assert await harbour.answers_people() == "200 one"


async def test_keys_that_aws_takes_no_more_end_it_with_a_sentence(harbour: Harbour) -> None:
    await lend_keys(harbour, "AKIAFIRSTFIRSTFIRST1")
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    harbour.emulator.gives_sessions(dead_keys=["AKIAFIRSTFIRSTFIRST1"])
    sha = await harbour.ship("one")
    job = await newest(harbour)
    assert (job.state.value, job.error_code) == ("FAILED", "connection_denied")
    assert "security token" in str(harbour.check_run(sha).summary)
    assert await harbour.answers_people() == "200 zero"


async def test_a_connection_that_is_removed_ends_the_deployment_by_its_name(harbour: Harbour) -> None:
    connection = await lend(harbour, REPO)
    await harbour.sail(gate=GATE, ecs={"connection": "prod"}, traffic={"bake": "1m"})
    harbour.emulator.is_like(minute_s=600)
    await harbour.push("one")
    await begun(harbour)
    await desk(harbour).remove(connection.id, ALICE)
    await harbour.settle()
    job = await newest(harbour)
    assert (job.state.value, job.error_code) == ("FAILED", "undo_failed")
    assert connection.id in str(job.error_message)
    assert "look at the service on ECS" in str(job.error_message)


async def test_a_connection_removed_before_anything_began_is_just_told(harbour: Harbour) -> None:
    connection = await lend(harbour, REPO)
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    await harbour.push("one", "wait")
    await harbour.until_it_builds()
    await desk(harbour).remove(connection.id, ALICE)
    harbour.engine.go_on.set()
    await harbour.settle()
    job = await newest(harbour)
    assert (job.state.value, job.error_code) == ("FAILED", "connection_removed")
    assert await harbour.answers_people() == "200 zero"
    assert job.result["finalService"] == "blue"
    assert harbour.engine.images == {}


async def test_an_image_in_one_account_is_none_for_another(harbour: Harbour) -> None:
    here = harbour.settings_of(ecs={"connection": (await lend(harbour, REPO)).id})
    other = await lend(harbour, REPO, name="other")
    there = yaml.safe_load(harbour.settings_of(ecs={"connection": other.id}, branch="none"))
    both = {**yaml.safe_load(here)["environments"], "there": there["environments"]["production"]}
    await harbour.push_files({".shipmate.yml": yaml.safe_dump({"environments": both})})
    await harbour.settle()
    number = await harbour.github.open_issue(REPO, "Everywhere")
    await harbour.say(number, "/promote production to there")
    assert "lies in another AWS account" in harbour.answer(number)
    assert await harbour.states() == ["COMPLETED"]
    await harbour.comment(number, "/deploy main to there")
    await harbour.until(lambda: len(harbour.engine.built) == 2)
    await harbour.settle()


async def test_what_is_lent_to_others_meanwhile_ends_before_anything_changes(harbour: Harbour) -> None:
    await harbour.github.create_repo("acme/other", files={"a": "b"})
    await lend(harbour, REPO)
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    await harbour.push("one", "wait")
    await harbour.until_it_builds()
    await lend(harbour, "acme/other", replaces=True)
    harbour.engine.go_on.set()
    await harbour.settle()
    assert (await newest(harbour)).error_code == "connection_not_lent"
    assert await harbour.made() == (1, 1, 1)
    number = (await harbour.open_pull("two")).number
    await harbour.say(number, "/deploy")
    assert "is lent to acme/api" in harbour.answer(number)


async def test_whatever_sts_does_in_the_middle_nothing_is_lost(harbour: Harbour) -> None:
    await lend(harbour, REPO)
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    await lend(harbour, REPO, replaces=True)
    faults = {"throttle": 2, "cut": 2, "reset": 4}
    harbour.emulator.goes_wrong(*({"kind": kind, "operation": "AssumeRole", "times": n} for kind, n in faults.items()))
    await harbour.ship("one")
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert harbour.emulator.fired() == [2, 2, 4]
    assert await harbour.answers_people() == "200 one"
    await lend(harbour, REPO, replaces=True)
    harbour.emulator.goes_wrong({"kind": "deny", "operation": "AssumeRole", "times": 99})
    sha = await harbour.ship("two")
    assert (await newest(harbour)).error_code == "connection_denied"
    assert "not authorized to perform: sts:AssumeRole" in str(harbour.check_run(sha).summary)
    assert await harbour.answers_people() == "200 one"


async def test_a_release_is_rolled_back_where_it_ran_and_a_rehearsal_enters_nobody_elses_account(
    harbour: Harbour,
) -> None:
    connection = await lend(harbour, REPO)
    await harbour.sail(gate=GATE, ecs={"connection": "prod"})
    await harbour.ship("one")
    number = (await harbour.open_pull("two")).number
    harbour.emulator.gives_sessions(signed=[])
    await harbour.say(number, "/deploy --noop")
    await harbour.say(number, "/rollback")
    assert await harbour.states() == ["COMPLETED"] * 4
    assert await harbour.answers_people() == "200 zero"
    assert (await newest(harbour)).spec["environment"]["connection"] == connection.id
    assert set(harbour.emulator.signed_by_sessions()[1]) <= {"sts.AssumeRole"}


async def test_a_server_that_dies_in_the_middle_goes_in_again(harbour: Harbour) -> None:
    """What is lent to an account is lent to its repositories; the settings may name it by its id."""
    connection = await lend(harbour, "acme", name=None)
    await harbour.sail(gate=GATE, ecs={"connection": connection.id}, traffic={"bake": "1m"})
    harbour.emulator.is_like(minute_s=1)
    await harbour.push("one")
    await begun(harbour)
    await harbour.abandon()
    await harbour.start()
    await harbour.settle()
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert await harbour.made() == (2, 1, 2)


async def test_no_secret_is_in_anything_that_is_written(harbour: Harbour, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await lend_keys(harbour, "AKIAFIRSTFIRSTFIRST1")
        await lend(harbour, REPO, name="by-role")
        await harbour.sail(gate=GATE, ecs={"connection": "by-role"})
        await harbour.sail(gate=GATE, ecs={"connection": "prod"})
        harbour.emulator.goes_wrong({"kind": "deny", "operation": "DescribeServices", "times": 99})
        await harbour.ship("one")
    assert await harbour.states() == ["COMPLETED", "COMPLETED", "FAILED"]
    written = harbour.everything_written() + "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("shipmate")
    )
    assert "prod" in written
    for secret in (SECRET, EXTERNAL_ID, "the server's own"):
        assert secret not in written


async def deployed_by_key(
    harbour: Harbour, connection: AwsConnection, branch: str, *, limits: tuple[str, ...] = (), **more: str | int
) -> None:
    """A deployment taken on that a program asks for with alice's token, under a key of these limits."""
    _, key = await harbour.store.keys.create("her program", utc_now(), limits)
    async with aiohttp.ClientSession(harbour.address, headers={"X-API-Key": key}) as program:
        offer = {"owner": "acme", "repo": "api", "branch": branch, "token": harbour.github.user_token("alice")}
        async with program.post("/api/v1/connect/github", json=offer) as reply:
            github = (await reply.json())["data"]["githubConnectionId"]
        about = {"owner": "acme", "repo": "api", "branch": branch}
        body = {"githubConnectionId": github, "awsConnectionId": connection.id, **about, **more}
        async with program.post("/api/v1/deploy", json=body) as reply:
            assert (reply.status, (await reply.json())["code"]) == (200, 200)


async def test_a_program_deploys_its_own_repository_to_its_own_account(harbour: Harbour) -> None:
    """The connection is lent to nobody: who has the key may name it, and settings may not."""
    network = harbour.network
    settings = harbour.settings_of(gate=GATE, branch="release")
    await harbour.push_files({".shipmate.yml": settings})
    await harbour.github.push(REPO, branch="work", files={"Dockerfile": dockerfile("hers")})
    connection = await lend(harbour, name=None)
    await deployed_by_key(
        harbour,
        connection,
        "work",
        ecsServiceName=f"{network.name}-hers",
        ecsClusterName=network.cluster,
        ecsTaskFamily=f"{network.name}-family",
        containerPort=CONTAINER_PORT,
        desiredCount=1,
    )
    await harbour.settle()
    assert await harbour.states() == ["COMPLETED"]
    assert await harbour.answers_people() == "200 hers"
    services = await harbour.clients.call("ecs", "ListServices", cluster=network.cluster)
    assert [arn.rpartition("/")[2] for arn in services["serviceArns"]] == [f"{network.name}-hers"]
    assert await harbour.count("ListTaskDefinitions", familyPrefix=f"{network.name}-family") == 1
    number = (await harbour.open_pull("two", branch="later")).number
    await harbour.say(number, f"/retry {(await newest(harbour)).id}")
    assert "with an API key" in harbour.answer(number)


async def test_what_a_limited_key_gave_has_to_be_lent_until_something_changes(harbour: Harbour) -> None:
    connection = await lend(harbour, REPO)
    await harbour.push_files({".shipmate.yml": harbour.settings_of(gate=GATE, branch="release")})
    await harbour.github.push(REPO, branch="work", files={"Dockerfile": dockerfile("hers", "wait")})
    await deployed_by_key(harbour, connection, "work", limits=(REPO,), containerPort=CONTAINER_PORT)
    await harbour.until_it_builds()
    await desk(harbour).lend(connection.id, (), ALICE)
    harbour.engine.go_on.set()
    await harbour.settle()
    assert (await newest(harbour)).error_code == "connection_not_lent"
    assert await harbour.made() == (0, 0, 0)


async def test_lending_changing_and_taking_back_stand_in_the_trail(harbour: Harbour) -> None:
    connection = await lend(harbour, REPO)
    await lend(harbour, "acme", replaces=True)
    await desk(harbour).remove(connection.id, ALICE)
    with pytest.raises(Refused, match="connection_unknown"):
        await desk(harbour).remove(connection.id, ALICE)
    trail = [record.entry for record in await harbour.store.audit.newest("", None, 10)][::-1]
    assert [(one.actor, one.command, one.reason) for one in trail] == [
        ("alice", "connect aws", "connection_lent"),
        ("alice", "connect aws", "connection_replaced"),
        ("alice", "disconnect", "connection_removed"),
    ]
    assert trail[0].rules["lent_to"] == [REPO]
    assert trail[1].rules["lent_to"] == ["acme"]
    assert {one.rules["connection"] for one in trail} == {connection.id}


async def test_a_name_is_given_once_and_stays_with_its_account(harbour: Harbour) -> None:
    await lend(harbour, REPO)
    with pytest.raises(Refused, match="connection_name_taken"):
        await lend(harbour, REPO)
    elsewhere = AwsOffer("eu-west-1", role_arn=ROLE)
    with pytest.raises(Refused, match="connection_other_account"):
        await desk(harbour).add_aws(elsewhere, ALICE, Terms("prod", (), replaces=True))
    with pytest.raises(Refused, match="connection_unknown"):
        await lend(harbour, REPO, name="new", replaces=True)
    assert len(await harbour.store.connections.aws()) == 1
