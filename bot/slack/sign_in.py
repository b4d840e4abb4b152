"""Proves whose GitHub account a person in Slack has: GitHub's OAuth web flow, with PKCE and a state good once.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.errors import Refused, Transient

TICKET_LIFE_S = 600
LINK_PATH = "/slack/link"
CALLBACK_PATH = "/slack/link/callback"


@dataclass(frozen=True, slots=True)
class GitHubPerson:
    """An account at GitHub: `id` survives a new login."""

    id: int
    login: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """One OAuth app at GitHub. `key` is secret bytes of this installation; a token is asked who it is, then dropped."""

    github_url: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)
    public_url: str
    key: bytes = field(repr=False)
    session: aiohttp.ClientSession
    register_secret: Callable[[str], None]

    def secret_for(self, delivery_guid: str) -> str:
        """The ticket's secret for one delivery: the same when the delivery is decided on again."""
        return self._derived(f"ticket\0{delivery_guid}")

    def link_address(self, secret: str) -> str:
        """Where the person begins."""
        return f"{self.public_url}{LINK_PATH}?{urlencode({'state': secret})}"

    def authorize_address(self, secret: str) -> str:
        """Where GitHub asks the person."""
        challenge = hashlib.sha256(self._verifier(secret).encode()).digest()
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self._callback,
            "state": secret,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.github_url}/login/oauth/authorize?{urlencode(asked)}"

    async def person(self, code: str, secret: str) -> GitHubPerson:
        """Who signed in. Raises Refused("link_denied") when GitHub does not take the code, Transient without answer."""
        given = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": self._verifier(secret),
        }
        said = await self._asked("POST", f"{self.github_url}/login/oauth/access_token", data=given)
        token = said.get("access_token")
        if not isinstance(token, str) or not token:
            raise Refused("link_denied", reason=str(said.get("error", "")))
        self.register_secret(token)
        account = await self._asked("GET", f"{self.api_url}/user", headers={"Authorization": f"Bearer {token}"})
        if not isinstance(account.get("id"), int) or not isinstance(account.get("login"), str):
            raise Refused("link_denied", reason="no_account")
        return GitHubPerson(account["id"], account["login"])

    def proof(self, secret: str, person: GitHubPerson) -> str:
        """Shows, when the person confirms, that it was us who asked GitHub about them."""
        return self._derived(f"proof\0{secret}\0{person.id}\0{person.login}")

    def holds(self, proof: str, secret: str, person: GitHubPerson) -> bool:
        """Whether `proof` is ours, in constant time."""
        return hmac.compare_digest(self.proof(secret, person).encode(), proof.encode("utf-8", "backslashreplace"))

    @property
    def _callback(self) -> str:
        return f"{self.public_url}{CALLBACK_PATH}"

    def _verifier(self, secret: str) -> str:
        """RFC 7636's code verifier: never leaves the server, and is not kept, since it can be made again."""
        return self._derived(f"pkce\0{secret}")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.key, f"slack-link\0{purpose}".encode(), hashlib.sha256).hexdigest()

    async def _asked(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        try:
            async with self.session.request(method, url, headers=headers, allow_redirects=False, **more) as reply:
                if reply.status >= 500 or reply.status == 429:
                    raise Transient("github_unavailable", status=reply.status)
                said = await reply.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Transient("github_unreachable") from error
        return said if isinstance(said, dict) else {}
