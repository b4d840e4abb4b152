"""Ways in that somebody lent us, to GitHub or AWS: tried before they are sealed, named by an id, never shown again."""

from __future__ import annotations

import dataclasses
import re
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.audit import AuditEntry
from bot.clock import Clock
from bot.errors import Refused, ShipmateError, Transient
from bot.model import Repository
from bot.store.connections import AwsConnection, Connections, GitHubConnection, LentTo

T = TypeVar("T")

ID_CHARACTERS = 10
GITHUB_ID = "gh_"
AWS_ID = "aws_"
CONNECTION_NAME = re.compile(r"\A[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
"""Ids have an underscore, so no name is taken for one."""
BORROWER = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100})?\Z")
"""`owner/repository`, or `owner` for all of its repositories."""
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


@dataclass(frozen=True, slots=True)
class Terms:
    """How a way into AWS is kept: what settings may call it, and whose may name it (`owner/repo`, or `owner` for all).

    `replaces` the connection of that name: other keys for what stays the same connection.
    """

    name: str | None = None
    lent_to: tuple[str, ...] = ()
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """Who lends or takes back, for the audit trail: a key's name over the API, a person's login in the shell."""

    actor: str
    face: str


TriesGitHub = Callable[[GitHubOffer], Awaitable[None]]
"""Raises Refused("connection_repository_missing", "connection_credentials_bad" or "connection_branch_missing")."""
TriesAws = Callable[[AwsOffer], Awaitable[str]]
"""Answers the account's number. Raises Refused("connection_aws_refused", message)."""


NumbersOf = Callable[[str], Awaitable[int]]
"""GitHub's number of a repository (`owner/repo`), or of our app's installation in an account (`owner`).

Raises Refused("connection_for_unknown").
"""


