"""The Dockerfile of a Go program: modules, one static binary, a small image with its assets."""

from __future__ import annotations

import re

from bot.inspect.folder import Folder
from bot.inspect.generate.writer import Writer, run_all, safe_name
from bot.inspect.model import AppPlan
from bot.inspect.paths import join

_CACHES = ("/go/pkg/mod", "/root/.cache/go-build")
_ASSETS = ("templates", "static", "public", "views", "assets", "web", "html", "migrations", "configs", "config", "data")


def write_go(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Build the chosen package without cgo unless the sources need it, and run the binary alone."""
    package = safe_name(plan.traits.get("package", "."), "package")
    cgo = plan.traits.get("cgo") == "yes"
    tag = ".".join((plan.runtime_version or "1").split(".")[:2])
    writer.stage(f"golang:{tag}-bookworm" if cgo else f"golang:{tag}-alpine", "build")
    writer.add("WORKDIR /src")
    writer.env(CGO_ENABLED="1" if cgo else "0")
    place = _inner(plan, folder)
    manifests = [n for n in ("go.mod", "go.sum") if folder.has(n)]
    if writer.told("install"):
        writer.step("install", "go mod download", *_CACHES)
    elif manifests and not folder.has("vendor/modules.txt") and not place and not _needs_sources(folder):
        writer.copy(manifests, "./")
        writer.run("go mod download", _CACHES[0], key="install")
    writer.copy(["."], ".")
    if place:
        writer.add(f"WORKDIR /src/{safe_name(place, 'folder')}")
    if not manifests and not folder.has("go.work"):
        writer.run("go mod init app && go mod tidy", *_CACHES)
    image = "debian:bookworm-slim" if cgo else "alpine:3"
    if writer.told("build"):
        writer.run(plan.build or "", *_CACHES, key="build")
        run_all(writer, plan, image, place)
        return
    writer.run(f"go build -trimpath -tags timetzdata -ldflags='-s -w' -o /out/app {package}", *_CACHES, key="build")
    writer.stage(image)
    writer.add("WORKDIR /app")
    writer.copy(["/out/app"], "/app/out", from_stage="build")
    _write_named(writer, plan)
    for name in _ASSETS:
        if folder.any(rf"{name}/.+") and not folder.any(rf"{name}/.*\.go"):
            writer.copy([join("/src", join(place, name)) + "/"], f"/app/{name}/", from_stage="build")
    writer.finish("./out" if not plan.start or plan.start == "./out" else plan.start, plan.port)


def _needs_sources(folder: Folder) -> bool:
    """Whether go.mod replaces a module by a folder of the repository, which downloading then reads."""
    return re.search(r"=>\s*\.{1,2}/", folder.text("go.mod") or "") is not None


def _inner(plan: AppPlan, folder: Folder) -> str:
    """The module's folder within the build context, `""` when they are the same."""
    if plan.docker_context in (None, plan.path):
        return ""
    return folder.root.removeprefix("" if plan.docker_context == "." else f"{plan.docker_context}/")


def _write_named(writer: Writer, plan: AppPlan) -> None:
    """Where a Procfile starts the program under a name of its own, put it there too."""
    named = re.match(r"(?:\w+=\S+\s+)*(?:exec\s+)?(\.?[\w][\w./-]*|\./[\w./-]+)(?=\s|$)", plan.start or "")
    name = named[1].removeprefix("./") if named else "out"
    if name == "out" or ".." in name:
        return
    target = f"/app/{name}" if "/" in name or (named and named[1].startswith("./")) else f"/usr/local/bin/{name}"
    safe_name(name, "program")
    writer.copy(["/out/app"], target, from_stage="build")
