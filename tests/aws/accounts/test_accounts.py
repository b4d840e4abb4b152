"""Accounts are entered with keys that hold at each request: renewed, changed, taken back; and the server's own role."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aws.accounts import MOST_IDLE, LentAccounts
from aws.clients import AwsAccess, AwsClients
from aws.composition import EcsParts, ecs_engine
from aws.lent_keys import LentKeys, renewal
from bot.errors import Permanent
from bot.ports.engines import Errand, RolloutEngine
from bot.ports.images import BuiltImage, LogSink, PushedImage
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator
from tests.fake_engine import FakeBuilder, FakeEngine

ROLE = "arn:aws:iam::123456789012:role/deployer"
KEYS = {"region": REGION, "access_key_id": "AKIAEXAMPLEEXAMPLE00", "secret_access_key": "first-secret"}
BY_ROLE = {"region": REGION, "role_arn": ROLE, "external_id": "acme-external-7"}
ERRAND = Errand("aws_0123456789", "acme/api", "production")


@dataclass
class Memory:
    """A lender that remembers in memory."""

    lent: dict[str, Mapping[str, str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def lend(self, credentials: Mapping[str, str], connection: str = ERRAND.connection) -> None:
        self.lent[connection] = credentials
        self.versions[connection] = self.versions.get(connection, 0) + 1

    async def version_of(self, connection: str) -> int | None:
        return self.versions[connection] if connection in self.lent else None

    async def credentials_of(self, connection: str) -> Mapping[str, str] | None:
        return self.lent.get(connection)


@dataclass
class Nowhere:
    """Where no image is pushed."""

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        raise NotImplementedError


async def forget(image: str) -> None:
    raise NotImplementedError


PARTS = EcsParts("tests", FakeBuilder(FakeEngine()), lambda login: Nowhere(), forget, lambda secret: None)


@pytest.fixture
def lender() -> Memory:
    return Memory()


@pytest.fixture
def server_role(monkeypatch: pytest.MonkeyPatch, emulator: Emulator, no_config_files: None) -> None:
    """The server's own keys are in its environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASERVERSERVER0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the server's own")


@dataclass
class Entered:
    """Accounts of a lender, and the clients that were made for them."""

    accounts: LentAccounts
    clients: list[AwsClients]
    masked: list[str]


@pytest.fixture
async def entered(lender: Memory, emulator: Emulator, server_role: None) -> AsyncIterator[Entered]:
    made: list[AwsClients] = []
    masked: list[str] = []

    def engine(clients: AwsClients, parts: EcsParts) -> RolloutEngine:
        made.append(clients)
        return ecs_engine(clients, parts)

    accounts = LentAccounts(lender, PARTS, masked.append, endpoint_url=emulator.url, engine=engine)
    yield Entered(accounts, made, masked)
    await accounts.close()


async def who(clients: AwsClients) -> str:
    return str((await clients.call("sts", "GetCallerIdentity"))["Arn"])


async def test_a_role_has_a_session_for_each_repository_and_environment(
    entered: Entered, lender: Memory, emulator: Emulator
) -> None:
    lender.lend(BY_ROLE)
    staging = Errand(ERRAND.connection, "acme/api", "staging")
    for errand in (ERRAND, staging, ERRAND):
        async with entered.accounts.entered(errand):
            assert "deployer" in await who(entered.clients[-1])
    assert len(entered.clients) == 2
    assert [one["tags"]["shipmate:environment"] for one in emulator.sessions()] == ["production", "staging"]


async def test_keys_have_one_set_of_clients_for_all(entered: Entered, lender: Memory) -> None:
    lender.lend(KEYS)
    for environment in ("production", "staging"):
        async with entered.accounts.entered(Errand(ERRAND.connection, "acme/api", environment)):
            pass
    assert len(entered.clients) == 1


async def test_those_nobody_is_in_are_kept_for_a_while_and_not_for_ever(entered: Entered, lender: Memory) -> None:
    errands = [Errand(f"aws_{number:010}", "acme/api", "production") for number in range(MOST_IDLE + 2)]
    for errand in errands:
        lender.lend(KEYS, errand.connection)
    async with entered.accounts.entered(errands[0]) as held:
        for errand in errands[1:]:
            async with entered.accounts.entered(errand):
                pass
        async with entered.accounts.entered(errands[0]) as again:
            assert again is held
    made = len(entered.clients)
    for errand in (errands[-1], errands[1]):
        async with entered.accounts.entered(errand):
            pass
    assert len(entered.clients) - made == 1


