"""The composition root: puts the rooms together for one process, runs its loops, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp import web

from bot.clock import utc_now
from bot.config import AwsSettings, Settings, bad, require_github
from bot.connections import AwsOffer, ConnectionDesk, GitHubOffer
from bot.desk.asking import Asking
from bot.desk.desk import Desk
from bot.desk.office import Office, Records
from bot.desk.orders import OrderDesk
from bot.desk.programs import ProgramDesk
from bot.engines.composition import open_engines
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.registry import DockerRegistry, RegistryAccess
from bot.engines.git_source import GitSource
from bot.engines.router.launch import ensure_running, watch
from bot.errors import Refused
from bot.gate import Gate
from bot.github.api import DEFAULT_API_URL, GitHub, open_github
from bot.github.app import identity
from bot.github.lent import try_token
from bot.github.permissions import CLONE
from bot.identity import this_worker
from bot.ingress import BODY_LIMIT_BYTES, Ingress
from bot.intake import Intake, Reader
from bot.jobs.analysis.submit import JobQueue
from bot.jobs.context import Work
from bot.jobs.deploy.deployment import Deployment
from bot.jobs.deploy.ship import Tools
from bot.jobs.deploy.upkeep import Upkeep
from bot.jobs.late import LateWork
from bot.links import Links
from bot.masking import Masker
from bot.metrics import Metrics
from bot.model import Job, JobKind, JobState
from bot.ports import AnyEngine, Engine
from bot.reconcile.dangling import DanglingChecks
from bot.reconcile.expired_locks import ExpiredLocks
from bot.reconcile.held import HeldJobs
from bot.reconcile.missed import MissedDeliveries
from bot.reconcile.previews import PreviewKeeper
from bot.reconcile.previews import Records as PreviewRecords
from bot.reconcile.rounds import Round, Rounds
from bot.reporters.answers import AnswerLoop
from bot.reporters.check_run import CheckRunFace
from bot.reporters.comment import CommentFace, ReactionFace
from bot.reporters.deployment import DeploymentFace
from bot.reporters.face import Face, FaceLoop, Telling
from bot.reporters.preview_comment import PreviewCommentFace
from bot.reporters.slack import SlackFace
from bot.reporters.slack_channels import SlackChannelsFace
from bot.reporters.slack_telling import SlackTelling
from bot.slack.composition import Means, SlackSide, open_slack_side, slack_desk, slack_ingress, socket_mode
from bot.slack.ingress import EVENT as SLACK_EVENT
from bot.store import Store
from bot.worker import LEASE_S, PLATFORM_UNDO_LIMIT_S, UNDO_LIMIT_S, Limits, Worker
from handlers import contribution_pages, github_webhook, health, jobs, pages, slack_events, slack_link, slack_socket
from handlers.api import analyses, connections, contributions, deployments, gateway, inspections
from handlers.registry import HANDLERS
from storage.opened import OpenStore, open_store

SHUTDOWN_LIMIT_S = 25.0
DELIVERIES_KEPT = timedelta(days=30)
"""Settled ones; GitHub itself keeps them for three days."""

log = logging.getLogger("shipmate")


class BotLogin:
    """The login our comments stand under, asked once."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._login: str | None = None

    async def __call__(self) -> str:
        if self._login is None:
            self._login = (await identity(self._github.app)).bot_login
        return self._login


@dataclass(frozen=True, slots=True)
class House:
    """Everything one process holds open."""

    settings: Settings
    masker: Masker
    metrics: Metrics
    opened: OpenStore
    github: GitHub
    engines: Mapping[str, AnyEngine]
    links: Links
    login: BotLogin
    name: str
    slack: SlackSide | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """What this server can deploy to, its own engine first."""
        return tuple(self.engines)

    @property
    def own_engines(self) -> dict[str, Engine]:
        """Those where we run instances and move traffic ourselves."""
        return {name: engine for name, engine in self.engines.items() if isinstance(engine, Engine)}


