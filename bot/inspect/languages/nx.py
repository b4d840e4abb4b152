"""Nx: applications that are only a project.json, built from the root with the root's dependencies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import start_with
from bot.inspect.manifests.package_json import PackageJson, find_manager, install_command, settle_manager
from bot.inspect.manifests.web_ports import settle_port_from_code
from bot.inspect.paths import join, shown

_STATIC = re.compile(r"@(?:nx|nrwl)/(?:vite|react|angular|web|webpack)|@angular(?:-devkit)?/build")
_SERVERS = {"@nestjs/core": "nestjs", "fastify": "fastify", "express": "express", "koa": "koa"}
_PORTS = (r"\bPORT['\"]?\]?\s*(?:\|\||\?\?|,)\s*['\"]?(\d{2,5})", r"\.listen\(\s*(\d{2,5})")


def nx_root(folder: Folder) -> Folder | None:
    """The workspace's root above a project.json, when there is one."""
    return next((level for level in folder.upwards() if level.has("nx.json")), None)


def is_nx_application(folder: Folder) -> bool:
    """Whether the folder is an application of an Nx workspace rather than a library or its tests."""
    root = nx_root(folder)
    project = folder.json("project.json")
    return (
        root is not None
        and root.root != folder.root
        and project.get("projectType") == "application"
        and bool(_executor(project))
    )


def _executor(project: Mapping[str, Any]) -> str:
    target = as_map(as_map(project.get("targets") or project.get("architect")).get("build"))
    return as_text(target.get("executor")) or as_text(target.get("builder")) or ""


def inspect_nx(draft: Draft) -> None:
    """Fill the draft from project.json; the executor of its build says what kind of application it is."""
    folder = draft.folder
    root = nx_root(folder) or folder
    project = folder.json("project.json")
    name = as_text(project.get("name")) or folder.root.rpartition("/")[2]
    manager = find_manager(root)
    draft.family = "node"
    draft.settle("language", "typescript", "nx/project", "Nx's projects are TypeScript", at="project.json")
    settle_manager(draft, manager)
    draft.settle(
        "runtime_version",
        _runtime(root),
        "nx/runtime",
        "the root's package.json names it",
        path=root.path("package.json"),
    )
    draft.settle("install", install_command(manager), "node/install", "takes exactly what the lock file holds")
    draft.settle("build", f"npx nx build {name}", "nx/build", "Nx builds the project", at="project.json")
    draft.settle("docker_context", shown(root.root), "nx/workspace", "nx.json is there", path=root.path("nx.json"))
    _settle_kind(draft, root, project)


def _runtime(root: Folder) -> str | None:
    match = re.search(r"\d+", PackageJson(root).engines.get("node", ""))
    return match[0] if match else None


def _settle_kind(draft: Draft, root: Folder, project: Mapping[str, Any]) -> None:
    executor = _executor(project)
    options = as_map(as_map(as_map(project.get("targets")).get("build")).get("options"))
    output = as_text(options.get("outputPath")) or join("dist", draft.folder.root)
    if "next" in executor:
        _settle_framework(draft, "nextjs", executor)
        start_with(draft, "npx next start", "nx/next", "Next.js serves it", "project.json")
        draft.settle("port", 3000, "port/framework", "nextjs listens there by default")
        draft.rule_out("static_output")
    elif _STATIC.match(executor) and options.get("target") != "node" and not draft.folder.any(r"src/main\.ts"):
        _settle_framework(draft, "angular" if "angular" in executor else "vite", executor)
        draft.traits["paths_from"] = "context"
        draft.settle("static_output", output, "nx/output", f"{executor} writes there", at="project.json")
        draft.rule_out("start")
        draft.settle("port", 8080, "port/static", "static files are served on 8080")
        draft.has_entry = True
    else:
        _settle_server(draft, root, output)


def _settle_framework(draft: Draft, framework: str, executor: str) -> None:
    draft.settle("framework", framework, "nx/executor", f"{executor} builds it", at="project.json")
    draft.raise_certainty(0.9)


def _settle_server(draft: Draft, root: Folder, output: str) -> None:
    used = PackageJson(root).dependencies
    sources = draft.folder.match(r"src/(?:main|index|server)\.ts")
    text = " ".join(draft.folder.text(name) or "" for name in sources)
    framework = next((name for dep, name in _SERVERS.items() if dep in used and dep in text), None)
    if framework:
        draft.settle("framework", framework, "nx/imports", f"{sources[0]} imports it", at=sources[0])
        draft.raise_certainty(0.9)
    draft.rule_out("framework")
    draft.traits["paths_from"] = "context"
    start_with(draft, f"node {output}/main.js", "nx/output", "the build leaves it there", "project.json")
    settle_port_from_code(draft, sources, _PORTS)
    draft.rule_out("static_output")
