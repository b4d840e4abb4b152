"""The HTTP face: every route, and what each needs of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from aiohttp import web

from bot.clock import utc_now
from bot.composition.desks import connection_desk, order_desk, program_desk
from bot.composition.house import House
from bot.config import require_github
from bot.deliveries.ingress import BODY_LIMIT_BYTES, Ingress
from bot.desk.asking import Asking
from bot.desk.lent_programs import LentProgramDesk
from bot.desk.orders import OrderDesk
from bot.jobs.analysis.submit import JobQueue
from bot.overview import Memory
from bot.slack.composition import Means, SlackSide, slack_ingress, socket_mode
from bot.web.at_github import AtGitHub
from handlers import (
    api_docs,
    busy,
    contribution_pages,
    github_webhook,
    health,
    jobs,
    overview,
    pages,
    slack_events,
    slack_link,
    slack_socket,
)
from handlers.api import analyses, connections, contributions, deployments, gateway, inspections, lent_deployments
from handlers.api.description import described


def web_application(house: House) -> web.Application:
    """The HTTP face."""
    store, settings = house.opened.store, house.settings
    app = web.Application(client_max_size=BODY_LIMIT_BYTES)
    busy.add_to(app)
    github_webhook.add_to(app, Ingress(store.deliveries, require_github(settings).webhook_secrets, house.metrics))
    github, watch = AtGitHub(require_github(settings).url), house.opened.database.watch
    app[jobs.PAGES] = jobs.JobPages(store.jobs, store.keys, house.links, utc_now, watch, github, settings.locale)
    memory = Memory(store.jobs, store.releases, store.locks, store.audit)
    app[overview.PAGES] = overview.OverviewPages(
        memory, store.keys, house.links, github, utc_now, watch, settings.locale
    )
    app[health.VITALS] = health.Vitals(
        {"store": house.opened.database.require_working, "engine": _engine_check(house)}, house.metrics
    )
    app[contribution_pages.PAGES] = contribution_pages.ContributionPages(
        store.analyses, store.jobs, store.keys, house.links, utc_now, settings.locale
    )
    app[pages.LOCALE] = settings.locale
    for module in (health, jobs, pages, overview, contribution_pages):
        app.add_routes(module.routes)
    _add_slack(app, house)
    _add_api(app, house)
    return app


def _add_api(app: web.Application, house: House) -> None:
    """The REST API, behind its one door."""
    store, settings = house.opened.store, house.settings
    others = analyses.SHORT_FORMS | deployments.SHORT_FORMS
    door = gateway.Gateway(store.keys, house.links, utc_now, settings.locale, others)
    app[connections.DESK] = connection_desk(settings, store, house.masker, house.github)
    asking = Asking(house.github, require_github(settings).url, store.secrets, utc_now)
    queue = JobQueue(store.jobs, utc_now)
    app[analyses.API] = analyses.AnalysesApi(asking, queue, store.jobs, store.analyses, house.links)
    app[contributions.ANALYSES] = store.analyses
    programs = program_desk(house)
    asked = house.tables.deployments if house.tables else None
    app[deployments.API] = deployments.DeploymentsApi(
        programs, store.jobs, house.links, house.opened.database.watch, asked
    )
    app[lent_deployments.DESK] = LentProgramDesk(programs, store.connections)
    app[inspections.DESK] = programs
    known = (connections, analyses, contributions, deployments, lent_deployments, inspections)
    tables = [module.routes for module in known]
    gateway.add_to(app, door, tables)
    app[api_docs.DESCRIBED] = lambda: described(tables, version("shipmate"), settings.public_url)
    app.add_routes(api_docs.routes)


def _add_slack(app: web.Application, house: House) -> None:
    """Slack's requests, and the pages that link people; nothing where Slack is not set up."""
    store, settings = house.opened.store, house.settings
    if settings.slack is None or house.slack is None:
        return
    means = slack_means(house, house.slack, order_desk(house))
    ingress = slack_ingress(means, settings.slack.signing_secrets, house.metrics)
    slack_events.add_to(app, ingress)
    if (socket := socket_mode(house.slack, ingress)) is not None:
        slack_socket.add_to(app, socket)
    if house.slack.sign_in is not None:
        app[slack_link.LINKING] = slack_link.Linking(store.slack_links, house.slack.sign_in, utc_now, settings.locale)
        app.add_routes(slack_link.routes)


def slack_means(house: House, side: SlackSide, orders: OrderDesk) -> Means:
    masker = house.masker
    return Means(side, house.github, house.opened.store, orders, house.links, masker.mask_value, house.settings.locale)


def _engine_check(house: House) -> Callable[[], Awaitable[object]]:
    async def look() -> object:
        return await next(iter(house.own_engines.values())).target.owned()

    return look
