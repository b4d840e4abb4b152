"""JavaScript and TypeScript on node or bun: framework, package manager, build, start, port, static output."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Match, matches
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.node_sites import angular_server, config_text, settle_static
from bot.inspect.manifests.package_json import (
    Manager,
    PackageJson,
    find_manager,
    install_command,
    is_dev_server,
    settle_manager,
)
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command
from bot.inspect.paths import parent, shown

_LTS = {"argon": "4", "boron": "6", "carbon": "8", "dubnium": "10", "erbium": "12", "fermium": "14", "gallium": "16"}
_LTS |= {"hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}
MOST_SCRIPTS = 4
"""How often a script that only runs another is followed."""
_START_SCRIPTS = ("start:prod", "start:production", "start", "serve:prod", "serve", "prod", "production")
_RUNS = frozenset({*_START_SCRIPTS, "dev", "develop", "watch"})
"""Scripts of which something that is run has at least one, be it for development."""
_ENTRY_FILES = r"(?:src/|server/|api/|app/)?(?:server|app|index|main)\.(?:[cm]?js|[cm]?ts|jsx|tsx)"
_RUN_FILE = re.compile(
    r"(?:^|[\s&;])(?:node|nodejs|tsx|ts-node|bun(?:\s+run)?|pm2-runtime(?:\s+start)?)\s+((?:-\S+\s+)*)([\w./@-]+)"
)
_PORTS = (
    r"\bPORT['\"]?\]?\s*(?:\|\||\?\?|,)\s*['\"]?(\d{2,5})",
    r"\bport\s*[:=]\s*(?:[\w.()\[\]'\" ]+(?:\|\||\?\?)\s*)?['\"]?(\d{2,5})\b",
    r"\.listen\(\s*(?:\{\s*port\s*:\s*)?['\"]?(\d{2,5})\b",
    r"(?i)\b(?:const|let|var)\s+\w*port\w*\s*(?::\s*\w+\s*)?=\s*['\"]?(\d{2,5})\b",
    r"\bint\(['\"]PORT['\"],\s*(\d{2,5})",
)


def inspect_node(draft: Draft) -> None:
    """Fill the draft from package.json and what surrounds it."""
    folder = draft.folder
    package = PackageJson(folder)
    manager = find_manager(folder)
    _note_orchestration(draft, package)
    _settle_language(draft, package)
    settle_manager(draft, manager)
    _settle_context(draft, manager)
    _settle_runtime(draft, package, manager)
    match = _settle_framework(draft, package)
    draft.settle("install", install_command(manager), "node/install", "takes exactly what the lock file holds")
    _settle_build(draft, package, manager, match)
    settle_static(draft, package, match)
    if match and match.framework.id == "nextjs" and _is_standalone(folder):
        draft.traits["standalone"] = "yes"
    _settle_start(draft, package, manager, match)
    _settle_port(draft, package, match)


def _settle_language(draft: Draft, package: PackageJson) -> None:
    folder = draft.folder
    config = folder.first("tsconfig.json", "tsconfig.app.json", "tsconfig.base.json")
    if config:
        draft.settle("language", "typescript", "node/typescript", "tsconfig is there", at=config)
    elif "typescript" in package.dependencies:
        line = folder.line("package.json", '"typescript"')
        draft.settle("language", "typescript", "node/typescript", "depends on typescript", at="package.json", line=line)
    elif folder.any(r"(?:src/|app/|pages/)?[\w.-]+\.tsx?"):
        draft.settle("language", "typescript", "node/typescript", "its sources are TypeScript")
    draft.settle("language", "javascript", "node/javascript", "package.json is there", at="package.json")


_STARTS_MEMBERS = re.compile(r"\b(?:turbo|nx|lerna)\b.*\bstart\b|--filter|--workspace|\s-w\s|\s-r\s")


def _note_orchestration(draft: Draft, package: PackageJson) -> None:
    """A root that only starts its members is left out where they are found themselves."""
    is_nx = draft.folder.has("nx.json") and not draft.folder.has("project.json")
    if is_nx or _STARTS_MEMBERS.search(package.scripts.get("start", "")):
        draft.traits["orchestrates"] = "yes"


def _settle_context(draft: Draft, manager: Manager) -> None:
    """A workspace's member is installed from the folder that holds the lock file, or that lists it."""
    if manager.lock and parent(manager.lock) != draft.folder.root:
        place = shown(parent(manager.lock))
        draft.settle("docker_context", place, "node/workspace", "the workspace's lock file is there", path=manager.lock)
    if manager.lock:
        return
    for level in list(draft.folder.upwards())[1:]:
        if PackageJson(level).workspaces() or level.has("pnpm-workspace.yaml"):
            path = level.path("package.json")
            draft.settle(
                "docker_context", shown(level.root), "node/workspace", "the workspace is declared there", path=path
            )


