"""The target `ecs` is there where a region is set, and nothing is asked of AWS before a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws.codebuild import CodeBuild
from bot.composition.house import open_all_engines
from bot.config import from_environment
from bot.errors import Permanent, UserMistake
from bot.masking import Masker
from bot.ports import RolloutEngine

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


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(UserMistake, match="AWS_ENDPOINT_URL"):
        from_environment({**REGION, "AWS_ENDPOINT_URL": "localhost"})


def test_the_registry_may_have_another_name() -> None:
    settings = from_environment({**REGION, "SHIPMATE_ECR_HOST": "mirror:5000"})
    assert settings.aws is not None
    assert settings.aws.registry_host == "mirror:5000"
