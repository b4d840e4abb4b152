"""What the app asks in its own name: who it is, where it is installed, and which deliveries GitHub sent it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.github.client.client import Client
from bot.github.times import parsed
from bot.model import Repository


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """The app as GitHub knows it. It writes comments under `bot_login`."""

    id: int
    slug: str
    name: str

    @property
    def bot_login(self) -> str:
        return f"{self.slug}[bot]"


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation of the app; `account` is the user or organisation it stands in."""

    id: int
    account: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    suspended: bool
    account_id: int = 0


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """One attempt to deliver a webhook; attempts at the same one share its `guid`. `status_code` 0 is no answer."""

    id: int
    guid: str
    delivered_at: datetime
    event: str
    action: str | None
    status_code: int
    redelivery: bool
    installation_id: int | None
    repository_id: int | None

    @property
    def accepted(self) -> bool:
        return 200 <= self.status_code < 300


@dataclass(frozen=True, slots=True)
class FullDelivery:
    """A delivery with what was sent: the headers, and the payload as an object."""

    delivery: HookDelivery
    headers: Mapping[str, str]
    payload: Mapping[str, Any]


async def identity(app: Client) -> AppIdentity:
    """Who the app is. https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app"""
    return await app.call("GET /app", lambda data: AppIdentity(int(data["id"]), str(data["slug"]), str(data["name"])))


async def installations(app: Client) -> list[Installation]:
    """Where the app is installed."""
    return await app.listed("GET /app/installations", _installation)


async def installation_of(app: Client, repository: str) -> Installation:
    """The installation for a repository (`owner/name`). Raises NotFound when the app is not installed there."""
    owner, _, name = repository.partition("/")
    return await app.call("GET /repos/{owner}/{repo}/installation", _installation, owner=owner, repo=name)


async def installation_in(app: Client, account: str) -> Installation:
    """The installation in an account of a person or an organisation. Raises NotFound when there is none.

    https://docs.github.com/en/rest/apps/apps#get-a-user-installation-for-the-authenticated-app
    """
    return await app.call("GET /users/{username}/installation", _installation, username=account)


async def installed_repositories(client: Client) -> list[Repository]:
    """The repositories of an installation, asked with a client of that installation."""
    return await client.listed("GET /installation/repositories", _repository, items="repositories")


async def deliveries_since(app: Client, since: datetime) -> AsyncIterator[HookDelivery]:
    """The attempts at deliveries of the app's webhook since a moment, the newest first. GitHub keeps three days.

    https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
    """
    async for delivery in app.each("GET /app/hook/deliveries", _delivery):
        if delivery.delivered_at < since:
            return
        yield delivery


async def get_delivery(app: Client, delivery_id: int) -> FullDelivery:
    """One attempt with its request."""
    return await app.call("GET /app/hook/deliveries/{delivery_id}", _full_delivery, delivery_id=delivery_id)


async def redeliver(app: Client, delivery_id: int) -> None:
    """Have GitHub send it once more, under the same guid. May be repeated: a delivery acts once."""
    operation = "POST /app/hook/deliveries/{delivery_id}/attempts"
    await app.call(operation, lambda _: None, repeatable=True, delivery_id=delivery_id)


def _installation(data: Any) -> Installation:
    return Installation(
        id=int(data["id"]),
        account=str((data.get("account") or {}).get("login") or (data.get("account") or {}).get("slug") or ""),
        permissions=dict(data["permissions"]),
        events=tuple(data["events"]),
        suspended=data.get("suspended_at") is not None,
        account_id=int((data.get("account") or {}).get("id") or 0),
    )


def _repository(data: Any) -> Repository:
    return Repository(int(data["id"]), str(data["full_name"]))


def _delivery(data: Any) -> HookDelivery:
    delivered_at = parsed(data["delivered_at"])
    if delivered_at is None:
        raise ValueError("delivered_at")
    return HookDelivery(
        id=int(data["id"]),
        guid=str(data["guid"]),
        delivered_at=delivered_at,
        event=str(data["event"]),
        action=data.get("action"),
        status_code=int(data["status_code"]),
        redelivery=bool(data["redelivery"]),
        installation_id=data.get("installation_id"),
        repository_id=data.get("repository_id"),
    )


def _full_delivery(data: Any) -> FullDelivery:
    request = data["request"]
    return FullDelivery(_delivery(data), dict(request["headers"] or {}), dict(request["payload"] or {}))
