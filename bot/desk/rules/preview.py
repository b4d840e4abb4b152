"""`/preview`: an environment of its own for a pull request, for a while; longer, or no more, when somebody says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.requests import preview_request
from bot.durations import duration, shown
from bot.errors import Refused
from bot.gates import policy
from bot.gates.facts import Facts
from bot.github.pulls import PullRequest
from bot.previews import preview_environment
from bot.repo_config.previews import PreviewsConfig
from bot.store.changes import EndPreview, ExtendPreview, OpenPreview
from bot.store.previews import Preview

BY_ITSELF = "pull_request"
"""The face of a preview that nobody asked for: the pull request's own event did."""


async def preview(office: Office, order: Order, facts: Facts) -> Outcome:
    """Open it or bring it to the head, extend it, or stop it. Raises Refused."""
    number = _number_meant(order)
    if order.command.has("stop"):
        return await _stop(office, order, number)
    length = order.command.get("extend")
    if length is not None:
        return await _extend(office, order, facts, number, duration(length))
    return await _open(office, order, facts, number)


def _number_meant(order: Order) -> int:
    """The pull request named, else the one it was said on."""
    named = order.command.get("pull")
    if named is not None:
        return int(named.lstrip("#"))
    if order.number is None or not order.is_pull:
        raise Refused("preview_needs_pull")
    return order.number


async def _open(office: Office, order: Order, facts: Facts, number: int) -> Outcome:
    """Settings are the default branch's: a stacked pull request's base is a branch that nobody protects."""
    pull = await facts.pull(number)
    await _require_previewable(office, order, pull)
    config = await facts.config(await facts.default_branch())
    _require_on(config.previews)
    ends_at = await _end_of(office, order, number, config.previews)
    job = preview_request(order, config, pull, ends_at, office.targets)
    repository, installation_id = order.repository, order.origin.installation_id
    change = OpenPreview(repository, installation_id, number, ends_at, config.previews.most)
    return Outcome("acted", "preview_asked", jobs=(job,), changes=(change,), rules={"most": config.previews.most})


async def _require_previewable(office: Office, order: Order, pull: PullRequest) -> None:
    """An open pull request of this very repository, at the head that was announced. A fork's never, trusted or not."""
    if pull.from_fork:
        raise Refused("preview_of_fork", head=pull.head_repository)
    policy.require_open(pull)
    if order.origin.face != BY_ITSELF:
        told = await office.records.deliveries.latest_head(order.repository.id, pull.number)
        policy.require_still_head(pull, told, order.received_seq)


def _require_on(previews: PreviewsConfig) -> None:
    if not previews.enabled:
        raise Refused("previews_off")


async def _end_of(office: Office, order: Order, number: int, previews: PreviewsConfig) -> datetime:
    """Its time begins anew; what was extended stays so."""
    known = await office.records.previews.of(order.repository.id, number)
    ends_at = office.clock() + timedelta(seconds=previews.ttl_s)
    return max(ends_at, known.ends_at) if known is not None and known.ending is None else ends_at


async def _extend(office: Office, order: Order, facts: Facts, number: int, length: timedelta) -> Outcome:
    """Longer than it was to live, but no further ahead than the settings allow."""
    known = await _known(office, order, number)
    previews = (await facts.config(await facts.default_branch())).previews
    now, longest = office.clock(), timedelta(seconds=previews.longest_s)
    ends_at = max(now, known.ends_at) + length
    if ends_at > now + longest:
        raise Refused("preview_too_long", longest=shown(longest), environment=known.environment)
    text = office.say("preview.extended", environment=known.environment, until=until(ends_at))
    change = ExtendPreview(order.repository.id, number, ends_at)
    return Outcome("acted", "preview_extended", answers=(office.answer(order, text, "+1"),), changes=(change,))


async def _stop(office: Office, order: Order, number: int) -> Outcome:
    known = await _known(office, order, number)
    text = office.say("preview.stopped", environment=known.environment)
    change = EndPreview(order.repository.id, number, "stopped", order.origin.actor)
    return Outcome("acted", "preview_stopped", answers=(office.answer(order, text, "+1"),), changes=(change,))


async def _known(office: Office, order: Order, number: int) -> Preview:
    known = await office.records.previews.of(order.repository.id, number)
    if known is None or known.ending is not None:
        raise Refused("no_preview", number=number, environment=preview_environment(number))
    return known


def until(at: datetime) -> str:
    """A moment for people, to the minute, in UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC")
