"""What is said about a repository's own Dockerfile, and what is asked when the application is not clear."""

from __future__ import annotations

import pytest

from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import ListingTree


def _said(dockerfile: str, *paths: str) -> dict[str, int | None]:
    inspection = inspect_tree(ListingTree([*paths], {"Dockerfile": dockerfile}))
    return {notice.code: notice.line for notice in inspection.warnings}


def test_a_sound_dockerfile_is_not_complained_about() -> None:
    text = "FROM public.ecr.aws/docker/library/python:3.13\nCOPY app.py ./\nUSER 1000\nEXPOSE 80\nCMD python app.py\n"
    assert _said(text, "app.py") == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("COPY missing.txt ./", "copy_source_missing"),
        ("COPY target/app.jar ./", "needs_prebuild"),
        ("RUN npm ci", "lock_missing"),
        ("RUN yarn install --frozen-lockfile", "lock_missing"),
    ],
)
def test_what_will_fail_is_said_with_its_line(line: str, code: str) -> None:
    assert _said(f"FROM quay.io/x/y:1\n{line}\nUSER 1\nEXPOSE 80\n") == {code: 2}


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("COPY themes ./themes", "themes/dark/theme.toml"),
        ("COPY vendor/ ./vendor/", "vendor/github.com/x/y.go"),
        ("COPY config/. /etc/app/", "config/app.conf"),
        ("COPY ./ ./", "app.py"),
        ("COPY --parents ./src/./app.py ./", "src/app.py"),
    ],
)
def test_what_is_there_is_not_told_as_missing(line: str, path: str) -> None:
    assert _said(f"FROM quay.io/x/y:1\n{line}\nUSER 1\nEXPOSE 80\n", path) == {}


def test_a_lock_file_that_is_copied_with_its_folder_is_not_told_as_missing() -> None:
    text = "FROM quay.io/x/y:1\nCOPY ./service .\nRUN pnpm install --frozen-lockfile\nUSER 1\nEXPOSE 80\n"
    assert _said(text, "service/pnpm-lock.yaml") == {}
    assert set(_said(text, "service/index.js")) == {"lock_missing"}


@pytest.mark.parametrize("platform", ["TARGETVARIANT", "BUILDVARIANT"])
def test_an_argument_that_the_builder_gives_is_not_told_as_open(platform: str) -> None:
    assert _said(f"FROM quay.io/x/${platform}:1\nUSER 1\nEXPOSE 80\n") == {}


def test_root_docker_hub_and_a_missing_port_are_said() -> None:
    assert _said("FROM node:22\nCMD x\n") == {"docker_hub": 1, "runs_as_root": 1, "no_expose": None}


def test_an_argument_that_someone_must_pass_is_said() -> None:
    assert "argument_without_default" in _said("ARG BASE\nFROM ${BASE}\nUSER 1\nEXPOSE 80\n")
    assert "argument_without_default" not in _said("ARG BASE=quay.io/x/y:1\nFROM ${BASE}\nUSER 1\nEXPOSE 80\n")


def test_a_dockerfile_without_a_stage_is_said() -> None:
    assert set(_said("# nothing\n")) == {"dockerfile_empty"}


def test_one_sure_application_asks_nothing() -> None:
    files = {"requirements.txt": "fastapi\n", "main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}
    assert inspect_tree(ListingTree([], files)).question() is None


def test_two_equal_applications_are_asked_about_with_ready_made_settings() -> None:
    files = {
        f"{name}/package.json": '{"dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}' for name in "ab"
    }
    question = inspect_tree(ListingTree([], files)).question()
    assert question is not None
    assert question.count("build:\n") == 2
    assert 'path: "b"' in question


def test_nothing_found_asks_for_everything() -> None:
    question = inspect_tree(ListingTree(["README.md"], {})).question()
    assert question is not None
    assert "start:" in question
