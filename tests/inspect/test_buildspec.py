"""The buildspec that builds and pushes an application."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.inspect.buildspec import buildspec
from bot.inspect.errors import UnsafeCommand
from bot.inspect.model import AppPlan


def _spec(plan: AppPlan, **options: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(buildspec(plan, **options))
    return parsed


def _commands(spec: dict[str, Any]) -> list[str]:
    return [command for phase in spec["phases"].values() for command in phase["commands"]]


def test_it_logs_in_builds_pushes_and_reports_the_digest() -> None:
    spec = _spec(AppPlan(".", dockerfile="Dockerfile", docker_context="."))
    text = "\n".join(_commands(spec))
    assert spec["version"] == 0.2
    for part in ("get-login-password", "buildx build --push", "--cache-from", "--cache-to", "containerimage.digest"):
        assert part in text
    assert spec["artifacts"]["files"] == ["image.json", "imagedefinitions.json"]


def test_a_failed_build_stops_before_anything_is_reported() -> None:
    assert _spec(AppPlan("."))["phases"]["post_build"]["commands"][0] == 'test "$CODEBUILD_BUILD_SUCCEEDING" = 1'


@pytest.mark.parametrize("name", ["a b/Dockerfile", "$(touch x)/Dockerfile", "a;b", "--option", "it's", "`id`"])
def test_names_from_the_repository_stay_one_word(name: str) -> None:
    build = _spec(AppPlan("."), dockerfile=name)["phases"]["build"]["commands"][0]
    words = shlex.split(build)
    assert words[words.index("--file") + 1].removeprefix("./") == name


def test_every_command_is_one_that_a_shell_can_read() -> None:
    for command in _commands(_spec(AppPlan("."), buildkit_image="mirror/buildkit:1")):
        assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0


def test_a_control_character_is_refused() -> None:
    with pytest.raises(UnsafeCommand):
        buildspec(AppPlan("."), dockerfile="a\nb")


def test_no_secret_is_passed_as_a_build_argument() -> None:
    arguments = [
        word for word in shlex.split(_spec(AppPlan("."))["phases"]["build"]["commands"][0]) if "REGISTRY" in word
    ]
    assert arguments == ["REGISTRY=public.ecr.aws/docker/library"]


def test_what_was_generated_is_written_as_it_is_before_anything_is_built(tmp_path: Path) -> None:
    text = """# syntax=docker/dockerfile:1\nRUN echo "$HOME" `id` 'x' \\\n  <<EOF\nEOF\n"""
    commands = _spec(AppPlan("."), files={"a b.Dockerfile": text})["phases"]["pre_build"]["commands"]
    subprocess.run(["bash", "-c", f"eval {shlex.quote(commands[0])}"], cwd=tmp_path, check=True)
    assert (tmp_path / "a b.Dockerfile").read_text() == text


def test_arguments_and_labels_stay_one_word_each_and_may_name_the_registry() -> None:
    given = {"GREETING": "it's $HOME; id", "REGISTRY": "mirror:5000"}
    build = _spec(AppPlan("."), build_args=given, labels={"shipmate.job": "dep_1"})["phases"]["build"]["commands"][0]
    words = shlex.split(build)
    named = [words[at + 1] for at, word in enumerate(words) if word in {"--build-arg", "--label"}]
    assert named == ["REGISTRY=mirror:5000", "GREETING=it's $HOME; id", "shipmate.job=dep_1"]


@pytest.mark.parametrize(("given", "tag"), [({}, "f" * 40), ({"IMAGE_TAG": "acme-api-main-1"}, "acme-api-main-1")])
def test_the_tag_is_the_one_given_or_the_commit(given: dict[str, str], tag: str) -> None:
    (command,) = [one for one in _commands(_spec(AppPlan("."))) if one.startswith("TAG=")]
    variables = {"CODEBUILD_RESOLVED_SOURCE_VERSION": "f" * 40, **given}
    done = subprocess.run(
        ["bash", "-c", f'{command}; echo "$TAG"'], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == tag
