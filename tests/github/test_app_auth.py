"""The app proves who it is with little, for a short time, and tells nobody."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bot.errors import Permanent, Transient, UserMistake
from bot.github.api import GitHub, open_github
from bot.github.client.app_auth import AppKey
from bot.github.client.client import Client
from bot.github.client.credentials import Token
from bot.github.permissions import CLONE, REPORT
from bot.masking import MASK, Masker
from tests.github.answering import HANG, Answer, AnsweringGitHub
from tests.github.conftest import INSTALLATION, PATIENCE, REPOSITORY

REPO = {"id": 7, "full_name": "acme/api", "default_branch": "main", "private": False}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


async def ask(client: Client) -> int:
    return await client.call("GET /repos/{owner}/{repo}", lambda data: int(data["id"]))


async def test_a_jwt_is_backdated_short_and_signed_by_the_app(pem: str, private_key: rsa.RSAPrivateKey) -> None:
    clock = Clock()
    token = await AppKey("Iv23abc", pem, Masker().register, clock).current()
    claims = jwt.decode(token.value, private_key.public_key(), algorithms=["RS256"])
    assert claims["iss"] == "Iv23abc"
    assert claims["iat"] == int(clock.now.timestamp()) - 60
    assert claims["exp"] - claims["iat"] <= 600


async def test_a_jwt_is_used_until_shortly_before_it_ends(pem: str) -> None:
    clock = Clock()
    key = AppKey("123", pem, Masker().register, clock)
    first = await key.current()
    clock.now += timedelta(minutes=6)
    assert await key.current() is first
    clock.now += timedelta(minutes=1, seconds=1)
    assert await key.current() is not first


async def test_a_refused_jwt_is_signed_again_by_githubs_clock(answering: AnsweringGitHub, github: GitHub) -> None:
    githubs_clock = datetime.now(UTC) - timedelta(hours=1)
    refusal = Answer(401, {"message": "'Expiration time' claim ('exp') is too far in the future"})
    answering.answers = [
        replace(refusal, headers={"Date": format_datetime(githubs_clock, usegmt=True)}),
        Answer(200, {"id": 1}),
    ]
    assert await github.app.call("GET /app", lambda data: int(data["id"])) == 1
    claims = jwt.decode(answering.asked[1].token, options={"verify_signature": False})
    assert abs(claims["iat"] + 60 - githubs_clock.timestamp()) < 60


DAMAGED = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("pem_text", ["", "no key", DAMAGED])
def test_a_key_that_is_none_is_a_bad_setting(pem_text: str) -> None:
    with pytest.raises(UserMistake, match="bad_setting"):
        AppKey("123", pem_text, Masker().register)


def test_a_key_of_another_kind_is_a_bad_setting() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(UserMistake, match="GITHUB_PRIVATE_KEY"):
        AppKey("123", other.decode(), Masker().register)


async def test_a_token_is_minted_for_one_repository_and_few_permissions(
    answering: AnsweringGitHub, github: GitHub
) -> None:
    await github.token(INSTALLATION, REPOSITORY.id, CLONE)
    [mint] = answering.mints
    assert mint.path == f"/app/installations/{INSTALLATION}/access_tokens"
    assert mint.body == {"repository_ids": [7], "permissions": {"contents": "read"}}
    assert mint.headers["Authorization"].startswith("bearer ey")


async def test_callers_who_ask_at_once_share_one_mint(answering: AnsweringGitHub, github: GitHub) -> None:
    tokens = await asyncio.gather(*(github.token(INSTALLATION, 7, CLONE) for _ in range(20)))
    assert len(answering.mints) == 1
    assert len({token.value for token in tokens}) == 1


async def test_another_repository_or_permission_gets_another_token(answering: AnsweringGitHub, github: GitHub) -> None:
    await github.token(INSTALLATION, 7, CLONE)
    await github.token(INSTALLATION, 8, CLONE)
    await github.token(INSTALLATION, 7, REPORT)
    await github.token(INSTALLATION, 7, CLONE)
    assert len(answering.mints) == 3


async def test_a_token_about_to_end_is_replaced(answering: AnsweringGitHub, github: GitHub) -> None:
    answering.token_life = timedelta(minutes=4)
    first = await github.token(INSTALLATION, 7, CLONE)
    second = await github.token(INSTALLATION, 7, CLONE)
    assert first.value != second.value


async def test_a_caller_who_leaves_does_not_take_the_mint_along(answering: AnsweringGitHub, github: GitHub) -> None:
    leaving = asyncio.create_task(github.token(INSTALLATION, 7, CLONE))
    staying = asyncio.create_task(github.token(INSTALLATION, 7, CLONE))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).value
    assert len(answering.mints) == 1


async def test_a_failed_mint_is_told_to_all_and_not_kept(answering: AnsweringGitHub, github: GitHub) -> None:
    refusal = Answer(422, {"message": "The permissions requested are not granted to this installation."})
    answering.mint_answers = [refusal]
    asked = [github.token(INSTALLATION, 7, REPORT) for _ in range(3)]
    failed = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(error, Permanent) and error.code == "github_invalid" for error in failed)
    assert len(answering.mints) == 1
    assert (await github.token(INSTALLATION, 7, REPORT)).value


async def test_a_revoked_token_is_renewed_once(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, REPO), Answer(401, {"message": "Bad credentials"}), Answer(200, REPO)]
    await ask(client)
    assert await ask(client) == 7
    assert len(answering.mints) == 2
    assert answering.asked[1].token != answering.asked[2].token


async def test_a_token_refused_twice_is_an_error(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(401, {"message": "Bad credentials"})] * 2
    with pytest.raises(Permanent, match="github_unauthorized"):
        await ask(client)
    assert len(answering.asked) == 2


async def test_many_calls_refused_at_once_renew_the_token_once(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, REPO)]
    await ask(client)
    stale = answering.asked[0].token
    answering.respond = lambda asked: Answer(401, {}) if asked.token == stale else Answer(200, REPO)
    await asyncio.gather(*(ask(client) for _ in range(10)))
    assert len(answering.mints) == 2


async def test_no_token_shows_in_logs_errors_or_reprs(
    answering: AnsweringGitHub, client: Client, github: GitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await github.token(INSTALLATION, 7, REPORT)
    answering.answers = [Answer(403, {"message": "Resource not accessible by integration"})]
    with pytest.raises(Permanent) as refused:
        await ask(client)
    shown = repr(token) + str(token) + repr(refused.value) + str(refused.value) + caplog.text
    assert token.value not in shown
    assert answering.mints[0].token not in shown


async def test_every_token_is_masked_from_its_first_moment(
    answering: AnsweringGitHub, github: GitHub, masker: Masker
) -> None:
    answering.mint_answers = [
        Answer(201, {"token": "an-opaque-token-of-any-shape", "expires_at": "2999-01-01T00:00:00Z"})
    ]
    token = await github.token(INSTALLATION, 7, CLONE)
    assert masker.mask(f"got {token.value}!") == f"got {MASK}!"
    assert masker.mask(f"got {answering.mints[0].token}!") == f"got {MASK}!"


async def test_a_mint_that_hangs_ends_when_the_server_stops(answering: AnsweringGitHub, pem: str) -> None:
    answering.mint_answers = [HANG]
    async with open_github("123", pem, Masker().register, api_url=answering.url, patience=PATIENCE) as github:
        waiting = asyncio.create_task(github.token(INSTALLATION, 7, CLONE))
        await answering.minting.wait()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_unreachable_github_is_told_as_such(pem: str) -> None:
    async with open_github("123", pem, Masker().register, api_url="http://127.0.0.1:1", patience=PATIENCE) as github:
        with pytest.raises(Transient, match="github_unreachable"):
            await github.token(INSTALLATION, 7, CLONE)


def test_a_token_hides_its_value() -> None:
    assert "ghs_secret" not in f"{Token('ghs_secret', datetime.now(UTC))!r}"