@asynccontextmanager
async def open_house(settings: Settings, masker: Masker) -> AsyncIterator[House]:
    """Open the store, GitHub and the engines; close them at the end. Raises UserMistake for bad settings."""
    github_settings = require_github(settings)
    for secret in github_settings.webhook_secrets:
        masker.register(secret.decode())
    if settings.secret_key:
        masker.register(settings.secret_key.decode())
    settings.workdir.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        opened = await open_store(
            settings.database_url, secret_key=settings.secret_key, max_waiting=settings.max_waiting
        )
        stack.push_async_callback(opened.close)
        github = await stack.enter_async_context(
            open_github(
                github_settings.app_id, github_settings.private_key, masker.register, api_url=github_settings.api_url
            )
        )
        engines = await stack.enter_async_context(open_all_engines(settings, masker))
        links = Links(settings.public_url, link_key(settings))
        slack = await stack.enter_async_context(open_slack_side(settings, links.key, masker.register))
        login = BotLogin(github)
        yield House(settings, masker, Metrics(), opened, github, engines, links, login, this_worker(), slack)


@asynccontextmanager
async def open_all_engines(settings: Settings, masker: Masker) -> AsyncIterator[dict[str, AnyEngine]]:
    """This machine's own, and `ecs` where AWS is set up and there is a Docker engine to build and push images."""
    async with open_engines(settings) as own:
        docker = own.get("docker")
        if settings.aws is None or docker is None:
            yield dict(own)
            return
        async with _open_ecs(settings, settings.aws, docker, masker) as ecs:
            yield {**own, "ecs": ecs}


@asynccontextmanager
async def _open_ecs(settings: Settings, at: AwsSettings, docker: Engine, masker: Masker) -> AsyncIterator[AnyEngine]:
    from aws.clients import AwsAccess  # only where AWS is set up: botocore takes a server's start again
    from aws.composition import open_ecs
    from aws.ecr import Login

    api = EngineApi(EngineAddress(settings.docker_host) if settings.docker_host else None)

    def pusher(login: Login) -> DockerRegistry:
        return DockerRegistry(api, RegistryAccess(login.host, login.username, login.password))

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(api.close)
        yield await stack.enter_async_context(
            open_ecs(
                AwsAccess(at.region, at.endpoint_url),
                settings.owner,
                builder=docker.builder,
                pusher=pusher,
                forget_image=docker.forget_image,
                register_secret=masker.register,
                registry_host=at.registry_host,
            )
        )


def link_key(settings: Settings) -> bytes:
    """What job links are signed with: from the secret key where there is one, else from the app's own key."""
    root = settings.secret_key or require_github(settings).private_key.encode()
    return hashlib.sha256(b"shipmate job links\0" + root).digest()


def web_application(house: House) -> web.Application:
    """The HTTP face."""
    store, settings = house.opened.store, house.settings
    app = web.Application(client_max_size=BODY_LIMIT_BYTES)
    github_webhook.add_to(app, Ingress(store.deliveries, require_github(settings).webhook_secrets, house.metrics))
    app[jobs.PAGES] = jobs.JobPages(
        store.jobs, store.keys, house.links, utc_now, house.opened.database.watch, settings.locale
    )
    app[health.VITALS] = health.Vitals(
        {"store": lambda: store.deliveries.recent(1), "engine": _engine_check(house)}, house.metrics
    )
    app[contribution_pages.PAGES] = contribution_pages.ContributionPages(
        store.analyses, store.keys, house.links, utc_now, settings.locale
    )
    for module in (health, jobs, pages, contribution_pages):
        app.add_routes(module.routes)
    _add_slack(app, house)
    _add_api(app, house)
    return app


