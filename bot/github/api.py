"""Puts the GitHub client together: one session, one app key, and clients bound to what they are for."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from bot.github.client.app_auth import AppAuth, AppKey, Grant, GrantCredential
from bot.github.client.client import Client
from bot.github.client.credentials import Credential, RegisterSecret, Token
from bot.github.client.etags import Etags
from bot.github.client.patience import Patience, Quota
from bot.github.client.wire import Wire
from bot.github.person import PersonalToken
from bot.model import Repository
from bot.process.proxies import through_proxy

DEFAULT_API_URL = "https://api.github.com"
CONNECTIONS = 50
"""GitHub answers a hundred requests at once at most, over all of an app's processes."""


class GitHub:
    """One GitHub App's way to GitHub. Clients are cheap: make one where it is needed.

    `app` speaks in the app's own name (its installations, its hook deliveries).
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        app_id: str,
        private_key_pem: str,
        register_secret: RegisterSecret,
        *,
        api_url: str = DEFAULT_API_URL,
        patience: Patience | None = None,
    ) -> None:
        """Raises UserMistake("bad_setting") when the key is not an RSA private key."""
        self._session = session
        self._api_url = api_url
        self._patience = patience or Patience()
        self._etags = Etags()
        self._quotas: dict[int, Quota] = {}
        self._register = register_secret
        self.app = self._client(AppKey(app_id, private_key_pem, register_secret), Quota())
        self._auth = AppAuth(self.app, register_secret)

    def repository(self, installation_id: int, repository: Repository, permissions: Mapping[str, str]) -> Client:
        """A client for one repository of an installation that may do only what `permissions` say."""
        grant = Grant.of(installation_id, (repository.id,), permissions)
        return self._bound(grant, repository)

    def installation(self, installation_id: int, permissions: Mapping[str, str]) -> Client:
        """A client for all repositories of an installation, for questions that belong to none of them."""
        return self._bound(Grant.of(installation_id, (), permissions), None)

    def person(self, token: str) -> Client:
        """A client that speaks for the person whose token it is; the quota is theirs."""
        return self._client(PersonalToken(token), Quota(), scope=hashlib.sha256(token.encode()).hexdigest())

    def lent(self, token: str, repository: Repository) -> Client:
        """A client for one repository with a token that somebody lent us for it."""
        self._register(token)
        return self._client(PersonalToken(token), Quota(), repository, hashlib.sha256(token.encode()).hexdigest())

    async def token(self, installation_id: int, repository_id: int, permissions: Mapping[str, str]) -> Token:
        """A token to hand to a tool such as git: one repository, these permissions, five minutes of life at least."""
        return await self._auth.installation_token(
            installation_id, repository_ids=(repository_id,), permissions=permissions
        )

    async def close(self) -> None:
        """End what is under way. The session is its owner's to close."""
        await self._auth.close()

    def _bound(self, grant: Grant, repository: Repository | None) -> Client:
        quota = self._quotas.setdefault(grant.installation_id, Quota())
        return self._client(GrantCredential(self._auth, grant), quota, repository, str(grant.installation_id))

    def _client(
        self, credential: Credential, quota: Quota, repository: Repository | None = None, scope: str = "app"
    ) -> Client:
        wire = Wire(self._session, self._api_url, self._patience.timeout_s, self._etags.scoped(scope))
        return Client(wire, credential, patience=self._patience, quota=quota, repository=repository)


@asynccontextmanager
async def open_github(
    app_id: str,
    private_key_pem: str,
    register_secret: RegisterSecret,
    *,
    api_url: str = DEFAULT_API_URL,
    patience: Patience | None = None,
) -> AsyncIterator[GitHub]:
    """A GitHub with a session of its own, closed at the end."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    jar, proxied = aiohttp.DummyCookieJar(), through_proxy(api_url)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, trust_env=proxied) as session:
        github = GitHub(session, app_id, private_key_pem, register_secret, api_url=api_url, patience=patience)
        try:
            yield github
        finally:
            await github.close()
