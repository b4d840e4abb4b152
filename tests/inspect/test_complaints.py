"""What users of other builders complain of, each as a repository that must come out right."""

from __future__ import annotations

import json

import pytest

from bot.inspect.dockerfile import generate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, Inspection
from bot.inspect.tree import ListingTree


def _inspect(files: dict[str, str]) -> Inspection:
    return inspect_tree(ListingTree([], files))


def _first(files: dict[str, str]) -> AppPlan:
    return _inspect(files).apps[0]


def _package(**keys: object) -> str:
    return json.dumps(keys)


def test_a_stray_python_file_does_not_make_a_node_service_python() -> None:
    files = {
        "package.json": _package(dependencies={"express": "4"}, scripts={"start": "node server.js"}),
        "tool.py": "x",
    }
    assert _first(files).framework == "express"


def test_a_package_json_for_assets_does_not_make_a_python_service_node() -> None:
    files = {
        "package.json": _package(devDependencies={"vite": "5"}, scripts={"build": "vite build"}),
        "requirements.txt": "fastapi\nuvicorn\n",
        "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    }
    assert _first(files).framework == "fastapi"


@pytest.mark.parametrize(
    ("manifest", "text", "framework"),
    [
        ("composer.json", _package(require={"laravel/framework": "^11"}), "laravel"),
        ("Gemfile", 'gem "rails"\ngem "puma"\n', "rails"),
        ("mix.exs", 'defp deps do\n [\n {:phoenix, "~> 1.7"}\n ]\n  end\n', "phoenix"),
    ],
)
def test_a_server_framework_wins_over_the_builder_of_its_assets(manifest: str, text: str, framework: str) -> None:
    vite = _package(devDependencies={"vite": "5"}, scripts={"build": "vite build", "dev": "vite"})
    assert _first({manifest: text, "package.json": vite, "vite.config.js": ""}).framework == framework


def test_functions_beside_a_node_monorepo_do_not_make_it_deno() -> None:
    files = {
        "package.json": _package(workspaces=["apps/*"]),
        "apps/web/package.json": _package(dependencies={"next": "15"}, scripts={"start": "next start"}),
        "supabase/functions/hello/index.ts": "import x from 'https://deno.land/std/x.ts'\n",
        "supabase/functions/deno.json": "{}",
    }
    inspection = _inspect(files)
    assert [(app.path, app.framework) for app in inspection.apps] == [("apps/web", "nextjs")]


def test_the_jar_of_the_module_that_starts_is_run() -> None:
    files = {
        "settings.gradle": "include 'core', 'api'\n",
        "build.gradle": "plugins { id 'org.springframework.boot' version '3.3.0' apply false }\n",
        "core/build.gradle": "apply plugin: 'java-library'\n",
        "api/build.gradle": "plugins {\n  id 'org.springframework.boot'\n}\n",
        "gradlew": "",
    }
    app = _first(files)
    assert app.build == "./gradlew --no-daemon :api:bootJar"
    assert app.start == "java -Dserver.port=$PORT -jar api/build/libs/*.jar"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v22.2.0", "22.2.0"),
        ("lts/iron", "20"),
        ("lts/jod", "22"),
        ("22", "22"),
        ("lts/*", "22"),
        ("# pinned\n20.1", "20.1"),
    ],
)
def test_an_nvmrc_is_read_as_nvm_reads_it(text: str, version: str) -> None:
    assert _first({"package.json": "{}", ".nvmrc": f"{text}\n", "index.js": ""}).runtime_version == version


def test_a_server_that_renders_is_not_served_as_files_and_the_reverse() -> None:
    package = _package(
        devDependencies={"@react-router/dev": "7"}, scripts={"build": "x", "start": "react-router-serve a"}
    )
    rendered = _first({"package.json": package, "react-router.config.ts": "export default { ssr: true }\n"})
    plain = _first({"package.json": package, "react-router.config.ts": "export default { ssr: false }\n"})
    assert (rendered.static_output, plain.static_output) == (None, "build/client")


def test_a_comment_in_a_configuration_decides_nothing() -> None:
    package = _package(dependencies={"next": "15"}, scripts={"start": "next start"})
    assert _first({"package.json": package, "next.config.js": "// output: 'export'\nmodule.exports = {}\n"}).start


def test_one_member_s_dependency_is_not_another_s() -> None:
    files = {
        "package.json": _package(workspaces=["apps/*"]),
        "apps/api/package.json": _package(dependencies={"express": "4"}, scripts={"start": "node a.js"}),
        "apps/e2e/package.json": _package(
            devDependencies={"@playwright/test": "1"}, scripts={"test": "playwright test"}
        ),
    }
    assert [(app.path, app.framework) for app in _inspect(files).apps] == [("apps/api", "express")]


def test_an_nx_workspace_gives_each_application_and_starts_what_its_build_leaves() -> None:
    node = {"build": {"executor": "@nx/webpack:webpack", "options": {"outputPath": "dist/apps/api", "target": "node"}}}
    files = {
        "nx.json": "{}",
        "package.json": _package(dependencies={"express": "4", "next": "15"}, scripts={"start": "nx serve"}),
        "apps/api/project.json": _package(projectType="application", targets=node),
        "apps/api/src/main.ts": "import express from 'express'\napp.listen(process.env.PORT || 3333)\n",
        "libs/ui/project.json": _package(projectType="library", targets=node),
    }
    inspection = _inspect(files)
    assert [(a.path, a.framework, a.start, a.port) for a in inspection.apps] == [
        ("apps/api", "express", "node dist/apps/api/main.js", 3333)
    ]
    tree = ListingTree([], files)
    made = generate(inspection.apps[0], tree)
    assert made.context == "."
    assert made.dockerfile.rstrip().endswith('CMD ["node", "dist/apps/api/main.js"]')