def _add_api(app: web.Application, house: House) -> None:
    """The REST API, behind its one door."""
    store, settings = house.opened.store, house.settings
    others = analyses.SHORT_FORMS | deployments.SHORT_FORMS
    door = gateway.Gateway(store.keys, house.links, utc_now, settings.locale, others)
    app[connections.DESK] = connection_desk(settings, store, house.masker)
    asking = Asking(house.github, require_github(settings).url, store.secrets, utc_now)
    queue = JobQueue(store.jobs, utc_now)
    app[analyses.API] = analyses.AnalysesApi(asking, queue, store.jobs, store.analyses, house.links, utc_now)
    app[contributions.ANALYSES] = store.analyses
    programs = ProgramDesk(house.github, order_desk(house), store.jobs, store.audit, utc_now)
    app[deployments.API] = deployments.DeploymentsApi(programs, store.jobs, house.links, house.opened.database.watch)
    app[inspections.DESK] = programs
    known = (connections, analyses, contributions, deployments, inspections)
    gateway.add_to(app, door, [module.routes for module in known])


def connection_desk(settings: Settings, store: Store, masker: Masker) -> ConnectionDesk:
    """Where ways into GitHub and AWS are tried and kept."""

    async def try_github(offer: GitHubOffer) -> None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            await try_token(offer, session, settings.github.api_url if settings.github else DEFAULT_API_URL)

    return ConnectionDesk(store.connections, try_github, _account_of, masker.register, utc_now)


@asynccontextmanager
async def open_connections(settings: Settings, masker: Masker) -> AsyncIterator[ConnectionDesk]:
    """The same for the shell, which holds nothing else open."""
    opened = await open_store(settings.database_url, secret_key=settings.secret_key)
    try:
        yield connection_desk(settings, opened.store, masker)
    finally:
        await opened.close()


async def _account_of(offer: AwsOffer) -> str:
    """Whose the offered way into AWS is, as STS says."""
    from aws.credentials import account_lent  # with the first connection: botocore takes a server's start again

    return await account_lent(offer.to_json())


def _add_slack(app: web.Application, house: House) -> None:
    """Slack's requests, and the pages that link people; nothing where Slack is not set up."""
    store, settings = house.opened.store, house.settings
    if settings.slack is None or house.slack is None:
        return
    means = _slack_means(house, house.slack, order_desk(house))
    ingress = slack_ingress(means, settings.slack.signing_secrets, house.metrics)
    slack_events.add_to(app, ingress)
    if (socket := socket_mode(house.slack, ingress)) is not None:
        slack_socket.add_to(app, socket)
    if house.slack.sign_in is not None:
        app[slack_link.LINKING] = slack_link.Linking(store.slack_links, house.slack.sign_in, utc_now, settings.locale)
        app.add_routes(slack_link.routes)


def _slack_means(house: House, side: SlackSide, orders: OrderDesk) -> Means:
    masker = house.masker
    return Means(side, house.github, house.opened.store, orders, house.links, masker.mask_value, house.settings.locale)


def _engine_check(house: House) -> Callable[[], Awaitable[object]]:
    async def look() -> object:
        return await next(iter(house.own_engines.values())).target.owned()

    return look


@dataclass(frozen=True, slots=True)
class Loop:
    """A part that runs until it is told to stop."""

    name: str
    run: Callable[[], Awaitable[None]]
    stop: Callable[[], None]


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
    )


def order_desk(house: House) -> OrderDesk:
    """The one desk for the commands of every face."""
    store = house.opened.store
    return OrderDesk(Office(records_of(store), house.links, house.targets, utc_now, house.settings.locale))


def worker_loops(house: House) -> list[Loop]:
    """What a worker does: settle deliveries, run jobs, tell every face."""
    store, database = house.opened.store, house.opened.database
    locale = house.settings.locale
    orders = order_desk(house)
    desk = Desk(house.github, orders, store.jobs, house.targets, locale)
    intake = Intake(
        house.name,
        store.deliveries,
        HANDLERS,
        desk,
        clock=utc_now,
        changed=database.watch().wait,
        mask=house.masker.mask_value,
        others=_other_readers(house, orders),
    )
    answers = AnswerLoop(
        house.github,
        house.login,
        store.answers,
        clock=utc_now,
        changed=database.watch().wait,
        locale=locale,
        slack=house.slack.client if house.slack else None,
    )
    worker = job_worker(house)
    loops = [Loop("intake", intake.run, intake.stop), Loop("worker", worker.run, worker.stop)]
    loops.append(Loop("answers", answers.run, answers.stop))
    loops += [Loop(loop.name, loop.run, loop.stop) for loop in _face_loops(house)]
    return loops


