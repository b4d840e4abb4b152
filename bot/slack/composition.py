"""Puts Slack's side together for one process: the client, signing in at GitHub, the desk, and the way in."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.audit import AuditEntry
from bot.clock import utc_now
from bot.config import Settings, require_github
from bot.desk.orders import OrderDesk
from bot.github.api import GitHub
from bot.links import Links
from bot.process.metrics import Metrics
from bot.process.proxies import through_proxy
from bot.slack.accounts import Accounts
from bot.slack.api.client import TIMEOUT_S, SlackClient, open_slack, web_api
from bot.slack.api.replies import Call
from bot.slack.at_once import AtOnce
from bot.slack.channels import Channels
from bot.slack.desk import Parts, SlackDesk
from bot.slack.dialogs import Dialogs
from bot.slack.home import Home
from bot.slack.inbound.ingress import SlackIngress
from bot.slack.inbound.socket import SlackSocket
from bot.slack.offers import Offers
from bot.slack.ordering import Ordering
from bot.slack.releases import Shelf
from bot.slack.sign_in import SignIn
from bot.store.store import Store


@dataclass(frozen=True, slots=True)
class SlackSide:
    """What a process holds open for Slack."""

    client: SlackClient
    sign_in: SignIn | None
    session: aiohttp.ClientSession
    as_app: Call | None = None
    """Calls as the app, which opens sockets; None: Slack reaches us over HTTP."""


@dataclass(frozen=True, slots=True)
class Means:
    """What Slack's side needs of the house. `mask` takes what is secret out of what people said."""

    side: SlackSide
    github: GitHub
    store: Store
    orders: OrderDesk
    links: Links
    mask: Callable[[Any], Any]
    locale: str


def slack_desk(means: Means) -> SlackDesk:
    """Where recorded requests are decided on."""
    store, locale, slack = means.store, means.locale, means.side.client
    parts = Parts(
        _accounts(means),
        Channels(means.github, store.slack_channels, utc_now, locale),
        _dialogs(means),
        _home(means),
        Ordering(means.orders, locale),
        Shelf(store.releases, locale),
    )
    return SlackDesk(means.github, slack, store.deliveries, store.jobs, parts, locale)


def _home(means: Means) -> Home:
    store, slack = means.store, means.side.client
    return Home(
        means.github,
        slack,
        store.slack_links,
        store.jobs,
        store.releases,
        store.locks,
        means.links,
        utc_now,
        means.locale,
    )


def slack_ingress(means: Means, secrets: tuple[bytes, ...], metrics: Metrics) -> SlackIngress:
    """Where requests come in, and what Slack waits for is answered."""
    audit, store = means.store.audit, means.store

    async def note(entry: AuditEntry) -> None:
        masked = dataclasses.replace(entry, raw=means.mask(entry.raw), rules=means.mask(entry.rules))
        await audit.add(masked, utc_now())

    offers, ordering = Offers(means.github, store.releases), Ordering(means.orders, means.locale)
    at_once = AtOnce(_dialogs(means), offers, ordering, note, means.locale)
    return SlackIngress(store.deliveries, secrets, metrics, at_once)


def socket_mode(side: SlackSide, ingress: SlackIngress) -> SlackSocket | None:
    """The way in that we open ourselves; None where Slack reaches us over HTTP."""
    return SlackSocket(side.as_app, side.session, ingress) if side.as_app else None


def _accounts(means: Means) -> Accounts:
    return Accounts(means.store.slack_links, means.side.sign_in, utc_now, means.locale)


def _dialogs(means: Means) -> Dialogs:
    return Dialogs(means.github, means.side.client, _accounts(means), means.locale)


@asynccontextmanager
async def open_slack_side(
    settings: Settings, key: bytes, register_secret: Callable[[str], None]
) -> AsyncIterator[SlackSide | None]:
    """None where Slack is not set up. Its secrets are masked from now on."""
    slack = settings.slack
    if slack is None:
        yield None
        return
    for secret in (slack.bot_token, slack.app_token, *(secret.decode() for secret in slack.signing_secrets)):
        if secret:
            register_secret(secret)
    timeout, proxied = aiohttp.ClientTimeout(total=TIMEOUT_S), through_proxy(slack.api_url)
    async with (
        open_slack(slack.bot_token, slack.api_url) as client,
        aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=proxied) as session,
    ):
        as_app = web_api(slack.app_token, slack.api_url, session) if slack.app_token else None
        yield SlackSide(client, _sign_in(settings, key, session, register_secret), session, as_app)


def _sign_in(
    settings: Settings, key: bytes, session: aiohttp.ClientSession, register_secret: Callable[[str], None]
) -> SignIn | None:
    github = require_github(settings)
    if not github.client_id or not github.client_secret:
        return None
    register_secret(github.client_secret)
    return SignIn(
        github.url,
        github.api_url,
        github.client_id,
        github.client_secret,
        settings.public_url,
        key,
        session,
        register_secret,
    )