def _settle_runtime(draft: Draft, package: PackageJson, manager: Manager) -> None:
    runs_on_bun = manager.name == "bun" and "node" not in package.engines
    draft.family = "bun" if runs_on_bun else "node"
    if runs_on_bun:
        settle_runtime(draft, "bun", _bun_pins(draft.folder, package, manager))
    else:
        settle_runtime(draft, "node", _node_pins(draft.folder, package))


def _bun_pins(folder: Folder, package: PackageJson, manager: Manager) -> Iterator[Pin]:
    yield from tool_pins(folder, "bun")
    if manager.version and manager.rule == "package-manager/field":
        yield Pin(manager.version, manager.path or "", manager.line, "packageManager")
    yield from file_pins(folder, ".bun-version")
    if "bun" in package.engines:
        yield Pin(package.engines["bun"], folder.path("package.json"), package.line("engines"), "engines")


def _node_pins(folder: Folder, package: PackageJson) -> Iterator[Pin]:
    for pin in _raw_node_pins(folder, package):
        text = _without_alias(pin.text)
        if text:
            yield Pin(text, pin.path, pin.line, pin.rule)


def _raw_node_pins(folder: Folder, package: PackageJson) -> Iterator[Pin]:
    yield from tool_pins(folder, "node", "nodejs")
    yield from file_pins(folder, ".nvmrc", ".node-version")
    for level in folder.upwards():
        above = package if level is folder else PackageJson(level)
        path = level.path("package.json")
        volta = as_text(as_map(above.data.get("volta")).get("node"))
        if volta:
            yield Pin(volta, path, above.line("volta"), "volta")
        if "node" in above.engines:
            yield Pin(above.engines["node"], path, above.line("node"), "engines")


def _without_alias(text: str) -> str | None:
    """`lts/iron` as 20, `lts/*` and `node` as the default; None leaves the next source to speak."""
    name = text.lower().removeprefix("lts/").removeprefix("lts-")
    if name in _LTS:
        return _LTS[name]
    if name in ("*", "lts", "node", "stable", "latest", "current", "x", ""):
        return None
    return text


def _settle_framework(draft: Draft, package: PackageJson) -> Match | None:
    candidates = matches(draft.folder, "node", package.dependencies) + matches(
        draft.folder, "bun", package.dependencies
    )
    chosen = max(candidates, key=lambda match: _weight(match, package, draft.folder), default=None)
    if chosen is None or _weight(chosen, package, draft.folder) < 20:
        draft.rule_out("framework")
        return None
    if draft.settle(
        "framework", chosen.framework.id, "framework/dependency", chosen.why, at=chosen.at, line=chosen.line
    ):
        draft.raise_certainty(0.9)
    return chosen if draft.text("framework") == chosen.framework.id else _named(candidates, draft)


def _named(candidates: list[Match], draft: Draft) -> Match | None:
    return next((match for match in candidates if match.framework.id == draft.text("framework")), None)


