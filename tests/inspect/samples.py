"""One small application for each supported framework, written for these tests, with what inspection must say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.inspect.tree import ListingTree

PACKAGE_LOCK = '{"lockfileVersion": 3}'


@dataclass(frozen=True)
class Sample:
    """An application's files, and the fields that must come out (those not given are not asked)."""

    files: Mapping[str, str]
    language: str
    manager: str | None
    start: str | None
    port: int | None
    static: str | None = None

    def tree(self) -> ListingTree:
        """The sample as a tree."""
        return ListingTree([], self.files)


def package(*deps: str, dev: tuple[str, ...] = (), scripts: Mapping[str, str] | None = None) -> dict[str, str]:
    """package.json with its lock file."""
    manifest = {
        "name": "sample",
        "scripts": dict(scripts or {}),
        "dependencies": dict.fromkeys(deps, "^1.0.0"),
        "devDependencies": dict.fromkeys(dev, "^1.0.0"),
    }
    return {"package.json": json.dumps(manifest, indent=2), "package-lock.json": PACKAGE_LOCK}


def _node(*deps: str, start: str, port: int, build: str = "", more: Mapping[str, str] | None = None) -> Sample:
    scripts = {"start": start} if start and not start.startswith("!") else {}
    scripts |= {"build": build} if build else {}
    command = "npm run start" if scripts.get("start") else start.removeprefix("!")
    return Sample({**package(*deps, scripts=scripts), **(more or {})}, "javascript", "npm", command, port)


def _site(*deps: str, build: str, static: str, more: Mapping[str, str] | None = None) -> Sample:
    return Sample(
        {**package(dev=deps, scripts={"build": build}), **(more or {})}, "javascript", "npm", None, 8080, static
    )


def _library(name: str, port: int = 3000) -> Sample:
    files = {**package(name, scripts={"start": "node server.js"}), "server.js": f"const web = require('{name}')\n"}
    return Sample(files, "javascript", "npm", "npm run start", port)


def _python(name: str, source: str, start: str, port: int, file: str = "main.py", *more: str) -> Sample:
    requirements = "\n".join([name, *more]) + "\n"
    return Sample({"requirements.txt": requirements, file: source}, "python", "pip", start, port)


def _object(module: str, cls: str) -> str:
    return f"from {module} import {cls}\n\napp = {cls}()\n"


def _go(module: str, port: int) -> Sample:
    files = {
        "go.mod": f"module example.com/hello\n\ngo 1.25\n\nrequire {module} v1.2.3\n",
        "go.sum": "",
        "main.go": "package main\n\nfunc main() {}\n",
    }
    return Sample(files, "go", "go", "./out", port)


def _rust(crate: str, port: int) -> Sample:
    files = {
        "Cargo.toml": f'[package]\nname = "hello"\nversion = "0.1.0"\n\n[dependencies]\n{crate} = "1"\n',
        "Cargo.lock": "version = 3\n",
        "src/main.rs": "fn main() {}\n",
    }
    return Sample(files, "rust", "cargo", "./target/release/hello", port)


def _maven(group: str, artifact: str, plugin: str, start: str, port: int) -> Sample:
    pom = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>demo</groupId><artifactId>demo</artifactId><version>1.0</version>
  <properties><java.version>21</java.version></properties>
  <dependencies><dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId></dependency></dependencies>
  <build><plugins><plugin><groupId>{group}</groupId><artifactId>{plugin}</artifactId></plugin></plugins></build>
