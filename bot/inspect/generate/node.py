"""The Dockerfile of a JavaScript application, on node or bun, ending as a server or as static files."""

from __future__ import annotations

import re

from bot.inspect.folder import Folder
from bot.inspect.generate.site import write_server
from bot.inspect.generate.writer import Writer, safe_name
from bot.inspect.manifests.package_json import LOCK_FILES, PackageJson
from bot.inspect.model import AppPlan
from bot.inspect.paths import join

NODE_USER = "1000"
_BINS = "node_modules/.bin"
_CACHES = {
    "npm": "/root/.npm",
    "pnpm": "/root/.local/share/pnpm/store",
    "yarn": "/usr/local/share/.cache/yarn",
    "bun": "/root/.bun/install/cache",
}
_INSTALL_FILES = (
    *LOCK_FILES,
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnpmfile.cjs",
    "pnpm-workspace.yaml",
    "bunfig.toml",
)
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepare")
_SELF_CONTAINED = ("nuxt", "nitro")  # their output holds every dependency


def write_node(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Install from the lock file, build, drop development dependencies, run; static output moves to nginx."""
    base = Folder(folder.reader, plan.docker_context if plan.docker_context not in (None, ".") else "")
    image = f"node:{_major(plan) if plan.family == 'node' else '22'}-slim"
    place = "" if plan.traits.get("paths_from") == "context" else _inner(base, folder)
    _write_install(writer, plan, base, image)
    writer.copy(["."], ".")
    if place:
        writer.add(f"WORKDIR /app/{safe_name(place, 'folder')}")
    if plan.build:
        writer.run(plan.build, key="build")
    if plan.static_output is not None:
        output = join(place, plan.static_output)
        write_server(writer, plan, f"/app/{safe_name(output, 'output folder')}/", from_stage="build")
        return
    _write_prune(writer, plan, folder, place)
    _write_runtime(writer, plan, folder, image, place)


def _major(plan: AppPlan) -> str:
    return (plan.runtime_version or "22").split(".")[0]


def _inner(base: Folder, folder: Folder) -> str:
    return folder.root[len(base.root) + 1 if base.root else 0 :] if folder.root != base.root else ""


def install_tool(name: str, version: str | None, base: Folder) -> str | None:
    """The command that brings the package manager itself; None for npm, which comes with the image."""
    if name == "npm":
        return None
    if name != "yarn":
        return f"npm install --global {name}@{safe_name(version or 'latest', 'version')}"
    if (version or "1").startswith("1") or base.any(r"\.yarn/releases/.*"):
        return "npm install --global --force yarn@1"
    prepared = f"corepack prepare yarn@{safe_name(version or '4', 'version')} --activate"
    return f"npm install --global --force corepack && corepack enable && {prepared}"


def _tool_install(plan: AppPlan, base: Folder) -> str | None:
    return install_tool(plan.package_manager or "npm", plan.package_manager_version, base)


def _write_install(writer: Writer, plan: AppPlan, base: Folder, image: str) -> None:
    writer.stage(image, "build")
    writer.add("WORKDIR /app")
    tool = _tool_install(plan, base)
    cache = _CACHES[plan.package_manager or "npm"]
    if tool:
        writer.run(tool, _CACHES["npm"], key="install")
    if writer.told("install") or _needs_sources(base):
        writer.copy(["."], ".")
    else:
        _copy_manifests(writer, base)
    if plan.install:
        writer.run(plan.install, cache, key="install")


def _needs_sources(base: Folder) -> bool:
    """Whether installing reads more than manifests: lifecycle scripts, or dependencies in the repository."""
    package = PackageJson(base)
    local = any((d.version or "").startswith(("file:", "link:", "portal:")) for d in package.dependencies.values())
    return local or any(name in package.scripts for name in _LIFECYCLE) or base.any(r"(?:patches|\.yarn|prisma)/.+")


def _copy_manifests(writer: Writer, base: Folder) -> None:
    writer.copy(["package.json", *(name for name in _INSTALL_FILES if base.has(name))], "./")
    for name in base.match(r"(?:[^/]+/){1,4}package\.json"):
        writer.copy([name], f"./{safe_name(name, 'manifest').removesuffix('package.json')}")


def _write_prune(writer: Writer, plan: AppPlan, folder: Folder, place: str) -> None:
    """Drop development dependencies unless the start needs one, or the tool cannot do it in place."""
    if place or _starts_with_dev_tool(plan, folder) or plan.framework in _SELF_CONTAINED:
        return
    command = {"npm": "npm prune --omit=dev", "pnpm": "pnpm prune --prod --ignore-scripts"}.get(
        plan.package_manager or ""
    )
    if command and not folder.has("pnpm-workspace.yaml") and not PackageJson(folder).workspaces():
        writer.run(command, _CACHES[plan.package_manager or "npm"])


def _starts_with_dev_tool(plan: AppPlan, folder: Folder) -> bool:
    package = PackageJson(folder)
    words = (plan.start or "").split()
    script = package.scripts.get(words[-1], "") if words else ""
    text = f"{plan.start} {script}"
    developer = [name for name, item in package.dependencies.items() if item.dev]
    return any(re.search(rf"(?:^|[\s/]){re.escape(name.rpartition('/')[2])}\b", text) for name in developer) or any(
        plan.framework == known and name in developer
        for known, name in (("nextjs", "next"), ("sveltekit", "@sveltejs/kit"), ("remix", "@remix-run/serve"))
    )


def _write_runtime(writer: Writer, plan: AppPlan, folder: Folder, image: str, place: str) -> None:
    writer.stage(image)
    tool = None if _direct(plan, folder) else _tool_install(plan, folder)
    if plan.family == "bun":
        tool = f"npm install --global bun@{plan.runtime_version or 'latest'}"
    if tool:
        writer.run(tool, _CACHES["npm"], key="install")
    writer.add(f"WORKDIR /app/{place}" if place else "WORKDIR /app")
    bins = ":".join(dict.fromkeys([join(join("/app", place), _BINS), join("/app", _BINS)]))
    writer.env(PATH=f"{bins}:$PATH")
    writer.env(NODE_ENV="production", HOST="0.0.0.0", HOSTNAME="0.0.0.0")  # noqa: S104 - inside the container
    if plan.traits.get("standalone") and not place and not plan.traits.get("start_override"):
        _write_standalone(writer, plan, folder)
        return
    if plan.framework in _SELF_CONTAINED and ".output/" in (plan.start or "") and not place:
        writer.copy(["/app/.output"], "/app/.output", from_stage="build")
    else:
        writer.copy(["/app"], "/app", from_stage="build")
    writer.finish(_direct(plan, folder) or plan.start or "", plan.port, user=NODE_USER)


def _write_standalone(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Next.js's own selection of what its server needs, with the files it leaves out on purpose."""
    writer.copy(["/app/.next/standalone"], "/app", from_stage="build")
    writer.copy(["/app/.next/static"], "/app/.next/static", from_stage="build")
    if folder.any(r"public/.+"):
        writer.copy(["/app/public"], "/app/public", from_stage="build")
    writer.finish("node server.js", plan.port, user=NODE_USER)


def _direct(plan: AppPlan, folder: Folder) -> str | None:
    """The program behind `npm run start` when it is one simple command, so that signals reach it."""
    words = (plan.start or "").split()
    if plan.start and words[0] == "node":
        return plan.start
    if len(words) != 3 or words[1] != "run" or plan.family == "bun" or _is_plug_and_play(plan, folder):
        return None
    package = PackageJson(folder)
    if f"pre{words[2]}" in package.scripts:
        return None
    script = package.scripts.get(words[2], "")
    return script if re.fullmatch(r"(?!npm |npx |pnpm |yarn |bun )[\w-]+(?: [\w./=:@-]+)*", script) else None


def _is_plug_and_play(plan: AppPlan, folder: Folder) -> bool:
    """Whether yarn leaves no node_modules, so that only yarn itself can start what it installed."""
    if plan.package_manager != "yarn" or (plan.package_manager_version or "1").startswith("1"):
        return False
    settings = " ".join(level.text(".yarnrc.yml") or "" for level in folder.upwards())
    return re.search(r"nodeLinker:\s*[\"']?node-modules", settings) is None
