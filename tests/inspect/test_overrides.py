"""What .shipmate.yml says under `build:` wins, is checked, and reaches the Dockerfile."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.inspect.dockerfile import generate
from bot.inspect.errors import BadInput, CannotGenerate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, BuildOverrides
from bot.inspect.overrides import BUILD_SCHEMA, overrides_from, overrides_in
from bot.inspect.reader import Reader
from bot.inspect.tree import ListingTree
from bot.repo_config.reading import parse_config, schema
from tests.inspect.samples import SAMPLES

_FASTAPI = {"requirements.txt": "fastapi\nuvicorn\n", "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n"}


def _with(files: dict[str, str], **build: Any) -> AppPlan:
    return inspect_tree(ListingTree([], files), overrides_from(build)).apps[0]


def test_every_override_wins_over_every_rule() -> None:
    app = _with(
        _FASTAPI, framework="starlette", runtime=3.11, install="pip install x", build="make", start="./go", port=1
    )
    assert (app.framework, app.runtime_version, app.install) == ("starlette", "3.11", "pip install x")
    assert (app.build, app.start, app.port) == ("make", "./go", 1)
    assert {item.path for item in app.evidence if item.rule == "override"} == {".shipmate.yml"}


def test_a_named_language_decides_between_two() -> None:
    files = {**_FASTAPI, "package.json": '{"dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}'}
    assert _with(files, language="python").framework == "fastapi"
    assert _with(files, language="node").framework == "express"


def test_a_language_nobody_knows_is_said() -> None:
    inspection = inspect_tree(ListingTree([], _FASTAPI), BuildOverrides(language="cobol"))
    assert "unknown_language" in {notice.code for notice in inspection.warnings}


def test_a_static_folder_makes_a_site() -> None:
    app = _with({"package.json": '{"scripts": {"build": "make"}}'}, static="www")
    assert (app.static_output, app.start, app.port) == ("www", None, 8080)


def test_the_only_application_takes_the_overrides_wherever_it_stands() -> None:
    app = _with({"service/go.mod": "module x\n", "service/main.go": "package main\n"}, port=7000)
    assert (app.path, app.port) == ("service", 7000)


def test_install_and_build_reach_the_dockerfile() -> None:
    tree = ListingTree([], _FASTAPI)
    plan = inspect_tree(
        tree, BuildOverrides(install="pip install -r requirements.txt --no-deps", build="make css")
    ).apps[0]
    text = generate(plan, tree).dockerfile
    assert "pip install -r requirements.txt --no-deps" in text
    assert "RUN make css" in text


_KINDS = (
    "gin", "aspnetcore", "dotnet-worker", "shelf", "axum", "rocket", "vapor", "kemal", "scotty", "drogon",
    "spring-boot", "ktor", "play", "ring", "phoenix", "wisp", "rails", "laravel", "express", "nextjs", "fastapi",
    "django", "fresh",
)  # fmt: skip


@pytest.mark.parametrize("framework", _KINDS)
def test_what_is_said_of_install_build_and_start_reaches_every_dockerfile(framework: str) -> None:
    tree = SAMPLES[framework].tree()
    said = BuildOverrides(install="make deps", build="make all", start="./serve --fast")
    lines = generate(inspect_tree(tree, said).apps[0], tree).dockerfile.splitlines()
    install = next(n for n, line in enumerate(lines) if line.startswith("RUN ") and "make deps" in line)
    build = next(n for n, line in enumerate(lines) if line.startswith("RUN ") and "make all" in line)
    assert install < build
    assert "COPY . ." in [line.replace("./", ".") for line in lines[:install]], "what make reads is there"
    assert "./serve" in lines[-1]


@pytest.mark.parametrize("framework", ["spring-boot", "play", "ring"])
@pytest.mark.parametrize(
    ("runtime", "image"), [("temurin-21", "21"), ("1.8", "8"), ("17", "17"), ("latest", "21"), ("22", "25")]
)
def test_java_is_found_in_any_spelling_of_its_version(framework: str, runtime: str, image: str) -> None:
    tree = SAMPLES[framework].tree()
    text = generate(inspect_tree(tree, BuildOverrides(runtime=runtime)).apps[0], tree).dockerfile
    assert f"eclipse-temurin:{image}-jre" in text


@pytest.mark.parametrize(
    "framework", ["gin", "fastapi", "express", "rails", "axum", "aspnetcore", "phoenix", "laravel"]
)
def test_a_version_that_would_change_the_instruction_is_refused(framework: str) -> None:
    tree = SAMPLES[framework].tree()
    plan = inspect_tree(tree, BuildOverrides(runtime="3 AS x\nRUN touch /x")).apps[0]
    with pytest.raises(CannotGenerate):
        generate(plan, tree)


@pytest.mark.parametrize(
    "build",
    [{"ports": 1}, {"port": 0}, {"port": "80"}, {"port": True}, {"start": ""}, {"start": ["a"]}, {"runtime": True}],
)
def test_a_wrong_setting_is_refused_by_name_and_by_schema(build: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=next(iter(build))):
        overrides_from(build)
    assert not Draft202012Validator(dict(BUILD_SCHEMA)).is_valid(build)


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../../b", ".."])
def test_the_schema_refuses_paths_that_lead_out(path: str) -> None:
    assert not Draft202012Validator(dict(BUILD_SCHEMA)).is_valid({"dockerfile": path})


def test_the_schema_knows_every_override() -> None:
    assert set(BUILD_SCHEMA["properties"]) - {"args"} == {field.name for field in fields(BuildOverrides)}
    assert Draft202012Validator(dict(BUILD_SCHEMA)).is_valid(
        {"runtime": 3.12, "port": 80, "context": "a/b", "start": "x"}
    )


def test_a_tree_s_own_settings_are_read() -> None:
    reader = Reader(ListingTree([], {".shipmate.yml": "build:\n  port: 81\n"}))
    assert overrides_in(reader) == BuildOverrides(port=81)
    assert overrides_in(Reader(ListingTree([], {"a": ""}))) is None


def test_the_published_schema_says_the_same_of_build() -> None:
    assert _resolved(schema()["$defs"]["build"]) == BUILD_SCHEMA


def _resolved(node: Any) -> Any:
    """A schema with its references to the published definitions filled in."""
    if not isinstance(node, dict):
        return node
    meant = schema()["$defs"][node["$ref"].rpartition("/")[2]] if isinstance(node.get("$ref"), str) else {}
    return {**meant, **{key: _resolved(value) for key, value in node.items() if key != "$ref"}}


def test_build_arguments_are_the_builders_and_override_nothing() -> None:
    assert overrides_from({"args": {"A": "b"}}) == BuildOverrides()


_TWO = {
    f"{name}/package.json": '{"dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}' for name in "ab"
}


@pytest.mark.parametrize("path", ["b", "./b", "b/"])
def test_the_named_application_stands_first_and_takes_the_rest(path: str) -> None:
    inspection = inspect_tree(ListingTree([], _TWO), overrides_from({"path": path, "port": 9}))
    assert [(app.path, app.port) for app in inspection.apps] == [("b", 9), ("a", 3000)]
    assert inspection.question() is None


def test_each_choice_of_a_question_settles_it_when_it_is_written_down() -> None:
    for choice in inspect_tree(ListingTree([], _TWO)).choices():
        settings = parse_config(choice.encode(), "main").build
        again = inspect_tree(ListingTree([], _TWO), overrides_from(settings))
        assert again.apps[0].path == settings["path"]
        assert again.choices() == ()


def test_a_named_folder_is_the_application_even_where_examples_are() -> None:
    files = {**_FASTAPI, "examples/site/package.json": '{"scripts": {"start": "node x.js"}}', "examples/site/x.js": ""}
    inspection = inspect_tree(ListingTree([], files), BuildOverrides(path="examples/site"))
    assert inspection.apps[0].path == "examples/site"
    assert inspection.apps[0].start == "npm run start"
    assert inspection.question() is None


def test_a_named_folder_without_an_application_is_said() -> None:
    inspection = inspect_tree(ListingTree([], _FASTAPI), BuildOverrides(path="nowhere"))
    assert "unknown_path" in {notice.code for notice in inspection.warnings}
    assert [app.path for app in inspection.apps] == ["."]


def test_a_runtime_written_as_a_number_is_the_version_it_looks_like() -> None:
    reader = Reader(ListingTree([], {".shipmate.yml": "build:\n  runtime: 3.10\n"}))
    assert overrides_in(reader) == BuildOverrides(runtime="3.10")
