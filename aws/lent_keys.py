"""The keys of a lent connection, as they are at each request: what is taken back or changed counts at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aws.clients import AwsClients, Keys, KeySource
from aws.credentials import lent_keys
from aws.tags import ENVIRONMENT, REPOSITORY
from bot.errors import Permanent
from bot.ports.engines import Errand

LOOK_AGAIN = timedelta(minutes=1)
"""How long keys are said to hold: short enough for botocore to ask before each request it signs."""
RENEW_BEFORE = timedelta(minutes=10)
"""A session is renewed so long before its end, or after half of its life if that is shorter."""


class Lender(Protocol):
    """Remembers what was lent, by the id of its connection."""

    async def version_of(self, connection: str) -> int | None:
        """Grows with each change of the keys or the role; None once the connection is gone."""

    async def credentials_of(self, connection: str) -> Mapping[str, str] | None:
        """What it comes in with now: `region`, and keys or `role_arn`."""


class LentKeys:
    """An `aws.clients.KeySource` for one errand. A role is assumed by `own`'s identity and renewed before it ends.

    Raises Permanent("connection_removed"), Permanent("connection_denied") with what AWS said, and Transient.
    """

    def __init__(self, errand: Errand, lender: Lender, own: AwsClients, register_secret: Callable[[str], None]) -> None:
        self._errand, self._lender, self._own, self._register = errand, lender, own, register_secret
        self._version: int | None = None
        self._source: KeySource | None = None
        self._keys: Keys | None = None
        self._renew_at: datetime | None = None

    async def __call__(self) -> Keys:
        """Keys that hold now."""
        version = await self._lender.version_of(self._errand.connection)
        if version is None:
            raise self._removed()
        if version != self._version or self._source is None:
            self._source, self._version, self._keys = await self._opened(), version, None
        if self._keys is None or self._is_to_be_renewed():
            self._keys = await self._asked(self._source)
        return dataclasses.replace(self._keys, expires_at=datetime.now(UTC) + LOOK_AGAIN)

    def _is_to_be_renewed(self) -> bool:
        return self._renew_at is not None and datetime.now(UTC) >= self._renew_at

    async def _opened(self) -> KeySource:
        """Where the keys come from, by what is sealed now."""
        lent = await self._lender.credentials_of(self._errand.connection)
        if lent is None:
            raise self._removed()
        if (external_id := lent.get("external_id")) is not None:
            self._register(external_id)
        tags = {REPOSITORY: self._errand.repository, ENVIRONMENT: self._errand.environment}
        return lent_keys(lent, self._own, tags)

    async def _asked(self, source: KeySource) -> Keys:
        asked_at = datetime.now(UTC)
        try:
            keys = await source()
        except Permanent as denied:
            message = denied.facts.get("message") or denied.code
            raise Permanent("connection_denied", connection=self._errand.connection, message=message) from denied
        for secret in (keys.secret_access_key, keys.session_token):
            if secret:
                self._register(secret)
        self._renew_at = renewal(asked_at, keys.expires_at)
        return keys

    def _removed(self) -> Permanent:
        return Permanent("connection_removed", connection=self._errand.connection)


def renewal(asked_at: datetime, ends_at: datetime | None) -> datetime | None:
    """When to ask again; never for what does not end."""
    if ends_at is None:
        return None
    return max(ends_at - RENEW_BEFORE, asked_at + (ends_at - asked_at) / 2)
