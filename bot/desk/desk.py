"""Decides on wishes: asks for the facts, applies the rules, and says what becomes of each, with a reason."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

from bot import messages
from bot.commands import Said, read_comment
from bot.deliveries.wishes import (
    ClickButton,
    DeployPush,
    FollowPull,
    JudgeChange,
    LetMergeQueueGoOn,
    NoteHead,
    NoteName,
    Nothing,
    ObeyComment,
    RerunAll,
    Wish,
)
from bot.desk import following, record
from bot.desk.admission import decided
from bot.desk.analysing import analyse_push, judge_change
from bot.desk.buttons import command_of
from bot.desk.limits import limit_behind
from bot.desk.merging import let_go_on
from bot.desk.order import Order
from bot.desk.orders import OrderDesk
from bot.desk.outcome import Outcome, settle
from bot.desk.requests import deploy_request
from bot.desk.rerunning import rerun_of
from bot.errors import Permanent, Refused, ShipmateError
from bot.gates.facts import Facts, facts_about
from bot.github.api import GitHub
from bot.grammar import Command
from bot.model import Delivery, Job, Origin, Repository
from bot.repo_config.config import RepoConfig
from bot.store.answers import Answer
from bot.store.changes import HeadMove, NameChange, Settlement
from bot.store.jobs import JobFilter, Jobs


class Desk:
    """One desk for every face of GitHub."""

    def __init__(
        self, github: GitHub, orders: OrderDesk, jobs: Jobs, targets: tuple[str, ...], locale: str = "en"
    ) -> None:
        self._github = github
        self._orders = orders
        self._jobs = jobs
        self._targets = targets
        self._locale = locale

    async def decide(self, wishes: Sequence[Wish], delivery: Delivery) -> Settlement:
        """Raises Transient when GitHub cannot be asked: the delivery is tried again."""
        outcomes: list[Outcome] = []
        for wish in wishes:
            outcomes += await self._outcomes(wish, delivery)
        return settle(outcomes)

    async def give_up(self, wishes: Sequence[Wish], delivery: Delivery, error: ShipmateError) -> Settlement:
        """A person who spoke is told; a push is only noted. A head that moved has moved whatever else failed."""
        refusal = error if isinstance(error, Refused) else Refused("github_unavailable", reason=error.code)
        outcomes: list[Outcome] = []
        for wish in wishes:
            outcomes += await self._given_up(wish, delivery, error, refusal)
        return settle(outcomes or [Outcome("failed", error.code)])

    async def _given_up(self, wish: Wish, delivery: Delivery, error: ShipmateError, refusal: Refused) -> list[Outcome]:
        match wish:
            case ObeyComment():
                return [self._refuse_comment(wish, refusal)]
            case NoteHead() | NoteName():
                return [_noted(wish, delivery)]
            case FollowPull() if error is refusal:
                return [self._refuse_preview(wish, refusal)]
            case DeployPush():
                audit = record.pushed(wish, "failed", error.code, error.facts, None)
                return [Outcome("failed", error.code, audit=(audit,))]
            case ClickButton():
                return await self._click_given_up(wish, delivery, refusal)
            case RerunAll():
                clicks = (await rerun_of(self._jobs, wish)).clicks
                given_up = [await self._click_given_up(click, delivery, refusal) for click in clicks]
                return [outcome for outcomes in given_up for outcome in outcomes]
            case _:
                return []

    async def _click_given_up(self, wish: ClickButton, delivery: Delivery, refusal: Refused) -> list[Outcome]:
        """Told where the job shows, and the button may be pressed again; without the job it can mean nothing."""
        job = await self._jobs.get(wish.job_id)
        if job is None:
            return []
        order = _click_order(wish, wish.installation_id or job.origin.installation_id, job, delivery)
        answer, audit = self._refused_click(order, job, refusal), record.refused(order, refusal, {})
        return [Outcome("failed", refusal.code, answers=(answer,), audit=(audit,))]

    async def _outcomes(self, wish: Wish, delivery: Delivery) -> list[Outcome]:
        match wish:
            case Nothing(reason):
                return [Outcome("ignored", reason)]
            case NoteHead() | NoteName():
                return [_noted(wish, delivery)]
            case DeployPush():
                return await self._pushed(wish)
            case LetMergeQueueGoOn():
                return [await let_go_on(self._github, wish, self._locale)]
            case JudgeChange():
                return [await judge_change(self._github, wish)]
            case FollowPull():
                return [await self._preview(wish, delivery)]
            case ObeyComment():
                return await self._comment(wish, delivery)
            case ClickButton():
                return [await self._click(wish, delivery)]
            case RerunAll():
                return await self._rerun_all(wish, delivery)

    async def _pushed(self, wish: DeployPush) -> list[Outcome]:
        """What the settings as they are pushed make of it: a deployment, an analysis, both, or nothing."""
        facts = await facts_about(self._github, wish.installation_id, wish.repository, wish.default_branch)
        settings_at = wish.sha if wish.branch == wish.default_branch else wish.default_branch
        try:
            config, head = await asyncio.gather(facts.config(settings_at), facts.head_of(wish.branch))
        except (Refused, Permanent) as refused:
            return [self._refuse_push(wish, facts.installation_id, refused)]
        return [await self._push(wish, facts, config, head), analyse_push(wish, config, facts.installation_id)]

    async def _push(self, wish: DeployPush, facts: Facts, config: RepoConfig, head: str | None) -> Outcome:
        origin = Origin("push", wish.actor, facts.installation_id, actor_id=wish.actor_id)
        try:
            environment = config.for_branch(wish.branch)
            if environment is None:
                return Outcome("ignored", "branch_not_deployed")
            if head != wish.sha and await self._has_taken(wish.repository, environment.name, head):
                return Outcome("ignored", "newer_push_taken")
            job = deploy_request(
                wish.repository,
                config,
                environment,
                sha=wish.sha,
                ref=wish.branch,
                origin=origin,
                targets=self._targets,
            )
            job = await self._orders.admit_push(facts, job)
        except (Refused, Permanent) as refused:
            if (limit := limit_behind(refused)) is not None:
                raise limit from refused
            return self._refuse_push(wish, facts.installation_id, refused)
        audit = record.pushed(wish, "acted", "deploy_asked", decided(job), job)
        return Outcome("acted", "deploy_asked", jobs=(job,), audit=(audit,))

    async def _has_taken(self, repository: Repository, environment: str, sha: str | None) -> bool:
        """Whether a push of this commit was taken on already: one told late must not put an older commit over it."""
        latest = await self._jobs.find(JobFilter(repository=repository, environment=environment))
        return any(job.sha == sha and job.origin.face == "push" for job in latest)

    def _refuse_push(self, wish: DeployPush, installation_id: int, refused: ShipmateError) -> Outcome:
        """Told on the commit itself: a push has no comment to answer."""
        answer = Answer(
            key=f"push-{wish.repository.id}-{wish.branch[:100]}-{wish.sha[:12]}-{refused.code}",
            repository=wish.repository,
            installation_id=installation_id,
            number=None,
            body=messages.failure(self._locale, refused.code, refused.facts),
            check_sha=wish.sha,
        )
        audit = record.pushed(wish, "refused", refused.code, refused.facts, None)
        return Outcome("refused", refused.code, answers=(answer,), audit=(audit,))

    async def _preview(self, wish: FollowPull, delivery: Delivery) -> Outcome:
        """A pull request's own event is an order of the one who pushed, where its preview is to follow."""
        if wish.action == "closed":
            return await self._orders.preview_ended(wish)
        facts = await facts_about(self._github, wish.installation_id, wish.repository)
        try:
            if (reason := await self._orders.why_no_preview(wish, facts)) is not None:
                return Outcome("ignored", reason)
        except (Refused, Permanent) as refused:
            return self._refuse_preview(wish, refused)
        order = following.order_of(wish, facts, delivery)
        known = dataclasses.replace(wish, installation_id=facts.installation_id)
        outcome = await self._orders.decide(order, facts, lambda refused: self._preview_refused(known, refused))
        return dataclasses.replace(outcome, answers=()) if outcome.reason == "permission_needed" else outcome

    def _refuse_preview(self, wish: FollowPull, refused: ShipmateError) -> Outcome:
        return Outcome("refused", refused.code, answers=(self._preview_refused(wish, refused),))

    def _preview_refused(self, wish: FollowPull, refused: ShipmateError) -> Answer:
        """Told on the commit: nobody spoke."""
        return Answer(
            key=f"preview-{wish.repository.id}-{wish.number}-{wish.sha[:12]}-{refused.code}",
            repository=wish.repository,
            installation_id=wish.installation_id or 0,
            number=None,
            body=messages.failure(self._locale, refused.code, refused.facts),
            check_sha=wish.sha,
        )

    async def _comment(self, wish: ObeyComment, delivery: Delivery) -> list[Outcome]:
        said = read_comment(wish.body)
        if not said.commands and not said.mistakes:
            return [Outcome("ignored", "no_command")]
        facts = await facts_about(self._github, wish.installation_id, wish.repository)
        known = dataclasses.replace(wish, installation_id=facts.installation_id)
        orders = [_order(known, command, delivery, place) for place, command in enumerate(said.commands)]
        return [await self._obey(order, facts) for order in orders] + self._mistakes(known, said)

    async def _obey(self, order: Order, facts: Facts) -> Outcome:
        def refuse(refused: ShipmateError) -> Answer:
            text = messages.failure(self._locale, refused.code, messages.harmless(refused.facts))
            return self._orders.answer(order, text, "confused")

        return await self._orders.decide(order, facts, refuse)

    def _mistakes(self, wish: ObeyComment, said: Said) -> list[Outcome]:
        """All mistakes of a comment in one answer."""
        if not said.mistakes:
            return []
        told = ((mistake.code, messages.harmless(mistake.facts)) for mistake in said.mistakes)
        text = "\n".join(messages.failure(self._locale, code, facts) for code, facts in told)
        answer = _answer_to(wish, f"comment-{wish.comment_id}-mistakes", text)
        audit = tuple(record.misread(wish, mistake) for mistake in said.mistakes)
        return [Outcome("refused", said.mistakes[0].code, answers=(answer,), audit=audit)]

    def _refuse_comment(self, wish: ObeyComment, refusal: Refused) -> Outcome:
        text = messages.failure(self._locale, refusal.code, refusal.facts)
        answer = _answer_to(wish, f"comment-{wish.comment_id}-{refusal.code}", text)
        return Outcome("refused", refusal.code, answers=(answer,), audit=record.given_up(wish, refusal))

    async def _click(self, wish: ClickButton, delivery: Delivery) -> Outcome:
        """A click is an order of the one who clicks, judged by the same rules as the command of that name."""
        job = await self._jobs.get(wish.job_id)
        if job is None or job.repository.id != wish.repository.id:
            return Outcome("ignored", "rerun_unknown")
        facts = await facts_about(self._github, wish.installation_id, wish.repository)
        order = _click_order(wish, facts.installation_id, job, delivery)
        outcome = await self._orders.decide(order, facts, lambda refused: self._refused_click(order, job, refused))
        return outcome if outcome.result == "refused" else dataclasses.replace(outcome, answers=())

    async def _rerun_all(self, wish: RerunAll, delivery: Delivery) -> list[Outcome]:
        """Each check that is to run again is a click of its own."""
        rerun = await rerun_of(self._jobs, wish)
        outcomes = [await self._click(click, delivery) for click in rerun.clicks]
        if rerun.shown:
            outcomes.append(Outcome("acted", "checks_shown_again", changes=rerun.shown))
        return outcomes or [Outcome("ignored", "nothing_to_run_again")]

    def _refused_click(self, order: Order, job: Job, refused: ShipmateError) -> Answer:
        """On the pull request where there is one, else on the commit; once for each reason."""
        text = messages.failure(self._locale, refused.code, refused.facts)
        answer = self._orders.answer(dataclasses.replace(order, key=f"{order.key}-{refused.code}"), text, None)
        if order.number is not None:
            return answer
        return Answer(answer.key, answer.repository, answer.installation_id, None, text, check_sha=job.sha)