</project>
"""
    return Sample({"pom.xml": pom, "src/main/java/demo/Main.java": "class Main {}\n"}, "java", "maven", start, port)


def _ruby(gems: str, files: Mapping[str, str], start: str | None, port: int, static: str | None = None) -> Sample:
    lines = "".join(f'gem "{gem}"\n' for gem in gems.split())
    gemfile = {"Gemfile": f'source "https://rubygems.org"\n{lines}', "Gemfile.lock": "PLATFORMS\n  ruby\n"}
    return Sample({**gemfile, **files}, "ruby", "bundler", start, port, static)


def _php(requires: str, files: Mapping[str, str], manager: str | None = "composer") -> Sample:
    composer = {"composer.json": json.dumps({"require": {"php": "^8.2", requires: "^1.0"}})} if requires else {}
    return Sample({**composer, **files}, "php", manager, "apache2-foreground", 8080)


def _scala(dependency: str, port: int, plugins: str = "", start: str = "") -> Sample:
    packager = 'addSbtPlugin("com.github.sbt" % "sbt-native-packager" % "1.10.4")\n'
    files = {
        "build.sbt": f'name := "hello"\nlibraryDependencies += {dependency}\n',
        "project/build.properties": "sbt.version=1.10.11\n",
        "project/plugins.sbt": plugins or packager,
    }
    return Sample(files, "scala", "sbt", start or "./target/universal/stage/bin/hello", port)


def _lein(dependency: str, port: int, more: str = "") -> Sample:
    project = f'(defproject hello "0.1.0"\n  :dependencies [[{dependency} "1.0.0"]]\n  :main hello.core{more})\n'
    files = {"project.clj": project, "src/hello/core.clj": "(ns hello.core (:gen-class))\n"}
    return Sample(files, "clojure", "leiningen", "java -jar target/hello-0.1.0-standalone.jar", port)


def _dotnet(sdk: str, start: str | None, port: int | None, static: str | None = None) -> Sample:
    group = "<PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup>"
    project = f'<Project Sdk="{sdk}">\n  {group}\n</Project>\n'
    return Sample({"Hello.csproj": project, "Program.cs": "// starts\n"}, "csharp", "nuget", start, port, static)


def _elixir(dependency: str) -> Sample:
    mix = f"""defmodule Hello.MixProject do
  use Mix.Project

  def project do
    [app: :hello, version: "0.1.0", elixir: "~> 1.14", deps: deps()]
  end

  def application, do: [mod: {{Hello.Application, []}}]

  defp deps do
    [
      {{:{dependency}, "~> 1.0"}}
    ]
  end
end
"""
    return Sample({"mix.exs": mix, "mix.lock": "%{}\n"}, "elixir", "mix", "_build/prod/rel/hello/bin/hello start", 4000)


def _shards(dependency: str) -> Sample:
    target = "name: hello\nversion: 0.1.0\ntargets:\n  hello:\n    main: src/hello.cr\n"
    shard = f"{target}dependencies:\n  {dependency}:\n    github: x/{dependency}\n"
    return Sample({"shard.yml": shard, "src/hello.cr": ""}, "crystal", "shards", "./bin/hello", 3000)


def _haskell(dependency: str, port: int) -> Sample:
    program = "executables:\n  hello-exe:\n    main: Main.hs\n    source-dirs: app\n"
    manifest = f"name: hello\ndependencies:\n- base\n- {dependency}\n{program}"
    files = {"stack.yaml": "resolver: lts-22.0\n", "package.yaml": manifest, "app/Main.hs": "main = pure ()\n"}
    return Sample(files, "haskell", "stack", "./bin/hello-exe", port)


def _swift(dependency: str, options: str) -> Sample:
    manifest = f"""// swift-tools-version:5.9