def _other_readers(house: House, orders: OrderDesk) -> dict[str, Reader]:
    """Who reads the deliveries that are not GitHub's."""
    if house.slack is None:
        return {}
    return {SLACK_EVENT: slack_desk(_slack_means(house, house.slack, orders)).read}


def _face_loops(house: House) -> list[FaceLoop]:
    store, database = house.opened.store, house.opened.database
    return [
        FaceLoop(
            face,
            Telling(store.jobs, store.reports, house.links, house.masker, utc_now, database.watch().wait),
        )
        for face in faces(house)
    ]


def faces(house: House) -> list[Face]:
    """Where jobs show."""
    locale = house.settings.locale
    slack = _slack_faces(house, house.slack) if house.slack else []
    return [
        *slack,
        CheckRunFace(house.github, locale),
        CommentFace(house.github, house.login, locale),
        PreviewCommentFace(house.github, house.login, locale),
        ReactionFace(house.github, house.login),
        DeploymentFace(house.github, locale),
    ]


def _slack_faces(house: House, side: SlackSide) -> list[Face]:
    telling = SlackTelling(side.client, house.settings.locale)
    return [SlackFace(telling), SlackChannelsFace(telling, house.opened.store.slack_channels)]


def job_worker(house: House) -> Worker:
    """The worker with all the work it knows."""
    store, settings = house.opened.store, house.settings
    deployment = Deployment(house.engines, _tools(house), settings.stage_limit_s)
    undo_s = UNDO_LIMIT_S if len(house.engines) == len(house.own_engines) else PLATFORM_UNDO_LIMIT_S
    analysis = LateWork(lambda: _analysis(house))
    return Worker(
        house.name,
        store.jobs,
        {JobKind.DEPLOY: deployment, JobKind.ROLLBACK: deployment, JobKind.ANALYSIS: analysis},
        masker=house.masker,
        clock=utc_now,
        workdir=settings.workdir,
        limits=Limits(settings.concurrency, settings.job_limit_s, undo_s),
        changed=house.opened.database.watch().wait,
        told=lambda job, state: _count(house.metrics, job, state),
        locale=settings.locale,
    )


def _analysis(house: House) -> Work:
    from bot.jobs.analysis.opening import open_analysis  # with the first analysis: it brings half a library along

    return open_analysis(house.settings, house.github, house.opened.store, house.masker)


def _tools(house: House) -> Tools:
    store, settings = house.opened.store, house.settings

    async def token(job: Job) -> str:
        return (await house.github.token(job.origin.installation_id, job.repository.id, CLONE)).value

    return Tools(
        source=GitSource(require_github(settings).url, token),
        releases=store.releases,
        secrets=store.secrets,
        recheck=Gate(house.github, records_of(store), utc_now).recheck,
        base_registry=settings.base_registry,
        locale=settings.locale,
    )


def _count(metrics: Metrics, job: Job, state: JobState) -> None:
    metrics.jobs.labels(job.kind.value, state.value).inc()
    if state.is_final:
        metrics.running.dec()
        metrics.seconds.labels(job.kind.value).observe((utc_now() - job.created_at).total_seconds())
    else:
        metrics.running.inc()


def rounds(house: House) -> Rounds:
    """What is looked at again and again."""
    store = house.opened.store
    missed = MissedDeliveries(house.github.app, store.deliveries, utc_now)
    upkeep = Upkeep(house.own_engines, store.jobs, store.releases)
    held = HeldJobs(house.github, records_of(store), utc_now, house.settings.locale)
    kept = PreviewRecords(store.previews, store.jobs, store.releases)
    previews = PreviewKeeper(house.github, kept, house.engines, utc_now, house.settings.locale)
    expired = ExpiredLocks(store.locks, store.slack_links, utc_now, house.settings.locale)
    dangling = DanglingChecks(house.github, store.jobs, store.reports, utc_now)
    return Rounds(
        [
            Round("missed deliveries", missed.look, 60.0),
            Round("upkeep", upkeep.look, 15.0),
            Round("previews", previews.look, 5.0),
            Round("held jobs", held.look, 15.0),
            Round("expired locks", expired.look, 5.0),
            Round("dangling check runs", dangling.look, 900.0),
            Round("old deliveries", lambda: store.deliveries.prune(utc_now() - DELIVERIES_KEPT), 86_400.0),
        ]
    )


