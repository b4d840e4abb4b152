"""Several programs of one build, and what is only a part of another application."""

from __future__ import annotations

import json

import pytest

from bot.inspect.dockerfile import generate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import BuildOverrides, Inspection
from bot.inspect.tree import ListingTree

_WEB = '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup>'
_BOOT = "<build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>"
_STARTER = "<dependencies><dependency><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies>"
_NAMES = ("api", "jobs")
_MODULES = "".join(f"<module>{name}</module>" for name in _NAMES)
DOTNET = {
    "shop.sln": "",
    **{f"src/{name}/{name}.csproj": f"{_WEB}</Project>" for name in ("Basket", "Orders")},
    **{f"src/{name}/Program.cs": "" for name in ("Basket", "Orders")},
}
MAVEN = {
    "pom.xml": f"<project><packaging>pom</packaging><modules>{_MODULES}</modules></project>",
    **{
        f"{name}/pom.xml": f"<project><artifactId>{name}</artifactId>{_STARTER}{_BOOT}</project>"
        for name in ("api", "jobs")
    },
    **{f"{name}/src/main/java/App.java": "class App {}" for name in _NAMES},
}
GRADLE = {
    "settings.gradle": "include 'api', 'jobs'\n",
    **{
        f"{name}/build.gradle": "plugins { id 'org.springframework.boot' version '3.4.0' }\n"
        for name in ("api", "jobs")
    },
    **{f"{name}/src/main/java/App.java": "class App {}" for name in _NAMES},
}
CARGO = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
    "Cargo.lock": "",
    **{
        f"crates/{name}/Cargo.toml": f'[package]\nname = "{name}"\n[dependencies]\naxum = "0.8"\n'
        for name in ("orders", "users")
    },
    **{f"crates/{name}/src/main.rs": "fn main() {}" for name in ("orders", "users")},
}
GO = {"go.mod": "module example.com/shop\n", **{f"cmd/{n}/main.go": "package main\n" for n in ("orders", "users")}}
BUILDS = {"dotnet": DOTNET, "maven": MAVEN, "gradle": GRADLE, "cargo": CARGO, "go": GO}
PLACES = {
    "dotnet": ["src/Basket", "src/Orders"],
    "maven": ["api", "jobs"],
    "gradle": ["api", "jobs"],
    "cargo": ["crates/orders", "crates/users"],
    "go": ["cmd/orders", "cmd/users"],
}


def _inspect(files: dict[str, str], **build: object) -> Inspection:
    return inspect_tree(ListingTree([], files), BuildOverrides(**build) if build else None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BUILDS)
def test_each_program_of_one_build_is_an_application(name: str) -> None:
    found = _inspect(BUILDS[name])
    assert [app.path for app in found.apps] == PLACES[name]
    assert {app.docker_context for app in found.apps} == {"."}
    assert len({app.build for app in found.apps}) == 2
    assert len(found.choices()) == 2


@pytest.mark.parametrize("name", BUILDS)
def test_each_is_built_from_where_the_build_stands(name: str) -> None:
    tree = ListingTree([], BUILDS[name])
    made = [generate(app, tree) for app in inspect_tree(tree).apps]
    assert {one.context for one in made} == {"."}
    words = [place.rpartition("/")[2] for place in PLACES[name]]
    for one, mine, other in zip(made, words, reversed(words), strict=True):
        assert mine in one.dockerfile
        assert f"{other}" not in one.dockerfile.partition("COPY . .")[2]


@pytest.mark.parametrize("name", BUILDS)
def test_the_settings_choose_one_and_say_more_of_it(name: str) -> None:
    chosen = PLACES[name][1]
    found = _inspect(BUILDS[name], path=chosen, port=7000)
    assert [app.path for app in found.apps] == [chosen, PLACES[name][0]]
    assert found.apps[0].port == 7000
    assert found.choices() == ()


