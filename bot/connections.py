"""Ways in that somebody lent us, to GitHub or AWS: tried before they are sealed, named by an id, never shown again."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.clock import Clock
from bot.errors import Refused, ShipmateError, Transient
from bot.store.connections import AwsConnection, Connections, GitHubConnection

T = TypeVar("T")

ID_CHARACTERS = 10
GITHUB_ID = "gh_"
AWS_ID = "aws_"
CONNECTION_ID = re.compile(rf"\A(?:{GITHUB_ID}|{AWS_ID})[a-z0-9]{{{ID_CHARACTERS}}}\Z")
_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class GitHubOffer:
    """A token for one repository and branch, as somebody typed them."""

    owner: str
    repo: str
    branch: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AwsOffer:
    """Keys, or the role to assume instead of them (from the server's own identity, with `external_id`)."""

    region: str
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, str]:
        """What is sealed: all that is needed to come in again."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AwsOffer:
        return cls(**data)


TriesGitHub = Callable[[GitHubOffer], Awaitable[None]]
"""Raises Refused("connection_repository_missing", "connection_credentials_bad" or "connection_branch_missing")."""
TriesAws = Callable[[AwsOffer], Awaitable[str]]
"""Answers the account's number. Raises Refused("connection_aws_refused", message)."""


@dataclass(frozen=True, slots=True)
class ConnectionDesk:
    """Takes connections in. A secret is masked from the moment it is known."""

    kept: Connections
    tries_github: TriesGitHub
    tries_aws: TriesAws
    register_secret: Callable[[str], None]
    clock: Clock

    async def add_github(self, offer: GitHubOffer) -> GitHubConnection:
        """Sealed under a new id once GitHub has taken it. Raises Refused, saying what GitHub does not know."""
        self.register_secret(offer.token)
        await _in_time(self.tries_github(offer), "connection_github_timeout")
        connection = GitHubConnection(new_id(GITHUB_ID), offer.owner, offer.repo, offer.branch, self.clock())
        await self.kept.put_github(connection, offer.token)
        return connection

    async def add_aws(self, offer: AwsOffer) -> AwsConnection:
        """Sealed under a new id once STS has said whose it is. Raises Refused, with what AWS said."""
        for secret in (offer.secret_access_key, offer.session_token, offer.external_id):
            if secret:
                self.register_secret(secret)
        account = await _in_time(self.tries_aws(offer), "connection_aws_refused")
        connection = AwsConnection(new_id(AWS_ID), offer.region, account, offer.role_arn, self.clock())
        await self.kept.put_aws(connection, offer.to_json())
        return connection


def new_id(prefix: str) -> str:
    """`gh_` or `aws_` and ten of [a-z0-9]."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARACTERS))


async def _in_time(asking: Awaitable[T], code: str) -> T:
    """What could not be asked is refused at once: the one who typed it is waiting."""
    try:
        return await asking
    except Transient as passing:
        raise Refused(code, message=_words(passing)) from passing


def _words(error: ShipmateError) -> str:
    return str(error.facts.get("message") or error.facts.get("reason") or error.code)
