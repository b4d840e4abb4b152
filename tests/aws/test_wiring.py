"""The target `ecs` is there where a region is set, and nothing is asked of AWS before a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws.codebuild import CodeBuild
from bot.audit import AuditEntry
from bot.clock import utc_now
from bot.composition.amazon import open_accounts
from bot.composition.house import open_all_engines
from bot.config import from_environment
from bot.errors import Permanent, UserMistake
from bot.masking import Masker
from bot.ports.engines import Errand, RolloutEngine
from bot.store.connections import AwsConnection
from storage.opened import open_store

REGION = {"AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("given", "targets"),
    [
        ({}, ["docker"]),
        (REGION, ["docker", "ecs"]),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, ["docker", "ecs"]),
        ({**REGION, "SHIPMATE_ENGINE": "process"}, ["process", "ecs"]),
    ],
)
async def test_targets_are_what_the_settings_allow(given: dict[str, str], targets: list[str], tmp_path: Path) -> None:
    settings = from_environment({"SHIPMATE_WORKDIR": str(tmp_path), **given})
    async with open_all_engines(settings, Masker()) as engines:
        assert list(engines) == targets
        assert isinstance(engines.get("ecs"), RolloutEngine) is ("ecs" in targets)


async def test_without_a_docker_engine_codebuild_builds_and_nothing_else(tmp_path: Path) -> None:
    settings = from_environment({"SHIPMATE_WORKDIR": str(tmp_path), "SHIPMATE_ENGINE": "process", **REGION})
    async with open_all_engines(settings, Masker()) as engines:
        ecs = engines["ecs"]
        assert isinstance(ecs, RolloutEngine)
        assert isinstance(ecs.remote, CodeBuild)
        with pytest.raises(Permanent, match="builder_missing"):
            await ecs.builder.mounts_caches()
        await ecs.forget_image("sha256:1")


async def test_an_account_is_entered_by_a_connection_and_nothing_is_asked_of_aws_before(tmp_path: Path) -> None:
    settings = from_environment({"SHIPMATE_WORKDIR": str(tmp_path), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    opened = await open_store(f"sqlite:///{tmp_path}/s.db", secret_key=b"k" * 32)
    lent = AwsConnection("aws_0123456789", "eu-west-1", "210987654321", None, utc_now())
    keys = {"region": "eu-west-1", "access_key_id": "AKIAEXAMPLEEXAMPLE00", "secret_access_key": "secret"}
    errand = Errand(lent.id, "acme/api", "production")
    told = AuditEntry("alice", "shell", "connect aws", "acted", "connection_lent")
    async with open_accounts(settings, None, Masker(), opened.store.connections) as accounts:
        with pytest.raises(Permanent, match="connection_removed"):
            async with accounts.entered(errand):
                pass
        await opened.store.connections.put_aws(lent, keys, told)
        async with accounts.entered(errand) as engine, accounts.entered(errand) as again:
            assert engine.name == "ecs"
            assert again is engine
    await opened.close()


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(UserMistake, match="AWS_ENDPOINT_URL"):
        from_environment({**REGION, "AWS_ENDPOINT_URL": "localhost"})


def test_the_registry_may_have_another_name() -> None:
    settings = from_environment({**REGION, "SHIPMATE_ECR_HOST": "mirror:5000"})
    assert settings.aws is not None
    assert settings.aws.registry_host == "mirror:5000"
