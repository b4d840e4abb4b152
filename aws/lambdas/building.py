"""Begins the CodeBuild build of a deployment, as its job will order it; the job finds that build by its own id."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from aws.clients import AwsClients
from aws.codebuild import CodeBuild
from aws.ecr import EcrRegistry, Login
from aws.lambdas.finding import Subject
from aws.lambdas.listed import ListedRecipe, recipe_in
from aws.lambdas.settings import LambdaSettings
from bot.asked import FACE, Asked
from bot.errors import Permanent
from bot.github.files import CommitFiles
from bot.inspect.remote import read_remote
from bot.jobs.deploy.plan import build_arguments
from bot.jobs.deploy.rollout.order import remote_order
from bot.model import Job, JobKind, Origin
from bot.ports.images import Registry, RemoteOrder
from bot.repo_config.config import EnvironmentConfig
from bot.repo_config.ecs import CODEBUILD


class Builds:
    """Begins builds in the account that this runs in."""

    def __init__(self, clients: AwsClients, settings: LambdaSettings, *, first_pause_s: float = 1.0) -> None:
        self._settings = settings
        self._registry = EcrRegistry(clients, _pushes_nothing, settings.owner, host=settings.registry_host)
        self._codebuild = CodeBuild(clients, settings.owner, self._registry.ensure, first_pause_s=first_pause_s)

    async def __call__(self, asked: Asked, subject: Subject) -> str | None:
        """The id of the build; None where the environment has another builder, or only a checkout tells what to do."""
        if not builds_here(subject.environment):
            return None
        tree = await read_remote(CommitFiles(subject.facts.client, subject.found.sha))
        recipe = await asyncio.to_thread(recipe_in, tree, subject.build)
        if recipe is None:
            return None
        order = order_of(asked, subject, recipe, self._settings)
        address = await self._registry.ensure(order.image_repository, lambda line: None)
        return await self._codebuild.begin(order, address)


def builds_here(environment: EnvironmentConfig) -> bool:
    """Whether its images are made by CodeBuild in this very account, in a project or by a role that is there already.

    A role that has yet to be made is the server's to make.
    """
    ecs = environment.ecs
    settings = ecs.get(CODEBUILD) or {}
    by_us = ecs.get("builder") == CODEBUILD and environment.connection is None
    return environment.target == "ecs" and by_us and bool(settings.get("service_role") or settings.get("project"))


def order_of(asked: Asked, subject: Subject, recipe: ListedRecipe, settings: LambdaSettings) -> RemoteOrder:
    """What is ordered for it."""
    job = _job_of(asked, subject)
    return remote_order(
        job,
        recipe.app,
        dockerfile=recipe.dockerfile,
        context=recipe.context,
        files=recipe.files,
        build_args=build_arguments(subject.build, settings.base_registry),
        source=f"{settings.url}/{quote(job.repository.full_name)}.git",
        settings=subject.environment.ecs.get(CODEBUILD) or {},
    )


def _job_of(asked: Asked, subject: Subject) -> Job:
    """The job it will be, as far as names are made of it."""
    found = subject.found
    return Job(
        id=asked.id,
        kind=JobKind.DEPLOY,
        state=asked.state,
        lane="",
        repository=found.repository,
        sha=found.sha,
        ref=asked.branch,
        environment=found.environment,
        origin=Origin(FACE, found.login, found.installation_id),
        spec={},
        created_at=asked.created_at,
    )


def _pushes_nothing(login: Login) -> Registry:
    raise Permanent("builder_missing", builder=CODEBUILD)
