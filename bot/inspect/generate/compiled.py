"""Dockerfiles of languages that end as one program: Rust, Dart, Swift, Crystal, Zig, Haskell, C and C++."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.inspect.errors import CannotGenerate
from bot.inspect.folder import Folder
from bot.inspect.generate.writer import Writer, apt, run_all, safe_name
from bot.inspect.model import AppPlan
from bot.inspect.paths import join

_DEBIAN = "debian:bookworm-slim"
_ASSETS = ("templates", "static", "public", "Public", "Resources", "views", "assets", "web", "config", "migrations")
_RUST_NATIVE = {  # crates that link a C library: Debian packages to build with, to run with
    "openssl": ("libssl-dev", "libssl3"),
    "native-tls": ("libssl-dev", "libssl3"),
    "reqwest": ("libssl-dev", "libssl3"),
    "pq-sys": ("libpq-dev", "libpq5"),
    "diesel": ("libpq-dev", "libpq5"),
    "rusqlite": ("libsqlite3-dev", "libsqlite3-0"),
}


def _program(plan: AppPlan) -> str:
    """The executable's name, without which nothing can be copied."""
    name = plan.traits.get("program") or plan.traits.get("binary")
    if not name:
        raise CannotGenerate(
            "no_program",
            f"No executable target was found in {plan.path}.",
            "build:\n  dockerfile: Dockerfile  # write one, or declare an executable in the project's manifest",
        )
    return safe_name(name, "program")


def _finish(writer: Writer, plan: AppPlan, folder: Folder, built: str, *, source: str = "/src") -> None:
    """The run stage's end: the program under its own name, the folders it reads, the start that names it."""
    program = built.rpartition("/")[2]
    writer.add("WORKDIR /app")
    writer.copy([built], f"/app/{program}", from_stage="build")
    for name in _ASSETS:
        if folder.any(rf"{name}/.+"):
            writer.copy([f"{source}/{name}/"], f"/app/{name}/", from_stage="build")
    writer.finish(_start(plan, program), plan.port)


def _start(plan: AppPlan, program: str) -> str:
    """The plan's start with the built path replaced by the program's place in the image."""
    start = plan.start or f"./{program}"
    return re.sub(rf"^\.?/?(?:[\w.-]+/)*{re.escape(program)}(?=\s|$)", f"./{program}", start)