def _weight(match: Match, package: PackageJson, folder: Folder) -> float:
    """The match's score, less where the scripts build with something else or nothing runs the library."""
    rule = match.framework
    if rule.library and not _has_server_start(package, folder):
        return match.score * 0.4
    build = package.scripts.get("build", "")
    if rule.site and build and rule.tools and not any(tool in build for tool in rule.tools):
        return match.score * (0.75 if rule.id in ("vite", "angular") else 0.5)
    return match.score


def _has_server_start(package: PackageJson, folder: Folder) -> bool:
    start = _start_script(package)
    if start:
        return True
    if folder.has("Procfile") or folder.has("Dockerfile"):
        return True
    return (
        ("vite" not in package.dependencies and not any(is_dev_server(s) for s in package.scripts.values()))
        or folder.any(r"(?:src/)?(?:server|app)\.[cm]?[jt]s")
        or bool(package.main)
    )


def _settle_build(draft: Draft, package: PackageJson, manager: Manager, match: Match | None) -> None:
    line = package.line("build")
    if "build" in package.scripts:
        why = "package.json has a build script"
        draft.settle("build", f"{manager.name} run build", "node/build-script", why, at="package.json", line=line)
    elif match and match.framework.build:
        command = _tool_command(manager, match.framework.build)
        draft.settle("build", command, "node/framework-build", f"{match.framework.id} is built so")


def _tool_command(manager: Manager, command: str) -> str:
    if command.startswith(("node ", "yarn ")):
        return command
    runner = {"npm": "npx", "pnpm": "pnpm exec", "yarn": "yarn", "bun": "bunx"}[manager.name]
    return f"{runner} {command}"


def _start_script(package: PackageJson) -> str | None:
    names = [n for n in _START_SCRIPTS if n in package.scripts and not is_dev_server(package.scripts[n])]
    return next((name for name in names if not _only_previews(package.scripts[name])), None)


def _only_previews(script: str) -> bool:
    return (
        re.search(
            r"\bvite\s+preview\b|\bdocusaurus\s+serve\b|\bgatsby\s+serve\b|\bvitepress\s+(?:serve|preview)\b", script
        )
        is not None
    )


def _is_standalone(folder: Folder) -> bool:
    """Whether next.config asks for a server that needs no node_modules."""
    _, text = config_text(folder, "next.config")
    return re.search(r"\boutput['\"]?\s*:\s*['\"]standalone['\"]", text) is not None


def _settle_start(draft: Draft, package: PackageJson, manager: Manager, match: Match | None) -> None:
    if draft.settled("start"):
        draft.has_entry = draft.has_entry or draft.text("start") is not None
        return
    for settle in (_start_from_script, _start_from_framework, _start_from_main, _start_from_file):
        if settle(draft, package, manager, match):
            draft.has_entry = True
            draft.guessed_entry = settle in (_start_from_main, _start_from_file)
            if draft.guessed_entry and match and match.framework.library and _RUNS.isdisjoint(package.scripts):
                draft.traits["never_run"] = "yes"
            return


def _start_from_script(draft: Draft, package: PackageJson, manager: Manager, match: Match | None) -> bool:
    name = _start_script(package)
    if name is None:
        return False
    line = package.line(name)
    why = f"package.json's {name} script is for production"
    return draft.settle("start", f"{manager.name} run {name}", "node/start-script", why, at="package.json", line=line)


def _start_from_framework(draft: Draft, package: PackageJson, manager: Manager, match: Match | None) -> bool:
    if match is None:
        return False
    if match.framework.id == "angular":  # with a static output nothing is started, so this one renders
        draft.settle("port", 4000, "port/framework", "Angular's server listens there by default")
        return draft.settle("start", angular_server(draft.folder), "angular/server", "Angular renders on a server")
    if match.framework.start is None:
        return False
    command = match.framework.start
    if not command.startswith(("node ", "yarn ")):
        command = _tool_command(manager, command)
    return draft.settle("start", command, "node/framework-start", f"{match.framework.id} is started so")