def test_a_start_that_names_a_program_says_which_is_meant() -> None:
    found = _inspect({**CARGO, "Procfile": "web: ./target/release/users\n"})
    assert [(app.path, app.start) for app in found.apps] == [(".", "./target/release/users")]
    assert "--package users" in (found.apps[0].build or "")


def test_a_dockerfile_in_its_own_folder_is_no_second_application() -> None:
    files = {"go.mod": "module x\n", "main.go": "package main\n", "docker/Dockerfile": "FROM golang:1.25\nCOPY . .\n"}
    found = _inspect(files)
    assert [(app.path, app.dockerfile) for app in found.apps] == [(".", "docker/Dockerfile")]


@pytest.mark.parametrize("place", ["packaging/debian", "grafana", "ops/db"])
def test_a_folder_with_nothing_but_a_dockerfile_belongs_to_the_application_above(place: str) -> None:
    files = {
        "go.mod": "module x\n",
        "main.go": "package main\n",
        f"{place}/Dockerfile": "FROM grafana/grafana:11.1.0\n",
    }
    found = _inspect(files)
    assert [app.path for app in found.apps] == ["."]
    assert place not in {(notice.path or "").rpartition("/")[0] for notice in found.warnings}


def test_a_site_that_a_go_program_compiles_into_itself_is_a_part_of_it() -> None:
    vite = json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}})
    files = {"go.mod": "module x\n", "main.go": "package main\n", "ui/package.json": vite, "ui/index.html": ""}
    assert [app.path for app in _inspect(files).apps] == ["ui", "."]
    embedded = {**files, "ui/embed.go": "package ui\n\n//go:embed all:dist\nvar Dist embed.FS\n"}
    assert [app.path for app in _inspect(embedded).apps] == ["."]


def test_what_only_an_image_tells_is_told() -> None:
    files = {"Dockerfile": 'FROM node:20.20-alpine\nCOPY service ./\nEXPOSE 3000\nCMD ["node", "index.js"]\n'}
    (app,) = _inspect(files).apps
    assert (app.language, app.runtime_version, app.port) == ("javascript", "20.20", 3000)


def test_without_another_pin_the_image_says_the_version() -> None:
    files = {"requirements.txt": "flask\n", "app.py": "from flask import Flask\napp = Flask(__name__)\n"}
    dockerfile = "ARG V=3.12\nFROM python:${V}-slim\nCOPY . .\nCMD flask run\n"
    assert _inspect({**files, "Dockerfile": dockerfile}).apps[0].runtime_version == "3.12"
    pinned = {**files, "Dockerfile": dockerfile, ".python-version": "3.11\n"}
    assert _inspect(pinned).apps[0].runtime_version == "3.11"


def test_a_web_process_listens_where_it_is_told() -> None:
    found = _inspect({"go.mod": "module x\n", "main.go": "package main\n", "Procfile": "web: x\n"})
    assert (found.apps[0].port, found.apps[0].start) == (8080, "x")


def test_a_script_that_runs_another_is_followed_to_the_port() -> None:
    package = {
        "scripts": {"start": "npm run serve-it", "serve-it": "node server/main.js"},
        "dependencies": {"express": "4"},
    }
    files = {
        "package.json": json.dumps(package),
        "server/main.js": "app.listen(port)",
        "server/config.js": "const port = [process.env.PORT, 3001].find(Boolean)\n",
    }
    assert _inspect(files).apps[0].port == 3001


def test_scripts_that_run_each_other_end() -> None:
    package = {"scripts": {"start": "npm run a", "a": "npm run start"}, "dependencies": {"express": "4"}}
    assert _inspect({"package.json": json.dumps(package)}).apps[0].start == "npm run start"


def test_copying_everything_from_a_folder_is_no_fault() -> None:
    files = {"web/Dockerfile": "FROM x\nCOPY . .\nCOPY ./ /srv\nUSER 1\nEXPOSE 1\n", "web/index.html": ""}
    assert "copy_source_missing" not in {notice.code for notice in _inspect(files).warnings}