def write_rust(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Fetch crates from the lock file, build with caches, copy the binary out of the cached target folder."""
    binary = _program(plan)
    version = plan.runtime_version or "1"
    build, run = _rust_packages(folder)
    writer.stage(f"rust:{safe_name(version, 'version')}-slim-bookworm", "build")
    if build:
        writer.run(apt(["pkg-config", *build]))
    writer.add("WORKDIR /src")
    cache = "/usr/local/cargo/registry"
    if writer.told("install"):
        writer.step("install", "cargo fetch", cache)
    elif not folder.any(r"(?:[\w-]+/)+Cargo\.toml") and "[[bin]]" not in (folder.text("Cargo.toml") or ""):
        writer.copy(["Cargo.toml", *(["Cargo.lock"] if folder.has("Cargo.lock") else [])], "./")
        locked = " --locked" if folder.has("Cargo.lock") else ""
        writer.run(f"mkdir src && touch src/lib.rs && cargo fetch{locked} && rm src/lib.rs", cache, key="install")
    writer.copy(["."], ".")
    command = plan.build or "cargo build --release"
    writer.run(f"{command} && install -D target/release/{binary} /out/{binary}", cache, "/src/target", key="build")
    writer.stage(_DEBIAN)
    writer.run(apt(["ca-certificates", *run]))
    if plan.framework == "rocket" and plan.start:
        writer.env(ROCKET_ADDRESS="0.0.0.0")  # noqa: S104 - inside the container
        own = plan.start if plan.traits.get("start_override") else f"./{binary}"
        plan = replace(plan, start=f"ROCKET_PORT=$PORT {own}")
    _finish(writer, plan, folder, f"/out/{binary}")


def _rust_packages(folder: Folder) -> tuple[list[str], list[str]]:
    lock = folder.text("Cargo.lock") or folder.text("Cargo.toml") or ""
    needed = [pair for name, pair in _RUST_NATIVE.items() if re.search(rf'^(?:name = "{name}"|{name}\s*=)', lock, re.M)]
    return sorted({build for build, _ in needed}), sorted({run for _, run in needed})


def write_dart(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Ahead-of-time compiled, so that the run stage needs no Dart."""
    entry = safe_name(plan.traits.get("entry") or "bin/server.dart", "entry")
    version = (plan.runtime_version or "3").split(".")[0]
    writer.stage(f"dart:{version if version != '2' else '2.19'}", "build")
    writer.add("WORKDIR /src")
    writer.copy(["pubspec.yaml", *(["pubspec.lock"] if folder.has("pubspec.lock") else [])], "./")
    writer.step("install", "dart pub get", "/root/.pub-cache")
    writer.copy(["."], ".")
    if writer.told("build") or plan.traits.get("start_override"):
        _write_told_dart(writer, plan)
        return
    frog = "dart pub global activate dart_frog_cli && dart pub global run dart_frog_cli:dart_frog build && "
    prefix = frog if plan.framework == "dart-frog" else ""
    writer.run(f"{prefix}dart pub get && dart compile exe {entry} -o /out/server", "/root/.pub-cache", key="build")
    writer.stage(_DEBIAN)
    writer.run(apt(["ca-certificates"]))
    writer.add("WORKDIR /app")
    writer.copy(["/out/server"], "/app/server", from_stage="build")
    if folder.any(r"public/.+"):
        writer.copy(["/src/public/"], "/app/public/", from_stage="build")
    writer.finish("./server", plan.port)


def _write_told_dart(writer: Writer, plan: AppPlan) -> None:
    """Where .shipmate.yml says how it is built or started, what that leaves is run where it was left."""
    writer.run(f"dart pub get && {plan.build}", "/root/.pub-cache", key="build")
    run_all(writer, plan, _DEBIAN)


def write_flutter(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Flutter publishes no official image, so a Dockerfile has to name one."""
    raise CannotGenerate(
        "flutter",
        "A Flutter web site needs an image with Flutter, and there is no official one.",
        "build:\n  dockerfile: Dockerfile\n  # or build it before: static: build/web",
    )


def write_swift(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Statically linked against Swift's own library, run on plain Ubuntu."""
    program = _program(plan)
    version = ".".join((plan.runtime_version or "6").split(".")[:2])
    writer.stage(f"swift:{version}-jammy", "build")
    writer.add("WORKDIR /src")
    writer.copy(["Package.swift", *(["Package.resolved"] if folder.has("Package.resolved") else [])], "./")
    writer.step("install", "swift package resolve", "/root/.cache")
    writer.copy(["."], ".")
    writer.run(
        f"{plan.build} --product {program} && install -D .build/release/{program} /out/{program}",
        "/root/.cache",
        key="build",
    )
    writer.stage("ubuntu:22.04")
    writer.run(apt(["ca-certificates", "tzdata", "libxml2", "libcurl4"]))
    _finish(writer, plan, folder, f"/out/{program}")


def write_crystal(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Built and run on Alpine, whose packages hold both the compiler and what its programs load."""
    program = _program(plan)
    writer.stage("alpine:3", "build")
    writer.run(
        "apk add --no-cache crystal shards musl-dev gcc openssl-dev yaml-dev libxml2-dev zlib-dev gc-dev pcre2-dev"
    )
    writer.add("WORKDIR /src")
    writer.copy(["shard.yml", *(["shard.lock"] if folder.has("shard.lock") else [])], "./")
    writer.step("install", plan.install or "shards install --production", "/root/.cache")
    writer.copy(["."], ".")
    writer.run(plan.build or "shards build --release --production", "/root/.cache", key="build")
    writer.stage("alpine:3")
    writer.run("apk add --no-cache ca-certificates gc libevent libgcc openssl pcre2 tzdata yaml zlib libxml2")
    _finish(writer, plan, folder, f"/src/bin/{program}")


def write_zig(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Zig from Alpine; its programs link statically there."""
    program = _program(plan)
    writer.stage("alpine:3", "build")
    writer.run("apk add --no-cache zig")
    writer.add("WORKDIR /src")
    writer.copy(["build.zig", *(["build.zig.zon"] if folder.has("build.zig.zon") else [])], "./")
    writer.copy(["."], ".")
    writer.run(plan.build or "zig build -Doptimize=ReleaseSafe", "/root/.cache", key="build")
    writer.stage("alpine:3")
    _finish(writer, plan, folder, f"/src/zig-out/bin/{program}")


def write_haskell(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Stack with the image's compiler, or cabal; the program is copied to bin/."""
    program = _program(plan)
    version = ".".join((plan.runtime_version or "9.6").split(".")[:2])
    stack = plan.package_manager == "stack"
    writer.stage(f"haskell:{version}-slim", "build")
    writer.add("WORKDIR /src")
    names = ("stack.yaml", "stack.yaml.lock", "package.yaml", "cabal.project", "cabal.project.freeze")
    cabal = folder.first_match(r"[\w.-]+\.cabal")
    writer.copy([*(name for name in names if folder.has(name)), *([cabal] if cabal else [])], "./")
    cache = "/root/.stack" if stack else "/root/.cabal"
    fetch = (
        "stack build --only-dependencies --system-ghc" if stack else "cabal update && cabal build --only-dependencies"
    )
    writer.step("install", fetch, cache)
    writer.copy(["."], ".")
    build = (plan.build or "").replace("stack build", "stack build --system-ghc", 1)
    writer.run(f"mkdir -p bin && {build}", cache, key="build")
    writer.stage(_DEBIAN)
    writer.run(apt(["ca-certificates", "libgmp10", "libnuma1"]))
    _finish(writer, plan, folder, f"/src/bin/{program}")


_CPP_LIBRARIES = {
    "drogon": (("libdrogon-dev",), ("libdrogon1.8",)),
    "crow": (("libasio-dev", "zlib1g-dev", "libssl-dev"), ("libssl3", "zlib1g")),
}


def write_cpp(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Built and run on one Debian release, so that the standard library is the same on both sides."""
    program = _program(plan)
    build, run = _CPP_LIBRARIES.get(plan.framework or "", ((), ()))
    tools = ["build-essential", "ninja-build", "pkg-config", "git", "ca-certificates"]
    tools += ["meson"] if plan.traits.get("build_tool") == "meson" else ["cmake"]
    writer.stage(_DEBIAN, "build")
    writer.run(apt([*tools, *build]))
    writer.add("WORKDIR /src")
    writer.copy(["."], ".")
    if writer.told("install"):
        writer.run(plan.install or "", key="install")
    writer.run(
        f"{plan.build} && install -D $(find build -type f -name {program} -perm -u+x | head -n 1) /out/{program}",
        key="build",
    )
    writer.stage(_DEBIAN)
    writer.run(apt(["ca-certificates", "libstdc++6", *run]))
    _finish(writer, plan, folder, join("/out", program))