@dataclass(frozen=True, slots=True)
class ConnectionDesk:
    """Takes connections in, changes and forgets them. A secret is masked from the moment it is known."""

    kept: Connections
    tries_github: TriesGitHub
    tries_aws: TriesAws
    number_of: NumbersOf
    register_secret: Callable[[str], None]
    clock: Clock

    async def add_github(self, offer: GitHubOffer, by: Hand) -> GitHubConnection:
        """Sealed under a new id once GitHub has taken it. Raises Refused, saying what GitHub does not know."""
        self.register_secret(offer.token)
        await _in_time(self.tries_github(offer), "connection_github_timeout")
        connection = GitHubConnection(new_id(GITHUB_ID), offer.owner, offer.repo, offer.branch, self.clock())
        told = _entry(by, "connect github", "connection_lent", connection.id, f"{offer.owner}/{offer.repo}")
        await self.kept.put_github(connection, offer.token, told)
        return connection

    async def add_aws(self, offer: AwsOffer, by: Hand, terms: Terms = Terms()) -> AwsConnection:
        """Sealed once STS has said whose it is, under a new id or, if it `replaces` one, under that one's.

        Raises Refused, with what AWS said; "connection_name_taken", "connection_unknown", "connection_other_account".
        """
        for secret in (offer.secret_access_key, offer.session_token, offer.external_id):
            if secret:
                self.register_secret(secret)
        account = await _in_time(self.tries_aws(offer), "connection_aws_refused")
        lent_to = tuple([LentTo(name, await self.number_of(name)) for name in terms.lent_to])
        if terms.replaces:
            return await self._replaced(offer, by, terms, account, lent_to)
        connection = AwsConnection(
            new_id(AWS_ID), offer.region, account, offer.role_arn, self.clock(), terms.name, lent_to
        )
        await self.kept.put_aws(connection, offer.to_json(), _lending(by, connection, "connection_lent"))
        return connection

    async def lend(self, reference: str, borrowers: Sequence[str], by: Hand) -> AwsConnection:
        """Lend it to these, and to nobody else from now on. Raises Refused("connection_unknown")."""
        known = await self.kept.one_aws(reference)
        if known is None:
            raise Refused("connection_unknown", connection=reference[:40])
        lent_to = tuple([LentTo(name, await self.number_of(name)) for name in borrowers])
        changed = dataclasses.replace(known, lent_to=lent_to)
        if not await self.kept.lend_aws(changed, _lending(by, changed, "connection_lent"), self.clock()):
            raise Refused("connection_unknown", connection=reference[:40])
        return changed

    async def look(self) -> list[tuple[str, ShipmateError | None]]:
        """Each connection by its name or id, with why it opens no more; None: it does. Nothing is changed."""
        found = [(one.name or one.id, await self._fault(self._try_aws(one))) for one in await self.kept.aws()]
        found += [(one.id, await self._fault(self._try_github(one))) for one in await self.kept.github()]
        return found

    async def _try_aws(self, one: AwsConnection) -> None:
        """Raises Refused("connection_leads_elsewhere") where the same keys lead elsewhere than when they were lent."""
        offer = AwsOffer.from_json(await self.kept.credentials_of(one.id) or {})
        account = await _in_time(self.tries_aws(offer), "connection_aws_refused")
        if account != one.account_id:
            raise Refused("connection_leads_elsewhere", account=one.account_id, now=account)

    async def _try_github(self, one: GitHubConnection) -> None:
        offer = GitHubOffer(one.owner, one.repo, one.branch, await self.kept.token_of(one.id) or "")
        await _in_time(self.tries_github(offer), "connection_github_timeout")

    async def _fault(self, trying: Awaitable[None]) -> ShipmateError | None:
        try:
            await trying
        except ShipmateError as fault:
            return fault
        return None

    async def remove(self, connection_id: str, by: Hand) -> None:
        """Forget one and what it came in with. Raises Refused("connection_unknown")."""
        told = _entry(by, "disconnect", "connection_removed", connection_id)
        if not CONNECTION_ID.match(connection_id) or not await self.kept.remove(connection_id, told, self.clock()):
            raise Refused("connection_unknown", connection=connection_id[:40])

    async def _replaced(
        self, offer: AwsOffer, by: Hand, terms: Terms, account: str, lent_to: tuple[LentTo, ...]
    ) -> AwsConnection:
        """What deploys through it goes on under the new keys; to whom it is lent changes only where that was said."""
        known = await self.kept.one_aws(terms.name or "")
        if known is None:
            raise Refused("connection_unknown", connection=terms.name)
        if (known.account_id, known.region) != (account, offer.region):
            raise Refused("connection_other_account", connection=terms.name, account=known.account_id)
        changed = dataclasses.replace(known, role_arn=offer.role_arn, lent_to=lent_to or known.lent_to)
        told = _lending(by, changed, "connection_replaced")
        if not await self.kept.replace_aws(changed, offer.to_json(), told, self.clock()):
            raise Refused("connection_unknown", connection=terms.name)
        return changed


def require_lent(
    connection: AwsConnection | None, reference: str, repository: Repository, installation_id: int
) -> AwsConnection:
    """Naming a connection is not enough: settings may only name what was lent to their repository.

    Raises Refused("connection_not_lent"), the same where there is none of that name: who may not, learns nothing.
    """
    if connection is None or not connection.is_lent_to(repository, installation_id):
        raise Refused("connection_not_lent", connection=reference, repository=repository.full_name)
    return connection


def new_id(prefix: str) -> str:
    """`gh_` or `aws_` and ten of [a-z0-9]."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARACTERS))


def _lending(by: Hand, connection: AwsConnection, reason: str) -> AuditEntry:
    """The account and to whom it is lent are told; keys never are."""
    facts: dict[str, Any] = {
        "account": connection.account_id,
        "region": connection.region,
        "role": connection.role_arn,
        "name": connection.name,
        "lent_to": [one.name for one in connection.lent_to],
    }
    return _entry(by, "connect aws", reason, connection.id, "", **facts)


def _entry(by: Hand, command: str, reason: str, connection_id: str, repository: str = "", **facts: Any) -> AuditEntry:
    rules = {"connection": connection_id, **{name: value for name, value in facts.items() if value}}
    return AuditEntry(by.actor, by.face, command, "acted", reason, repository, rules=rules)


async def _in_time(asking: Awaitable[T], code: str) -> T:
    """What could not be asked is refused at once: the one who typed it is waiting."""
    try:
        return await asking
    except Transient as passing:
        raise Refused(code, message=_words(passing)) from passing


def _words(error: ShipmateError) -> str:
    return str(error.facts.get("message") or error.facts.get("reason") or error.code)