async def test_who_enters_what_another_has_closed_gets_in_all_the_same(entered: Entered, lender: Memory) -> None:
    errands = [Errand(f"aws_{number:010}", "acme/api", "production") for number in range(MOST_IDLE + 3)]
    for errand in errands:
        lender.lend(KEYS, errand.connection)

    async def come_and_go(errand: Errand) -> None:
        async with entered.accounts.entered(errand) as engine:
            with pytest.raises(Permanent, match="cluster_missing"):
                await engine.rollouts.serving(f"arn:aws:ecs:{REGION}:123456789012:service-deployment/none/none/none")

    for together in (errands, [*errands, *reversed(errands)], errands[:3]):
        await asyncio.gather(*(come_and_go(errand) for errand in together))
    made = len(entered.clients)
    await asyncio.gather(*(come_and_go(errand) for errand in errands[:3]))
    assert len(entered.clients) == made


async def test_a_connection_that_is_gone_opens_nothing_and_ends_what_is_open(entered: Entered, lender: Memory) -> None:
    lender.lend(KEYS)
    async with entered.accounts.entered(ERRAND):
        await who(entered.clients[0])
        lender.lent.clear()
        with pytest.raises(Permanent, match="connection_removed"):
            await who(entered.clients[0])
    with pytest.raises(Permanent, match="connection_removed"):
        async with entered.accounts.entered(ERRAND):
            pass


async def test_keys_that_changed_count_from_the_next_request_on_and_are_masked(
    entered: Entered, lender: Memory, emulator: Emulator
) -> None:
    lender.lend(KEYS)
    async with entered.accounts.entered(ERRAND):
        await who(entered.clients[0])
        lender.lend({**KEYS, "access_key_id": "AKIASECONDSECOND0002", "secret_access_key": "second-secret"})
        emulator.gives_sessions(dead_keys=["AKIAEXAMPLEEXAMPLE00"])
        await who(entered.clients[0])
    assert entered.masked == ["first-secret", "second-secret"]


async def test_a_session_is_asked_for_again_only_when_its_time_comes(
    lender: Memory, clients: AwsClients, emulator: Emulator
) -> None:
    lender.lend(BY_ROLE)
    keys = LentKeys(ERRAND, lender, clients, lambda secret: None)
    given = [await keys() for _ in range(3)]
    assert len({one.access_key_id for one in given}) == 1
    emulator.gives_sessions(lasts_s=0)
    lender.lend(BY_ROLE)
    given = [await keys() for _ in range(3)]
    assert len({one.access_key_id for one in given}) == 3


@pytest.mark.parametrize(("lasts_m", "renewed_after_m"), [(60, 50), (720, 710), (20, 10), (15, 7.5), (1, 0.5)])
def test_a_session_is_renewed_ten_minutes_before_its_end_or_after_half_of_its_life(
    lasts_m: float, renewed_after_m: float
) -> None:
    now = datetime.now(UTC)
    assert renewal(now, now + timedelta(minutes=lasts_m)) == now + timedelta(minutes=renewed_after_m)


def test_keys_that_do_not_end_are_never_renewed() -> None:
    assert renewal(datetime.now(UTC), None) is None


@pytest.fixture
async def task_role(
    clients: AwsClients, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, no_config_files: None
) -> AsyncIterator[list[str]]:
    """A container's address for its role's keys, as ECS gives one to a task; the tokens that those who asked showed.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """
    asked: list[str] = []
    await clients.client("sts")  # botocore waits two seconds for keys, and a busy machine takes one to make a client

    async def keys(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        given = (await clients.call("sts", "AssumeRole", RoleArn=ROLE, RoleSessionName="task"))["Credentials"]
        answer = {name: given[name] for name in ("AccessKeyId", "SecretAccessKey")}
        ends = given["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return web.json_response({**answer, "Token": given["SessionToken"], "Expiration": ends})

    app = web.Application()
    app.router.add_get("/keys", keys)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    async with TestServer(app) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", str(server.make_url("/keys")))
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the task's own")
        yield asked


async def test_the_servers_own_role_is_asked_for_again_before_its_keys_end(
    task_role: list[str], emulator: Emulator
) -> None:
    emulator.gives_sessions(lasts_s=300)
    own = AwsClients(AwsAccess(REGION, emulator.url))
    for _ in range(3):
        await own.call("sts", "GetCallerIdentity")
    await own.close()
    assert len(task_role) >= 3
    assert set(task_role) == {"the task's own"}


async def test_the_tasks_role_assumes_the_role_that_was_lent(
    task_role: list[str], lender: Memory, emulator: Emulator
) -> None:
    lender.lend(BY_ROLE)
    accounts = LentAccounts(lender, PARTS, lambda secret: None, endpoint_url=emulator.url, engine=ecs_engine)
    async with accounts.entered(ERRAND) as engine:
        with pytest.raises(Permanent):
            await engine.rollouts.look("arn:aws:ecs:us-east-1:123456789012:service-deployment/c/s/none")
    await accounts.close()
    by_session, others = emulator.signed_by_sessions()
    assert by_session == ["sts.AssumeRole", "ecs.DescribeServiceDeployments"]
    assert set(others) == {"sts.AssumeRole"}
    assert next(itertools.islice(emulator.sessions(), 1, None))["external_id"] == "acme-external-7"