def test_a_site_generator_among_the_dependencies_makes_no_site_of_a_library() -> None:
    files = {
        "package.json": json.dumps(
            {"private": True, "workspaces": ["packages/*", "docs"], "devDependencies": {"astro": "5"}}
        ),
        "packages/theme/package.json": json.dumps({"name": "theme", "devDependencies": {"astro": "5"}}),
        "packages/theme/index.ts": "",
        "docs/package.json": json.dumps({"scripts": {"build": "astro build"}, "dependencies": {"astro": "5"}}),
    }
    assert [app.path for app in _inspect(files).apps] == ["docs"]


@pytest.mark.parametrize(
    ("exposed", "port"), [("22 3000", 3000), ("443 80", 80), ("9090", 9090), ("5432 8000/tcp", 8000)]
)
def test_of_several_ports_the_web_s_is_taken(exposed: str, port: int) -> None:
    files = {"go.mod": "module x\n", "main.go": "package main\n", "Dockerfile": f"FROM x\nEXPOSE {exposed}\nCMD ./x\n"}
    assert _inspect(files).apps[0].port == port


@pytest.mark.parametrize(("pinned", "version"), [("8.3.16", "8.3.16"), ("7.4.1", "8.4")])
def test_an_exact_pin_that_a_range_admits_says_it_more_closely(pinned: str, version: str) -> None:
    composer = json.dumps({"require": {"php": "^8.3", "laravel/framework": "^11"}})
    files = {"composer.json": composer, ".tool-versions": f"php {pinned}\n", "artisan": ""}
    found = _inspect(files)
    assert found.apps[0].runtime_version == version
    assert ("version_conflict" in {notice.code for notice in found.warnings}) is (version != pinned)


def test_a_root_that_has_an_image_of_its_own_is_an_application_and_its_docker_folder_is_none() -> None:
    member = {"name": "web", "dependencies": {"next": "15"}, "scripts": {"build": "next build", "start": "next start"}}
    files = {
        "package.json": json.dumps({"workspaces": ["apps/*"], "scripts": {"start": "turbo run start"}}),
        "package-lock.json": "{}",
        "docker/Dockerfile": "FROM x\nCOPY package.json ./\nCOPY docker/start.sh ./\nCMD sh start.sh\n",
        "docker/start.sh": "#!/bin/sh\n",
        "apps/web/package.json": json.dumps(member),
    }
    found = {app.path: app for app in _inspect(files).apps}
    assert set(found) == {".", "apps/web"}
    assert (found["."].dockerfile, found["."].docker_context, found["."].start) == (
        "docker/Dockerfile",
        ".",
        "sh start.sh",
    )


def test_a_library_of_a_workspace_that_uses_a_server_s_package_is_no_application() -> None:
    library = {"name": "auth", "main": "./index.ts", "dependencies": {"hono": "4"}, "scripts": {"clean": "rm -rf dist"}}
    served = {"name": "api", "dependencies": {"hono": "4"}, "scripts": {"start": "node index.js"}}
    files = {
        "package.json": json.dumps({"workspaces": ["apps/*", "packages/*"]}),
        "apps/api/package.json": json.dumps(served),
        "packages/auth/package.json": json.dumps(library),
        "packages/auth/index.ts": "export * from './server';",
        "packages/worker/package.json": json.dumps(served | {"name": "worker"}),
    }
    assert {app.path for app in _inspect(files).apps} == {"apps/api", "packages/worker"}


def test_a_site_that_is_built_into_the_program_above_it_is_a_part_of_that() -> None:
    files = {
        "go.mod": "module x\n",
        "main.go": "package main\n",
        "public/embed.go": "package public\n\n//go:embed dist\nvar Files embed.FS\n",
        "web/package.json": json.dumps({"devDependencies": {"vite": "7"}, "scripts": {"build": "vite build"}}),
        "web/vite.config.ts": 'export default { build: { outDir: "../public/dist" } }',
        "web/index.html": "",
    }
    assert [app.path for app in _inspect(files).apps] == ["."]
