"""`/deploy`: the pull request's head, or a ref of this repository, pinned to the commit it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.desk.admission import admitted, decided
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.requests import deploy_request
from bot.errors import Refused
from bot.gates import policy
from bot.gates.facts import Facts
from bot.model import JobRequest
from bot.repo_config.config import EnvironmentConfig, RepoConfig


@dataclass(frozen=True, slots=True)
class Commit:
    """What is to be deployed, and the settings of the base branch that hold for it."""

    config: RepoConfig
    sha: str
    ref: str
    pull: int | None = None
    """The pull request whose head it is."""


async def deploy(office: Office, order: Order, facts: Facts) -> Outcome:
    """To each environment named, all decided before any begins. Raises Refused."""
    commit = await _commit_meant(office, order, facts)
    environments = policy.pick_environments(commit.config, order.command.get("environment"))
    jobs: list[JobRequest] = []
    for environment in in_order(environments):
        before = next((job for job in jobs if job.environment == environment.rules.after), None)
        jobs.append(await _job(office, order, facts, commit, environment, before))
    rules = {name: told for job in jobs for name, told in decided(job).items()}
    return Outcome("acted", "deploy_asked", jobs=tuple(jobs), rules=rules)


async def _commit_meant(office: Office, order: Order, facts: Facts) -> Commit:
    """Raises Refused("pull_needed") where neither a ref nor a pull request says what to deploy."""
    ref = order.command.get("ref")
    if ref is None and order.is_pull and order.number is not None:
        return await head_of_pull(office, order, facts, order.number)
    if ref is None:
        raise Refused("pull_needed")
    if order.pinned_sha is not None:
        return Commit(await office.base_config(order, facts), order.pinned_sha, ref)
    if ref == order.known_sha and (fork := await office.records.approvals.trusted_pull(order.repository.id, ref)):
        return await _same_head(office, order, facts, fork)
    return await _named(office, order, facts, ref)


async def _named(office: Office, order: Order, facts: Facts, ref: str) -> Commit:
    """Raises Refused("ref_not_found"), or "environment_for_ref" for what is the name of an environment."""
    commit = facts.commit(ref, is_ours=ref == order.known_sha)
    try:
        config, sha = await asyncio.gather(office.base_config(order, facts), commit)
    except Refused as refused:
        if refused.code == "ref_not_found" and ref in (await office.base_config(order, facts)).environments:
            raise Refused("environment_for_ref", environment=ref) from refused
        raise
    return Commit(config, sha, ref)


async def head_of_pull(office: Office, order: Order, facts: Facts, number: int) -> Commit:
    """The head that was announced here before the order came. Raises Refused for a fork's, a closed or a moved one."""
    pull = await facts.pull(number)
    approvals = office.records.approvals
    trusted = pull.from_fork and await approvals.trusted_pull(order.repository.id, pull.head_sha) == number
    policy.require_deployable(pull, trusted=trusted)
    told = await office.records.deliveries.latest_head(order.repository.id, number)
    policy.require_still_head(pull, told, order.received_seq)
    return Commit(await facts.settings_for(pull), pull.head_sha, pull.head_ref, pull.number)


async def _same_head(office: Office, order: Order, facts: Facts, number: int) -> Commit:
    """Once more what a maintainer trusted of a fork: only while it still is the head. Raises Refused("head_moved")."""
    commit = await head_of_pull(office, order, facts, number)
    if commit.sha != order.known_sha:
        raise Refused("head_moved", before=(order.known_sha or "")[:7], now=commit.sha[:7])
    return commit


def in_order(environments: Sequence[EnvironmentConfig]) -> list[EnvironmentConfig]:
    """As they were named, but each after the one it has to come `after`."""
    ordered: list[EnvironmentConfig] = []
    left = list(environments)
    while left:
        names = {environment.name for environment in left}
        free = next((environment for environment in left if environment.rules.after not in names), left[0])
        left.remove(free)
        ordered.append(free)
    return ordered


async def _job(
    office: Office,
    order: Order,
    facts: Facts,
    commit: Commit,
    environment: EnvironmentConfig,
    before: JobRequest | None,
) -> JobRequest:
    job = deploy_request(
        order.repository,
        commit.config,
        environment,
        sha=commit.sha,
        ref=commit.ref,
        origin=order.origin,
        targets=office.targets,
        follows_pull=commit.pull,
        command=order.command,
        given=order.given,
    )
    return await admitted(office, order, facts, environment.rules, job, before)
