"""What a worker runs: intake, jobs, and a loop for every face."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.clock import utc_now
from bot.composition.desks import order_desk, records_of
from bot.composition.house import House
from bot.composition.web import slack_means
from bot.config import require_github
from bot.deliveries.intake import Intake, Reader
from bot.desk.desk import Desk
from bot.desk.orders import OrderDesk
from bot.engines.git_source import GitLimits, GitSource
from bot.errors import Permanent
from bot.gates.gate import Gate
from bot.github.permissions import CLONE
from bot.jobs.context import Work
from bot.jobs.deploy.deployment import Deployment
from bot.jobs.deploy.ship import Tools
from bot.jobs.late import LateWork
from bot.model import Job, JobKind, JobState
from bot.process.metrics import Metrics
from bot.reporters.answers import AnswerLoop
from bot.reporters.check_run import CheckRunFace
from bot.reporters.comment import CommentFace, ReactionFace
from bot.reporters.deployment import DeploymentFace
from bot.reporters.face import Face, FaceLoop, Telling
from bot.reporters.preview_comment import PreviewCommentFace
from bot.reporters.slack.channels import SlackChannelsFace
from bot.reporters.slack.telling import SlackTelling
from bot.reporters.slack.thread import SlackFace
from bot.reporters.table import TableFace
from bot.slack.composition import SlackSide, slack_desk
from bot.slack.inbound.ingress import EVENT as SLACK_EVENT
from bot.tenure import PLATFORM_UNDO_LIMIT_S, UNDO_LIMIT_S, Limits, Means
from bot.worker import Worker
from handlers.registry import HANDLERS


@dataclass(frozen=True, slots=True)
class Loop:
    """A part that runs until it is told to stop."""

    name: str
    run: Callable[[], Awaitable[None]]
    stop: Callable[[], None]


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
        acted=lambda settled: house.metrics.settled.labels(str(settled.acted).lower()).inc(),
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
    loops += [Loop(loop.name, loop.run, loop.stop) for loop in face_loops(house)]
    return loops


def _other_readers(house: House, orders: OrderDesk) -> dict[str, Reader]:
    """Who reads the deliveries that are not GitHub's."""
    if house.slack is None:
        return {}
    return {SLACK_EVENT: slack_desk(slack_means(house, house.slack, orders)).read}


def face_loops(house: House) -> list[FaceLoop]:
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
        *([TableFace(house.tables.deployments)] if house.tables else []),
    ]


def _slack_faces(house: House, side: SlackSide) -> list[Face]:
    telling = SlackTelling(side.client, house.settings.locale)
    return [SlackFace(telling), SlackChannelsFace(telling, house.opened.store.slack_channels)]


def job_worker(house: House) -> Worker:
    """The worker with all the work it knows."""
    store, settings = house.opened.store, house.settings
    deployment = Deployment(house.engines, _tools(house), settings.stage_limit_s, house.accounts)
    only_own = house.accounts is None and len(house.engines) == len(house.own_engines)
    undo_s = UNDO_LIMIT_S if only_own else PLATFORM_UNDO_LIMIT_S
    analysis = LateWork(lambda: _analysis(house))
    means = Means(
        house.name,
        store.jobs,
        {JobKind.DEPLOY: deployment, JobKind.ROLLBACK: deployment, JobKind.ANALYSIS: analysis},
        house.masker,
        utc_now,
        settings.workdir,
        Limits(settings.concurrency, settings.job_limit_s, undo_s),
        told=lambda job, state: _count(house.metrics, job, state),
        locale=settings.locale,
    )
    worker = Worker(means, house.opened.database.watch().wait)
    house.metrics.running.set_function(lambda: worker.running)
    return worker


def _analysis(house: House) -> Work:
    from bot.jobs.analysis.opening import open_analysis  # with the first analysis: it brings half a library along

    return open_analysis(house.settings, house.github, house.opened.store, house.masker)


def _tools(house: House) -> Tools:
    store, settings = house.opened.store, house.settings

    async def token(job: Job) -> str:
        if (connection := job.spec.get("github_connection")) is not None:
            return await _lent_token(house, connection)
        return (await house.github.token(job.origin.installation_id, job.repository.id, CLONE)).value

    return Tools(
        source=GitSource(require_github(settings).url, token, GitLimits(environment=settings.proxies)),
        releases=store.releases,
        secrets=store.secrets,
        recheck=Gate(house.github, records_of(store), utc_now).recheck,
        base_registry=settings.base_registry,
        locale=settings.locale,
    )


async def _lent_token(house: House, connection: str) -> str:
    """The token of a connection to GitHub, masked from now on. Raises Permanent("connection_removed")."""
    token = await house.opened.store.connections.token_of(connection)
    if token is None:
        raise Permanent("connection_removed", connection=connection)
    house.masker.register(token)
    return token


def _count(metrics: Metrics, job: Job, state: JobState) -> None:
    metrics.jobs.labels(job.kind.value, state.value).inc()
    if state.is_final:
        metrics.seconds.labels(job.kind.value).observe((utc_now() - job.created_at).total_seconds())
