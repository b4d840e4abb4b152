"""Whose a lent way into AWS is, and that a role's keys are renewed before they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiobotocore.session import AioSession

from aws.clients import AwsAccess, AwsClients, Keys
from aws.credentials import Role, account_lent, account_of, assumed, lent_keys, sealed_keys
from bot.errors import Refused, Transient
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator
from tests.aws.guard import Guard

ROLE = "arn:aws:iam::123456789012:role/shipmate"
KEYS = {"region": REGION, "access_key_id": "AKIAEXAMPLEEXAMPLE00", "secret_access_key": "secret"}


@pytest.fixture(autouse=True)
def the_emulator_is_where_aws_is(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, no_config_files: None, short_pauses: None
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASERVERSERVER0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the server's own")


async def test_keys_lead_to_their_account(guard: Guard) -> None:
    assert await account_lent(KEYS, session=guard.watch(AioSession())) == "123456789012"


async def test_a_role_is_assumed_from_the_servers_own_identity(emulator: Emulator, guard: Guard) -> None:
    lent = {"region": REGION, "role_arn": "arn:aws:iam::210987654321:role/deployer", "external_id": "acme-7"}
    assert await account_lent(lent, session=guard.watch(AioSession())) == "210987654321"
    assert emulator.calls() == ["sts.AssumeRole", "sts.GetCallerIdentity"]


async def test_a_session_says_what_it_is_for_and_odd_characters_do_no_harm(
    clients: AwsClients, emulator: Emulator
) -> None:
    role = Role(ROLE, "acme-7", {"shipmate:repository": "acme/api", "shipmate:ref": "täst\n*" * 100})
    access = AwsAccess(REGION, emulator.url, assumed(role, clients))
    assert await account_of(access) == "123456789012"


async def test_a_roles_keys_are_asked_for_again_before_they_end(emulator: Emulator) -> None:
    asked = 0

    async def short_lived() -> Keys:
        nonlocal asked
        asked += 1
        return Keys("AKIAEXAMPLEEXAMPLE00", "secret", f"token {asked}", datetime.now(UTC) + timedelta(minutes=2))

    clients = AwsClients(AwsAccess(REGION, emulator.url, short_lived))
    for _ in range(3):
        await clients.call("sts", "GetCallerIdentity")
    await clients.close()
    assert asked == 3


async def test_what_aws_refuses_is_told_in_its_own_words(emulator: Emulator) -> None:
    emulator.goes_wrong({"kind": "deny", "operation": "GetCallerIdentity", "times": 9})
    with pytest.raises(Refused) as refused:
        await account_lent(KEYS)
    assert refused.value.code == "connection_aws_refused"
    assert refused.value.facts["message"]


async def test_an_aws_that_does_not_answer_is_passing(emulator: Emulator) -> None:
    emulator.goes_wrong({"kind": "reset", "times": 99})
    with pytest.raises(Transient, match="aws_unavailable"):
        await account_lent(KEYS)


async def test_sealed_keys_are_used_as_they_are() -> None:
    assert await sealed_keys("AKIA", "secret", "token")() == Keys("AKIA", "secret", "token")


async def test_a_lent_way_in_shows_no_secret_when_it_is_printed(clients: AwsClients) -> None:
    keys = lent_keys({**KEYS, "secret_access_key": "hunter2"}, clients, {})
    shown = repr(AwsAccess(REGION, keys=keys)) + repr(await keys()) + repr(Role(ROLE, "hunter2"))
    assert "hunter2" not in shown