import PackageDescription
let package = Package(
    name: "hello",
    dependencies: [.package(url: "https://github.com/x/{dependency}.git", from: "4.0.0")],
    targets: [.executableTarget(name: "App")]
)
"""
    start = f"./.build/release/App {options}--hostname 0.0.0.0 --port $PORT"
    return Sample({"Package.swift": manifest, "Sources/App/main.swift": ""}, "swift", "swiftpm", start, 8080)


def _cpp(find: str, port: int) -> Sample:
    head = "cmake_minimum_required(VERSION 3.20)\nproject(hello CXX)\n"
    cmake = f"{head}find_package({find} REQUIRED)\nadd_executable(hello main.cc)\n"
    return Sample({"CMakeLists.txt": cmake, "main.cc": "int main() {}\n"}, "cpp", "cmake", "./build/hello", port)


def _dart(dependency: str, start: str) -> Sample:
    files = {
        "pubspec.yaml": f"name: hello\nenvironment:\n  sdk: ^3.0.0\ndependencies:\n  {dependency}: ^1.0.0\n",
        "bin/server.dart": "void main() {}\n",
    }
    return Sample(files, "dart", "pub", start, 8080)


_DJANGO = {
    "requirements.txt": "django\ngunicorn\n",
    "manage.py": "import django\n",
    "shop/settings.py": 'WSGI_APPLICATION = "shop.wsgi.application"\n',
    "shop/wsgi.py": "application = None\n",
}
_ANGULAR = {
    "angular.json": json.dumps(
        {
            "projects": {
                "web": {
                    "projectType": "application",
                    "architect": {
                        "build": {
                            "builder": "@angular/build:application",
                            "options": {"outputPath": "dist/web"},
                        }
                    },
                }
            }
        }
    )
}
_GRADLE_KTOR = {
    "build.gradle.kts": 'plugins {\n  kotlin("jvm") version "2.0.0"\n  id("io.ktor.plugin") version "3.0.0"\n}\n'
    'dependencies { implementation("io.ktor:ktor-server-netty:3.0.0") }\nkotlin { jvmToolchain(17) }\n',
    "settings.gradle.kts": 'rootProject.name = "hello"\n',
    "src/main/kotlin/Main.kt": "fun main() {}\n",
}
_FRESH = {"deno.json": '{"imports": {"$fresh/": "https://deno.land/x/fresh@1.7.3/"}}', "main.ts": "start()\n"}
_GLEAM = {
    "gleam.toml": 'name = "hello"\nversion = "1.0.0"\n\n[dependencies]\nwisp = ">= 1.0.0"\nmist = ">= 2.0.0"\n',
    "src/hello.gleam": "",
}

SAMPLES: Mapping[str, Sample] = {
    "nextjs": _node("next", "react", start="next start", build="next build", port=3000),
    "nuxt": _node("nuxt", start="!node .output/server/index.mjs", build="nuxt build", port=3000),
    "redwoodjs": Sample(
        {**package("@redwoodjs/core"), "redwood.toml": "[web]\n", "yarn.lock": "# yarn lockfile v1\n"}
        | {"package.json": json.dumps({"dependencies": {"@redwoodjs/core": "8"}, "packageManager": "yarn@4.6.0"})},
        "javascript",
        "yarn",
        "yarn rw serve",
        8910,
    ),
    "tanstack-start": _node(
        "@tanstack/react-start", start="node .output/server/index.mjs", build="vite build", port=3000
    ),
    "react-router": _node(
        "@react-router/dev", start="react-router-serve ./build/server/index.js", build="react-router build", port=3000
    ),
    "remix": _node("@remix-run/node", start="remix-serve build/server/index.js", build="remix vite:build", port=3000),
    "sveltekit": _node(
        "@sveltejs/kit",
        "@sveltejs/adapter-node",
        start="!node build",
        build="vite build",
        port=3000,
        more={"svelte.config.js": "import adapter from '@sveltejs/adapter-node';\n"},
    ),
    "solidstart": _node("@solidjs/start", start="vinxi start", build="vinxi build", port=3000),
    "astro": _site("astro", build="astro build", static="dist"),
    "strapi": _node("@strapi/strapi", start="strapi start", build="strapi build", port=1337),
    "nestjs": Sample(
        package("@nestjs/core", scripts={"start": "nest start", "start:prod": "node dist/main", "build": "nest build"}),
        "javascript",
        "npm",
        "npm run start:prod",
        3000,
    ),
    "adonisjs": _node("@adonisjs/core", start="!node build/bin/server.js", build="node ace build", port=3333),
    "nitro": _node("nitropack", start="!node .output/server/index.mjs", build="nitropack build", port=3000),
    "fastify": _library("fastify"),
    "express": _library("express"),
    "koa": _library("koa"),
    "hapi": _library("@hapi/hapi"),
    "hono": _library("hono"),
    "h3": _library("h3"),
    "elysia": Sample(
        {"package.json": '{"dependencies": {"elysia": "1"}}', "bun.lock": "{}", "src/index.ts": "new Elysia()\n"},
        "typescript",
        "bun",
        "bun src/index.ts",
        3000,
    ),
    "angular": _site("@angular/core", build="ng build", static="dist/web/browser", more=_ANGULAR),
    "gatsby": _site("gatsby", build="gatsby build", static="public"),
    "docusaurus": _site("@docusaurus/core", build="docusaurus build", static="build"),
    "vitepress": _site("vitepress", build="vitepress build docs", static="docs/.vitepress/dist"),
    "eleventy": _site("@11ty/eleventy", build="eleventy", static="_site"),
    "hexo": _site("hexo", build="hexo generate", static="public"),
    "expo-web": _site("expo", build="expo export --platform web", static="dist"),
    "ember": _site("ember-cli", build="ember build --environment=production", static="dist"),
    "vue-cli": _site("@vue/cli-service", build="vue-cli-service build", static="dist"),
    "create-react-app": _site("react-scripts", build="react-scripts build", static="build"),
    "vite": _site("vite", build="vite build", static="dist"),
    "fresh": Sample(_FRESH, "typescript", "deno", "deno run --allow-all main.ts", 8000),
    "django": Sample(_DJANGO, "python", "pip", "gunicorn shop.wsgi:application --bind 0.0.0.0:$PORT", 8000),
    "fastapi": _python(
        "fastapi",
        _object("fastapi", "FastAPI"),
        "uvicorn main:app --host 0.0.0.0 --port $PORT",
        8000,
        "main.py",
        "uvicorn",
    ),
    "fasthtml": _python(
        "python-fasthtml",
        "from fasthtml.common import fast_app\n\napp, rt = fast_app()\n",
        "uvicorn main:app --host 0.0.0.0 --port $PORT",
        8000,
    ),
    "litestar": _python(
        "litestar", _object("litestar", "Litestar"), "uvicorn main:app --host 0.0.0.0 --port $PORT", 8000
    ),
    "starlette": _python(
        "starlette",
        _object("starlette.applications", "Starlette"),
        "uvicorn main:app --host 0.0.0.0 --port $PORT",
        8000,
    ),
    "quart": _python("quart", _object("quart", "Quart"), "hypercorn main:app --bind 0.0.0.0:$PORT", 8000),
    "sanic": _python("sanic", _object("sanic", "Sanic"), "sanic main.app --host 0.0.0.0 --port $PORT", 8000),
    "flask": _python(
        "flask", _object("flask", "Flask"), "gunicorn app:app --bind 0.0.0.0:$PORT", 8000, "app.py", "gunicorn"
    ),
    "streamlit": _python(
        "streamlit",
        "import streamlit as st\n",
        "streamlit run app.py --server.address 0.0.0.0 --server.port $PORT --server.headless true",
        8501,
        "app.py",
    ),
    "gradio": _python("gradio", "import gradio as gr\n", "python app.py", 7860, "app.py"),
    "aiohttp": _python(
        "aiohttp", "from aiohttp import web\n\nweb.run_app(web.Application())\n", "python main.py", 8080
    ),
    "tornado": _python("tornado", "import tornado.web\n\napp.listen(8888)\n", "python main.py", 8888),
    "rails": _ruby(
        "rails puma",
        {"config/application.rb": "", "config/environment.rb": "", "bin/rails": ""},
        "bundle exec bin/rails server -b 0.0.0.0 -p $PORT",
        3000,
    ),
    "hanami": _ruby("hanami puma", {"config.ru": "run Hanami.app\n"}, "bundle exec puma -b tcp://0.0.0.0:$PORT", 2300),
    "sinatra": _ruby("sinatra puma", {"config.ru": "run App\n"}, "bundle exec puma -b tcp://0.0.0.0:$PORT", 4567),
    "jekyll": _ruby("jekyll", {"_config.yml": "title: x\n"}, None, 8080, "_site"),
    "middleman": _ruby("middleman", {"config.rb": ""}, None, 8080, "build"),
    "rack": _ruby("rackup", {"config.ru": "run App\n"}, "bundle exec rackup config.ru -o 0.0.0.0 -p $PORT", 9292),
    "laravel": _php("laravel/framework", {"artisan": "<?php\n", "public/index.php": "<?php\n"}),
    "symfony": _php("symfony/framework-bundle", {"public/index.php": "<?php\n"}),
    "slim": _php("slim/slim", {"public/index.php": "<?php\n"}),
    "wordpress": _php("", {"wp-load.php": "<?php\n", "index.php": "<?php\n"}, None),
    "php": _php("", {"index.php": "<?php\n"}, None),
    "gin": _go("github.com/gin-gonic/gin", 8080),
    "echo": _go("github.com/labstack/echo/v4", 1323),
    "fiber": _go("github.com/gofiber/fiber/v2", 3000),
    "chi": _go("github.com/go-chi/chi/v5", 8080),
    "gorilla-mux": _go("github.com/gorilla/mux", 8080),
    "hugo": Sample(
        {"hugo.toml": 'baseURL = "https://example.com/"\n', "content/a.md": ""}, "html", None, None, 8080, "public"
    ),
    "zola": Sample(
        {"config.toml": 'base_url = "https://example.com"\n', "content/a.md": ""}, "html", None, None, 8080, "public"
    ),
    "actix-web": _rust("actix-web", 8080),
    "axum": _rust("axum", 3000),
    "rocket": _rust("rocket", 8000),
    "warp": _rust("warp", 3030),
    "poem": _rust("poem", 3000),
    "spring-boot": _maven(
        "org.springframework.boot",
        "spring-boot-starter-web",
        "spring-boot-maven-plugin",
        "java -Dserver.port=$PORT -jar target/demo-1.0.jar",
        8080,
    ),
    "quarkus": _maven(
        "io.quarkus",
        "quarkus-rest",
        "quarkus-maven-plugin",
        "java -Dquarkus.http.port=$PORT -jar target/quarkus-app/quarkus-run.jar",
        8080,
    ),
    "micronaut": _maven(
        "io.micronaut",
        "micronaut-http-server-netty",
        "micronaut-maven-plugin",
        "java -Dmicronaut.server.port=$PORT -jar target/demo-1.0.jar",
        8080,
    ),
    "vertx": _maven("io.vertx", "vertx-web", "maven-shade-plugin", "java -jar target/*-fat.jar", 8080),
    "dropwizard": _maven(
        "io.dropwizard",
        "dropwizard-core",
        "maven-shade-plugin",
        "java -jar target/demo-1.0.jar server config.yml",
        8080,
    ),
    "spark-java": _maven("com.sparkjava", "spark-core", "maven-shade-plugin", "java -jar target/demo-1.0.jar", 4567),
    "ktor": Sample(_GRADLE_KTOR, "kotlin", "gradle", "java -jar build/libs/*-all.jar", 8080),
    "play": _scala(
        "guice",
        9000,
        'addSbtPlugin("com.typesafe.play" % "sbt-plugin" % "2.9.0")\n',
        "./target/universal/stage/bin/hello -Dhttp.port=$PORT",
    ),
    "akka-http": _scala('"com.typesafe.akka" %% "akka-http" % "10.5.0"', 8080),
    "http4s": _scala('"org.http4s" %% "http4s-ember-server" % "0.23.0"', 8080),
    "luminus": _lein("luminus-immutant", 3000),
    "pedestal": _lein("io.pedestal/pedestal.service", 8080),
    "ring": _lein("ring/ring-core", 3000),
    "aspnetcore": _dotnet("Microsoft.NET.Sdk.Web", "dotnet out/Hello.dll", 8080),
    "blazor-wasm": _dotnet("Microsoft.NET.Sdk.BlazorWebAssembly", None, 8080, "out/wwwroot"),
    "dotnet-worker": _dotnet("Microsoft.NET.Sdk.Worker", "dotnet out/Hello.dll", None),
    "phoenix": _elixir("phoenix"),
    "plug": _elixir("plug_cowboy"),
    "wisp": Sample(_GLEAM, "gleam", "gleam", "./build/erlang-shipment/entrypoint.sh run", 8000),
    "shelf": _dart("shelf", "./bin/server.exe"),
    "dart-frog": _dart("dart_frog", "dart build/bin/server.dart"),
    "vapor": _swift("vapor", "serve --env production "),
    "hummingbird": _swift("hummingbird", ""),
    "kemal": _shards("kemal"),
    "lucky": _shards("lucky"),
    "servant": _haskell("servant-server", 8080),
    "scotty": _haskell("scotty", 3000),
    "yesod": _haskell("yesod", 3000),
    "drogon": _cpp("Drogon", 80),
    "crow": _cpp("Crow", 18080),
    "static": Sample({"index.html": "<h1>hi</h1>\n", "style.css": ""}, "html", None, None, 8080, "."),
    "shell": Sample({"start.sh": "#!/bin/bash\nexec true\n"}, "shell", None, "bash start.sh", None),
}
# A language's plain programs are of no framework, though the table of rules lists their kind.
WITHOUT_FRAMEWORK = frozenset({"php", "shell"})