async def run(settings: Settings, masker: Masker, *, serves: bool, works: bool, ready: Callable[[str], None]) -> int:
    """Run one process until SIGTERM or SIGINT; `ready` is told the address once it answers. Returns the exit code."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with contextlib.ExitStack() as held:
        listener = held.enter_context(_listener(settings)) if serves else None
        known = _with_address(settings, listener) if listener else settings
        async with open_house(known, masker) as house, contextlib.AsyncExitStack() as stack:
            if works:
                await stack.enter_async_context(_working(house))
            if listener:
                await stack.enter_async_context(_serving(house, listener))
            ready(f"http://{known.host}:{known.port}" if listener else "")
            await stopping.wait()
            log.info("stopping")
    return 0


def _listener(settings: Settings) -> socket.socket:
    """The port is taken before anything is opened, and known before any link is made."""
    try:
        return socket.create_server((settings.host, settings.port), backlog=1024)
    except OSError as error:
        sentence = f"{settings.port} cannot be listened on at {settings.host} ({error.strerror})"
        raise bad("PORT", sentence) from error


def _with_address(settings: Settings, listener: socket.socket) -> Settings:
    """With PORT=0 the port is the one the system chose."""
    port = int(listener.getsockname()[1])
    public_url = f"http://{settings.host}:{port}" if settings.port == 0 and not settings.has_public_url else ""
    return dataclasses.replace(settings, port=port, public_url=public_url or settings.public_url)


@asynccontextmanager
async def _serving(house: House, listener: socket.socket) -> AsyncIterator[None]:
    app = web_application(house)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, handler_cancellation=True)
    await runner.setup()
    try:
        github_webhook.put_in_front(runner, app[github_webhook.INGRESS])
        await web.SockSite(runner, listener, backlog=1024).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _working(house: House) -> AsyncIterator[None]:
    """The router is there before a job needs it, and is watched; the loops are stopped before they are ended."""
    await ensure_running(house.settings.router)
    loops = worker_loops(house)
    tasks = [asyncio.create_task(_kept(loop), name=loop.name) for loop in loops]
    keepers = [asyncio.create_task(watch(house.settings.router)), asyncio.create_task(rounds(house).run())]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.wait(tasks, timeout=SHUTDOWN_LIMIT_S)
        for task in [*tasks, *keepers]:
            task.cancel()
        await asyncio.gather(*tasks, *keepers, return_exceptions=True)


async def _kept(loop: Loop) -> None:
    """A loop that breaks is our bug: it is logged and begun again, so that the others' work goes on."""
    while True:
        try:
            return await loop.run()
        except Exception:
            log.exception("a loop broke and is begun again", extra={"loop": loop.name})
            await asyncio.sleep(1.0)


async def run_one_job(settings: Settings, masker: Masker, job_id: str) -> str:
    """Run one waiting job to its end and tell every face of it; answers its state.

    Raises Refused("job_not_found" or "job_not_runnable") when it is not there, has ended, or is not its turn.
    """
    async with open_house(settings, masker) as house:
        jobs = house.opened.store.jobs
        job = await jobs.claim(house.name, utc_now(), LEASE_S, only=job_id)
        if job is None:
            known = await jobs.get(job_id)
            raise Refused("job_not_runnable" if known else "job_not_found", job=job_id)
        if job.kind is not JobKind.ANALYSIS:  # which moves no traffic
            await ensure_running(settings.router)
        await job_worker(house).run_one(job)
        for loop in _face_loops(house):
            await loop.drain()
        ended = await jobs.get(job_id)
        return ended.state.value if ended else "UNKNOWN"
