"""Owns how the app proves who it is: JWTs of the app, and small short tokens of its installations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.errors import UserMistake
from bot.github.client.credentials import RegisterSecret, Token

if TYPE_CHECKING:
    from bot.github.client.client import Client

Now = Callable[[], datetime]
"""What time it is, aware."""

BACKDATED = timedelta(seconds=60)
"""GitHub asks for it, so that clocks may differ.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""
JWT_LIFE = timedelta(minutes=9)
"""From the backdated `iat` to `exp`; GitHub takes ten minutes at most."""
JWT_RENEWED_BEFORE = timedelta(seconds=60)
TOKEN_RENEWED_BEFORE = timedelta(minutes=5)


class AppKey:
    """The app's private key, as the credential for calls the app makes in its own name."""

    bearer = True

    def __init__(
        self, app_id: str, private_key_pem: str, register_secret: RegisterSecret, now: Now | None = None
    ) -> None:
        """`app_id` is the app's number or client id. Raises UserMistake when the PEM is not an RSA private key."""
        self._app_id = app_id
        self._key = _rsa_key(private_key_pem)
        self._register_secret = register_secret
        self._now = now or _utc_now
        self._skew = timedelta()
        self._token: Token | None = None
        register_secret(private_key_pem)

    async def current(self) -> Token:
        """The JWT in use; a new one when it is about to end."""
        now = self._now() + self._skew
        if self._token is None or self._token.expires_at - now < JWT_RENEWED_BEFORE:
            self._token = self._sign(now)
        return self._token

    def refuse(self, token: Token, skew_s: float) -> None:
        """Sign the next one by GitHub's clock, which is why most JWTs are refused."""
        if token is self._token:
            self._token, self._skew = None, timedelta(seconds=skew_s)

    def _sign(self, now: datetime) -> Token:
        issued_at = now - BACKDATED
        expires_at = issued_at + JWT_LIFE
        claims = {"iat": int(issued_at.timestamp()), "exp": int(expires_at.timestamp()), "iss": self._app_id}
        value = jwt.encode(claims, self._key, algorithm="RS256")
        self._register_secret(value)
        return Token(value, expires_at)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token may do: one installation, some of its repositories, and no more permissions than these."""

    installation_id: int
    repository_ids: tuple[int, ...]
    """Empty: every repository of the installation."""
    permissions: tuple[tuple[str, str], ...]
    """Sorted pairs such as ("checks", "write"). Empty: all the installation has."""

    @classmethod
    def of(cls, installation_id: int, repository_ids: tuple[int, ...], permissions: Mapping[str, str]) -> Grant:
        """The grant in its one normal form, so that equal grants share a token."""
        return cls(installation_id, tuple(sorted(repository_ids)), tuple(sorted(permissions.items())))


class AppAuth:
    """Mints installation tokens and keeps each until shortly before it ends."""

    def __init__(self, app: Client, register_secret: RegisterSecret, now: Now | None = None) -> None:
        """`app` is a client signed with the AppKey."""
        self._app = app
        self._register_secret = register_secret
        self._now = now or _utc_now
        self._tokens: dict[Grant, Token] = {}
        self._mints: dict[Grant, asyncio.Task[Token]] = {}

    async def installation_token(
        self, installation_id: int, *, repository_ids: tuple[int, ...], permissions: Mapping[str, str]
    ) -> Token:
        """A token for these repositories with these permissions only, good for five minutes at least.

        Callers who ask for the same at once share one request. Raises Permanent("github_invalid") when the
        installation lacks a repository or permission, Transient when GitHub cannot be asked.
        """
        return await self.token(Grant.of(installation_id, repository_ids, permissions))

    async def token(self, grant: Grant) -> Token:
        """The same, for a grant."""
        kept = self._tokens.get(grant)
        if kept is not None and kept.expires_at - self._now() > TOKEN_RENEWED_BEFORE:
            return kept
        mint = self._mints.get(grant)
        if mint is None:
            mint = self._mints[grant] = asyncio.create_task(self._mint(grant))
            mint.add_done_callback(lambda done: self._minted(grant, done))
        return await asyncio.shield(mint)

    def forget(self, grant: Grant, token: Token) -> None:
        """GitHub refused this token: mint another when next asked. One minted since is kept."""
        if self._tokens.get(grant) is token:
            del self._tokens[grant]

    async def close(self) -> None:
        """End the mints under way, and wait until they ended."""
        mints = list(self._mints.values())
        for mint in mints:
            mint.cancel()
        await asyncio.gather(*mints, return_exceptions=True)

    async def _mint(self, grant: Grant) -> Token:
        """https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app"""
        wanted: dict[str, Any] = {}
        if grant.repository_ids:
            wanted["repository_ids"] = list(grant.repository_ids)
        if grant.permissions:
            wanted["permissions"] = dict(grant.permissions)
        token = await self._app.call(
            "POST /app/installations/{installation_id}/access_tokens",
            _token,
            body=wanted,
            repeatable=True,
            installation_id=grant.installation_id,
        )
        self._register_secret(token.value)
        return token

    def _minted(self, grant: Grant, mint: asyncio.Task[Token]) -> None:
        """Keep the token, and drop those that ended. A failed mint is told to those who wait for it."""
        del self._mints[grant]
        if mint.cancelled() or mint.exception() is not None:
            return
        now = self._now()
        self._tokens = {known: token for known, token in self._tokens.items() if token.expires_at > now}
        self._tokens[grant] = mint.result()


class GrantCredential:
    """A credential that always has a token for one grant."""

    bearer = False

    def __init__(self, auth: AppAuth, grant: Grant) -> None:
        self._auth = auth
        self._grant = grant

    async def current(self) -> Token:
        """The grant's token, minted anew when it is about to end."""
        return await self._auth.token(self._grant)

    def refuse(self, token: Token, skew_s: float) -> None:
        """Have another minted."""
        self._auth.forget(self._grant, token)


def _token(reply: Any) -> Token:
    return Token(str(reply["token"]), datetime.fromisoformat(reply["expires_at"]))


def _rsa_key(pem: str) -> RSAPrivateKey:
    """Read the PEM once; signing from the text would read it each time.

    Its primes are not proven: that takes a tenth of a second of every start, and guards against keys of strangers,
    while this one is our operator's own, and GitHub refuses what a broken one signs.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad_key() from error
    if not isinstance(key, RSAPrivateKey):
        raise _bad_key()
    return key


def _bad_key() -> UserMistake:
    sentence = "is not an RSA private key in PEM form: download a new one from the app's settings at GitHub"
    return UserMistake("bad_setting", name="GITHUB_PRIVATE_KEY", sentence=sentence)


def _utc_now() -> datetime:
    return datetime.now(UTC)