def test_a_cargo_workspace_runs_the_member_that_is_a_program() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
        "crates/lib/Cargo.toml": '[package]\nname = "lib"\n',
        "crates/lib/src/lib.rs": "",
        "crates/server/Cargo.toml": '[package]\nname = "server"\n',
        "crates/server/src/main.rs": "",
    }
    app = _first(files)
    assert (app.build, app.start) == ("cargo build --release --package server", "./target/release/server")


def test_the_web_project_of_a_solution_is_built_and_not_its_tests() -> None:
    target = "<PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup>"
    web = f'<Project Sdk="Microsoft.NET.Sdk.Web">{target}</Project>'
    tests = '<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="xunit" /></ItemGroup></Project>'
    files = {"All.sln": "", "src/Shop/Shop.csproj": web, "src/Shop.Tests/Shop.Tests.csproj": tests}
    app = _first(files)
    assert (app.runtime_version, app.start) == ("9.0", "dotnet out/Shop.dll")


def test_the_web_process_of_a_procfile_is_taken_and_no_other() -> None:
    files = {"requirements.txt": "flask\n", "Procfile": "release: ./migrate\nworker: python w.py\nweb: python web.py\n"}
    assert _first(files).start == "python web.py"


def test_two_lock_files_are_said() -> None:
    inspection = _inspect({"package.json": "{}", "yarn.lock": "", "package-lock.json": "{}", "index.js": ""})
    assert "several_locks" in {notice.code for notice in inspection.warnings}
    assert inspection.apps[0].package_manager == "yarn"


def test_the_java_version_of_the_pom_is_read() -> None:
    pom = "<project><properties><java.version>1.8</java.version></properties><artifactId>a</artifactId></project>"
    assert _first({"pom.xml": pom}).runtime_version == "8"


def test_a_dockerfile_for_development_changes_nothing() -> None:
    files = {
        "index.html": "",
        "infra/Dockerfile": "FROM x\n",
        ".devcontainer/Dockerfile": "FROM y\n",
        "Dockerfile.dev": "FROM z",
    }
    assert [(app.path, app.dockerfile) for app in _inspect(files).apps] == [(".", None)]


def test_poetry_needs_no_requirements() -> None:
    app = _first({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "*"\n', "poetry.lock": ""})
    assert (app.package_manager, app.framework) == ("poetry", "flask")


_DEVELOPMENT = (
    "next dev",
    "ng serve",
    "gatsby develop",
    "eleventy --serve",
    "nodemon a.js",
    "vite",
    "react-scripts start",
    "nest start",
    "node --watch a.js",
    "uvicorn a:a --reload",
)


@pytest.mark.parametrize("script", _DEVELOPMENT)
def test_a_development_server_is_never_the_start(script: str) -> None:
    app = _first({"package.json": _package(scripts={"start": script}), "server.js": ""})
    assert app.start == "node server.js"


_FLASK = "from flask import Flask\n"


@pytest.mark.parametrize(
    ("files", "start"),
    [
        (
            {"src/shop/app.py": f"{_FLASK}server = Flask('x')\n"},
            "gunicorn shop.app:server --bind 0.0.0.0:$PORT --chdir src",
        ),
        (
            {"app/__init__.py": f"{_FLASK}def create_app():\n    return Flask('x')\n"},
            "gunicorn 'app:create_app()' --bind 0.0.0.0:$PORT",
        ),
        (
            {"wsgi.py": "from shop import create_app\napplication = create_app()\n# Flask\n"},
            "gunicorn wsgi:application --bind 0.0.0.0:$PORT",
        ),
    ],
)
def test_the_application_object_is_found_where_it_stands(files: dict[str, str], start: str) -> None:
    assert _first({"requirements.txt": "flask\ngunicorn\n", **files}).start == start


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("railpack.json", '{"deploy": {"startCommand": "python job.py --fast"}}'),
        ("nixpacks.toml", '[start]\ncmd = "python job.py --fast"\n'),
        ("heroku.yml", "run:\n  web: python job.py --fast\n"),
        ("app.yaml", "runtime: python\nentrypoint: python job.py --fast\n"),
    ],
)
def test_a_start_that_another_platform_was_told_is_taken(name: str, text: str) -> None:
    app = _first({"requirements.txt": "flask\n", "main.py": "", name: text})
    assert app.start == "python job.py --fast"


def test_the_port_that_another_platform_was_told_is_taken() -> None:
    app = _first(
        {"go.mod": "module x\n", "main.go": "package main\n", "fly.toml": "[http_service]\ninternal_port = 8099\n"}
    )
    assert app.port == 8099


def test_a_jar_with_a_main_class_and_no_library_is_run_as_it_is() -> None:
    build = "plugins { id 'application' }\njar { manifest { attributes 'Main-Class': 'a.Main' } }\n"
    assert _first({"build.gradle": build}).start == "java -jar build/libs/*.jar"
    assert _first({"build.gradle": f"{build}dependencies {{\n  implementation 'a:b:1'\n}}\n"}).start == (
        "./build/install/app/bin/app"
    )


def test_an_angular_application_that_renders_is_started() -> None:
    options = {"outputPath": "dist/shop", "ssr": {"entry": "src/server.ts"}}
    target = {"builder": "@angular/build:application", "options": options}
    files = {
        "package.json": _package(
            dependencies={"@angular/core": "19", "@angular/ssr": "19", "express": "4"},
            scripts={"start": "ng serve", "build": "ng build"},
        ),
        "angular.json": _package(projects={"shop": {"projectType": "application", "architect": {"build": target}}}),
    }
    app = _first(files)
    assert (app.framework, app.static_output, app.port) == ("angular", None, 4000)
    assert app.start == "node dist/shop/server/server.mjs"