def _order(wish: ObeyComment, command: Command, delivery: Delivery, place: int) -> Order:
    return Order(
        command,
        wish.repository,
        Origin("comment", wish.actor, wish.installation_id or 0, wish.number, wish.comment_id, actor_id=wish.actor_id),
        wish.actor_id,
        wish.number,
        wish.is_pull,
        delivery.seq,
        f"comment-{wish.comment_id}-{place}",
    )


def _click_order(wish: ClickButton, installation_id: int, job: Job, delivery: Delivery) -> Order:
    command = command_of(wish.action, job)
    number = job.origin.pull_number
    origin = Origin("check_run", wish.actor, installation_id, number, actor_id=wish.actor_id)
    seq = delivery.seq
    return Order(command, wish.repository, origin, wish.actor_id, number, number is not None, seq, wish.key, job.sha)


def _noted(wish: NoteHead | NoteName, delivery: Delivery) -> Outcome:
    if isinstance(wish, NoteName):
        return Outcome("acted", "name_noted", changes=(NameChange(wish.repository, delivery.received_at),))
    move = HeadMove(wish.repository.id, wish.number, wish.sha, delivery.received_at, delivery.seq)
    return Outcome("acted", "head_noted", changes=(move,))


def _answer_to(wish: ObeyComment, key: str, text: str) -> Answer:
    return Answer(
        key,
        wish.repository,
        wish.installation_id or 0,
        wish.number,
        text,
        comment_id=wish.comment_id,
        reaction="confused",
    )
