"""Dockerfiles of Elixir and Gleam: a release or a shipment, run without the compiler."""

from __future__ import annotations

import re

from bot.inspect.folder import Folder
from bot.inspect.generate.writer import Writer, apt, safe_name
from bot.inspect.model import AppPlan
from bot.inspect.versions import number

_GLEAM = "1.13.0"
_OTP: dict[tuple[int, ...], str] = {(1, 14): "25", (1, 15): "26", (1, 16): "26"}


def write_elixir(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Dependencies from mix.lock, assets, then a release that holds its own Erlang."""
    version = ".".join((plan.runtime_version or "1.18").split(".")[:2])
    release = safe_name(plan.traits.get("release") or "app", "release")
    writer.stage(f"elixir:{version}-otp-{_OTP.get(number(version)[:2], '27')}-slim", "build")
    writer.run(apt(["build-essential", "git", "ca-certificates"]))
    writer.add("WORKDIR /src")
    writer.env(MIX_ENV="prod")
    writer.run("mix local.hex --force && mix local.rebar --force", key="install")
    writer.copy(["mix.exs", *(["mix.lock"] if folder.has("mix.lock") else [])], "./")
    umbrella = folder.any(r"apps/\w+/mix\.exs")
    if umbrella:
        writer.copy(["apps"], "./apps")
    writer.step("install", "mix deps.get --only prod", "/root/.cache")
    if folder.any(r"config/.+"):
        writer.copy(["config"], "./config")
    writer.run("mix deps.compile")
    writer.copy(["."], ".")
    writer.run(plan.build or "mix release", key="build")
    writer.stage("debian:bookworm-slim")
    writer.run(apt(["ca-certificates", "libncurses6", "libstdc++6", "openssl"]))
    writer.add("WORKDIR /app")
    writer.env(LANG="C.UTF-8", PHX_SERVER="true", MIX_ENV="prod")
    writer.copy([f"/src/_build/prod/rel/{release}/"], "/app/", from_stage="build", owner=True)
    start = (plan.start or "").replace(f"_build/prod/rel/{release}/", "./")
    writer.finish(f"./bin/{release} start" if re.search(r"\bmix\s", start) else start, plan.port)


def write_gleam(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """An Erlang shipment on Erlang's image; GLEAM_REGISTRY can point at a mirror of Gleam's own."""
    version = plan.runtime_version or _GLEAM
    version = version if version.count(".") == 2 else _GLEAM
    writer.argument("GLEAM_REGISTRY", "ghcr.io/gleam-lang")
    writer.stage(f"${{GLEAM_REGISTRY}}/gleam:v{safe_name(version, 'version')}-erlang-alpine", "build")
    writer.add("WORKDIR /src")
    writer.copy(["gleam.toml", *(["manifest.toml"] if folder.has("manifest.toml") else [])], "./")
    writer.step("install", "gleam deps download")
    writer.copy(["."], ".")
    writer.run(plan.build or "gleam export erlang-shipment", key="build")
    writer.stage("erlang:27-alpine")
    writer.add("WORKDIR /app")
    writer.copy(["/src/build/erlang-shipment/"], "/app/", from_stage="build")
    start = (plan.start or "").replace("./build/erlang-shipment/", "./")
    writer.finish(start, plan.port)
