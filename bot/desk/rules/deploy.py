"""`/deploy`: the pull request's head, or a ref of this repository, pinned to the commit it is now."""

from __future__ import annotations

import asyncio

from bot import policy
from bot.desk.facts import Facts
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.requests import deploy_request
from bot.errors import Refused
from bot.github.pulls import PullRequest
from bot.repo_config import RepoConfig


async def deploy(office: Office, order: Order, facts: Facts) -> Outcome:
    """Raises Refused("pull_needed") where neither a ref nor a pull request says what to deploy."""
    ref = order.command.get("ref")
    if ref is None and order.is_pull and order.number is not None:
        return await _deploy_pull(office, order, facts, order.number)
    if ref is None:
        raise Refused("pull_needed")
    commit = facts.commit(ref, is_ours=ref == order.known_sha)
    config, sha = await asyncio.gather(office.base_config(order, facts), commit)
    return _accept(office, order, config, sha, ref, None)


async def _deploy_pull(office: Office, order: Order, facts: Facts, number: int) -> Outcome:
    pull = await facts.pull(number)
    policy.require_deployable(pull)
    told = await office.records.deliveries.latest_head(order.repository.id, number)
    policy.require_still_head(pull, told, order.received_seq)
    config = await facts.config(pull.base_ref)
    return _accept(office, order, config, pull.head_sha, pull.head_ref, pull)


def _accept(office: Office, order: Order, config: RepoConfig, sha: str, ref: str, pull: PullRequest | None) -> Outcome:
    environment = policy.pick_environment(config, order.command.get("environment"))
    job = deploy_request(
        order.repository,
        config,
        environment,
        sha=sha,
        ref=ref,
        origin=order.origin,
        targets=office.targets,
        follows_pull=pull.number if pull else None,
    )
    return Outcome("acted", "deploy_asked", jobs=(job,))