def _runner(draft: Draft, file: str) -> str:
    if draft.family == "bun":
        return f"bun {file}"
    return f"npx tsx {file}" if file.endswith(("ts", "tsx")) else f"node {file}"


def _start_from_main(draft: Draft, package: PackageJson, manager: Manager, match: Match | None) -> bool:
    main = (package.main or as_text(package.data.get("module")) or "").removeprefix("./")
    existing = draft.folder.first(main, f"{main}.js", f"{main}/index.js") if main else None
    if existing is None:
        return False
    command = _runner(draft, existing)
    return draft.settle(
        "start", command, "node/main", "it is package.json's main", at="package.json", line=package.line("main")
    )


def _start_from_file(draft: Draft, package: PackageJson, manager: Manager, match: Match | None) -> bool:
    file = next(iter(draft.folder.match(_ENTRY_FILES)), None)
    if file is None:
        return False
    return draft.settle("start", _runner(draft, file), "node/entry-file", f"{file} is the conventional entry", at=file)


def _settle_port(draft: Draft, package: PackageJson, match: Match | None) -> None:
    if draft.text("static_output") is not None:
        draft.settle("port", 8080, "port/static", "static files are served on 8080")
        return
    settle_port_from_command(draft)
    script = _script_text(draft, package)
    found = re.search(r"(?:-p|--port|PORT=)[ =]?(\d{2,5})\b", script)
    if found:
        draft.settle("port", int(found[1]), "port/script", "the start script names it", at="package.json")
    settle_port_from_code(draft, _server_files(draft, script), _PORTS)
    if match and match.framework.port:
        draft.settle("port", match.framework.port, "port/framework", f"{match.framework.id} listens there by default")


def _script_text(draft: Draft, package: PackageJson) -> str:
    """What the start runs in the end: a script that runs another is followed."""
    command = draft.text("start") or ""
    for _ in range(MOST_SCRIPTS):
        words = command.split()
        script = package.scripts.get(words[-1], "") if words else ""
        if not script or script == command:
            break
        command = script
    return command if command != draft.text("start") else ""


def _server_files(draft: Draft, script: str) -> list[str]:
    """The sources most likely to call listen: what start runs, then the conventional names."""
    folder = draft.folder
    named = [m[2].removeprefix("./") for m in _RUN_FILE.finditer(f"{draft.text('start')} && {script}")]
    sources = [guess for name in named for guess in _sources_of(name) if folder.has(guess)]
    configured = [
        n for n in ("config/server.js", "config/server.ts", "src/config/server.ts", "vite.config.ts") if folder.has(n)
    ]
    configured += [beside for name in sources for beside in folder.match(_beside(name, r"config(?:uration)?"))]
    main = [n for n in (draft.folder.json("package.json").get("main"),) if isinstance(n, str) and folder.has(n)]
    return list(dict.fromkeys([*sources, *main, *folder.match(_ENTRY_FILES)[:6], *configured]))[:8]


def _beside(name: str, stem: str) -> str:
    """Files of this stem in the folder of another, as a regular expression."""
    place = name.rpartition("/")[0]
    return rf"{re.escape(place + '/') if place else ''}{stem}\.[cm]?[jt]s"


def _sources_of(name: str) -> list[str]:
    """The file itself, and where a compiled file probably comes from (`dist/index.js` from `src/index.ts`)."""
    stem = re.sub(r"\.[cm]?[jt]sx?$", "", name)
    inner = re.sub(r"^(?:dist|build|out|lib|\.output)/(?:src/)?", "", stem)
    names = [name, f"{stem}.js", f"{stem}.ts", f"{stem}/index.js"]
    return names + [f"{place}{inner}.{ending}" for place in ("src/", "") for ending in ("ts", "js", "tsx", "mts")]
