"""Repositories without a Dockerfile: a guess that does not hold is told with the setting that mends it."""

from __future__ import annotations

import json

import pytest

from tests.fake_engine import dockerfile
from tests.world import SETTINGS, World

PYTHON = {
    "requirements.txt": "flask\n",
    "main.py": "from flask import Flask\napp = Flask(__name__)\n",
    ".python-version": "3.12\n",
}
VITE = {
    "package.json": json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "5.4.21"}}, indent=1),
    "index.html": "<p>hi</p>",
}


async def pushed(world: World, files: dict[str, str]) -> str:
    """The summary of what became of a push of these files alone."""
    await world.github.create_repo("acme/guess", files={"README.md": "hello\n"})
    sha = (await world.github.push("acme/guess", files=files)).sha
    await world.settle()
    (run,) = [run for run in world.github.check_runs("acme/guess") if run.head_sha == sha]
    return run.summary or ""


@pytest.mark.parametrize(
    ("files", "breaks", "told"),
    [
        (PYTHON, "pip install", "set `build.install` in `.shipmate.yml`"),
        (VITE, "npm run build", "`npm run build` was read from `package.json:3`; if that is wrong, set `build.build`"),
        (VITE, "COPY --from=build /app/dist/", "`dist` was"),
        (
            PYTHON,
            "FROM ${REGISTRY}/python",
            "`3.12` was read from `.python-version:1`; if that is wrong, set `build.runtime`",
        ),
    ],
)
async def test_a_step_that_fails_names_the_setting_behind_it(
    world: World, files: dict[str, str], breaks: str, told: str
) -> None:
    world.engine.breaks = breaks
    assert told in await pushed(world, files)


async def test_a_start_that_ends_names_where_it_was_read(world: World) -> None:
    told = await pushed(world, {**PYTHON, "Procfile": "web: exit 3\n"})
    assert "ended with exit code 3" in told
    assert "`exit 3` was read from `Procfile:1`; if that is wrong, set `build.start` in `.shipmate.yml`" in told


async def test_a_port_nobody_listens_at_names_where_it_was_read(world: World) -> None:
    settings = SETTINGS.replace("health_timeout: 5", "health_timeout: 1")
    told = await pushed(world, {**PYTHON, "Procfile": "web: deaf\n", ".shipmate.yml": settings})
    assert "connection refused" in told
    assert "set `build.port` in `.shipmate.yml`" in told


async def test_a_repository_that_says_nothing_is_told_what_to_write(world: World) -> None:
    told = await pushed(world, {"requirements.txt": "requests\n"})
    assert "says how the application is started" in told
    assert "`build: {start: <the command that starts it>" in told


async def test_two_applications_are_asked_about_and_the_answer_settles_it(world: World) -> None:
    manifest = '{"dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}'
    files = {f"{name}/package.json": manifest for name in ("api", "web")}
    told = await pushed(world, files)
    assert '`build: {path: "api"}`, `build: {path: "web"}`' in told
    assert world.engine.built == []
    await world.github.push("acme/guess", files={".shipmate.yml": 'build: {path: "web", start: serve web}\n'})
    await world.settle()
    assert [request.context.name for request in world.engine.built] == ["web"]
    assert world.engine.running == ["web"]


async def test_a_path_without_an_application_is_told(world: World) -> None:
    told = await pushed(world, {**PYTHON, ".shipmate.yml": "build: {path: nowhere}\n"})
    assert "`nowhere`" in told
    assert "Correct `build.path`" in told


async def test_a_custom_start_and_port_are_used_beside_a_dockerfile_of_ones_own(world: World) -> None:
    settings = SETTINGS + "build: {start: serve custom, port: 7000, install: make}\n"
    await world.push_files({"Dockerfile": dockerfile("image"), ".shipmate.yml": settings})
    await world.settle()
    (copy,) = world.engine.copies.values()
    assert (copy.spec.command, copy.spec.port) == ("serve custom", 7000)
    (job,) = await world.jobs()
    messages = [event.message for event in await world.store.jobs.story(job.id)]
    assert any("build.install say nothing here" in message for message in messages)


async def test_a_dockerfile_outside_of_its_context_is_built_all_the_same(world: World) -> None:
    settings = SETTINGS + "build: {dockerfile: docker/Dockerfile.web, context: src}\n"
    await world.push_files({"docker/Dockerfile.web": dockerfile("inner"), "src/a": "", ".shipmate.yml": settings})
    await world.settle()
    assert await world.serves() == "inner"
    assert world.engine.built[0].context.name == "src"


async def test_an_application_brings_its_own_dockerfile_from_its_folder(world: World) -> None:
    files = {"svc/go.mod": "module x\n", "svc/main.go": "package main\n", "svc/Dockerfile": dockerfile("folder")}
    await pushed(world, files)
    assert [request.dockerfile for request in world.engine.built] == ["Dockerfile"]
    assert world.engine.running == ["folder"]


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
async def test_nothing_is_written_through_a_link_of_the_commit(world: World, name: str) -> None:
    victim = world.folder / "victim"
    await world.github.create_repo("acme/guess", files={"README.md": "hello\n"})
    files = {**PYTHON, "Procfile": "web: serve linked\n"}
    await world.github.push("acme/guess", files=files, links={name: str(victim)})
    await world.settle()
    assert not victim.exists()
    assert world.engine.running == ["linked"]


async def test_a_context_that_is_a_link_out_of_the_tree_is_refused(world: World) -> None:
    await world.github.create_repo("acme/guess", files={"README.md": "hello\n"})
    settings = "build: {dockerfile: Dockerfile, context: out}\n"
    files = {"Dockerfile": dockerfile("x"), ".shipmate.yml": settings}
    await world.github.push("acme/guess", files=files, links={"out": "/etc"})
    await world.settle()
    (run,) = world.github.check_runs("acme/guess")
    assert "Correct `build.context`" in (run.summary or "")
    assert world.engine.built == []


async def test_a_folder_called_dockerfile_breaks_nothing(world: World) -> None:
    await pushed(world, {**PYTHON, "Procfile": "web: serve folder\n", "Dockerfile/readme.txt": "odd\n"})
    assert world.engine.running == ["folder"]
