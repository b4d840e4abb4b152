"""The desks where asking is decided on, over the house's memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from bot.clock import utc_now
from bot.composition.house import House
from bot.config import Settings, require_github
from bot.connections import AwsOffer, ConnectionDesk, GitHubOffer
from bot.desk.office import Office
from bot.desk.orders import OrderDesk
from bot.desk.programs import ProgramDesk
from bot.errors import ShipmateError
from bot.gates.records import Records
from bot.github.api import DEFAULT_API_URL, GitHub, open_github
from bot.github.lent import number_of_borrower, try_token
from bot.masking import Masker
from bot.process.proxies import through_proxy
from bot.store.store import Store
from storage.engine.migrations import is_current
from storage.opened import open_store


def connection_desk(settings: Settings, store: Store, masker: Masker, github: GitHub | None) -> ConnectionDesk:
    """Where ways into GitHub and AWS are tried and kept. Without `github` nothing can be lent to a repository."""

    async def try_github(offer: GitHubOffer) -> None:
        api_url = settings.github.api_url if settings.github else DEFAULT_API_URL
        jar, proxied = aiohttp.DummyCookieJar(), through_proxy(api_url)
        async with aiohttp.ClientSession(cookie_jar=jar, trust_env=proxied) as session:
            await try_token(offer, session, api_url)

    async def number_of(name: str) -> int:
        require_github(settings)
        assert github is not None
        return await number_of_borrower(github, name)

    return ConnectionDesk(store.connections, try_github, _account_of, number_of, masker.register, utc_now)


@asynccontextmanager
async def open_connections(settings: Settings, masker: Masker) -> AsyncIterator[ConnectionDesk]:
    """The same for the shell, which holds nothing else open."""
    async with AsyncExitStack() as stack:
        opened = await open_store(settings.database_url, secret_key=settings.secret_key)
        stack.push_async_callback(opened.close)
        github = None
        if (app := settings.github) is not None and app.private_key:
            opening = open_github(app.app_id, app.private_key, masker.register, api_url=app.api_url)
            github = await stack.enter_async_context(opening)
        yield connection_desk(settings, opened.store, masker, github)


async def look_at_connections(settings: Settings) -> list[tuple[str, ShipmateError | None]]:
    """Each connection there is, and why it opens no more; nothing where no server has made a database yet."""
    if not await asyncio.to_thread(is_current, settings.database_url):
        return []
    async with open_connections(settings, Masker()) as desk:
        return await desk.look()


async def _account_of(offer: AwsOffer) -> str:
    """Whose the offered way into AWS is, as STS says."""
    from aws.credentials import account_lent  # with the first connection: botocore takes a server's start again

    return await account_lent(offer.to_json())


def records_of(store: Store) -> Records:
    """What the desk, and the gate after it, look up."""
    return Records(
        store.deliveries,
        store.locks,
        store.slack_links,
        store.jobs,
        store.releases,
        store.approvals,
        store.previews,
        store.audit,
        store.connections,
    )


def program_desk(house: House) -> ProgramDesk:
    """The desk for what programs ask."""
    store = house.opened.store
    return ProgramDesk(house.github, order_desk(house), store.jobs, store.audit, utc_now)


def order_desk(house: House) -> OrderDesk:
    """The one desk for the commands of every face."""
    store = house.opened.store
    office = Office(records_of(store), house.links, house.targets, utc_now, house.settings.locale)
    return OrderDesk(office, house.masker.mask_value)
