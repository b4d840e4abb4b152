"""Deno: tasks, the entry file, Fresh."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import settle_framework, settle_framework_port, start_with
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command

_ENTRIES = r"(?:src/|server/|api/)?(?:main|mod|index|server|app)\.(?:tsx?|jsx?|mts|mjs)"
_SERVES = re.compile(r"\bDeno\.serve\b|\bserve\(|\.listen\(")
_PORTS = (
    r"Deno\.env\.get\(\"PORT\"\)\s*(?:\|\||\?\?)\s*\"?(\d{2,5})",
    r"\bport\s*:\s*(\d{2,5})",
    r"\.listen\(\s*\{?\s*(?:port:\s*)?(\d{2,5})",
)


def inspect_deno(draft: Draft) -> None:
    """Fill the draft from deno.json and the conventional entry."""
    folder = draft.folder
    at = folder.first("deno.json", "deno.jsonc", "deno.lock")
    data = folder.json(at) if at and at != "deno.lock" else {}
    draft.family = "deno"
    scripts = folder.any(r"(?:[\w-]+/)*[\w.-]+\.(?:js|mjs|jsx)") and not folder.any(
        r"(?:[\w-]+/)*[\w.-]+\.(?:ts|tsx|mts)"
    )
    draft.settle("language", "javascript" if scripts else "typescript", "deno/manifest", f"{at} is there", at=at)
    draft.settle("package_manager", "deno", "deno/deno", "Deno's own", at=at)
    settle_runtime(draft, "deno", _pins(folder))
    found = (Dependency(n, at or "", as_text(v)) for n, v in as_map(data.get("imports")).items())
    match = settle_framework(draft, ("deno",), gather(found))
    tasks = as_map(data.get("tasks"))
    if "build" in tasks:
        draft.settle("build", "deno task build", "deno/build", "there is a build task", at=at)
    draft.settle("install", "deno install", "deno/install", "caches what the imports name")
    _settle_start(draft, tasks, at, is_fresh=match is not None)
    settle_port_from_command(draft)
    entries = folder.match(_ENTRIES)[:5]
    settle_port_from_code(draft, entries, _PORTS)
    settle_framework_port(draft, match)
    if any(_SERVES.search(folder.text(name) or "") for name in entries):
        draft.settle("port", 8000, "port/deno", "Deno.serve listens there by default")
    draft.rule_out("static_output")


def _pins(folder: Folder) -> Iterator[Pin]:
    yield from file_pins(folder, ".deno-version", ".dvmrc")
    yield from tool_pins(folder, "deno")


def _settle_start(draft: Draft, tasks: dict[str, object], at: str | None, *, is_fresh: bool) -> None:
    for name in ("start", "serve", "prod"):
        command = as_text(tasks.get(name)) or as_text(as_map(tasks.get(name)).get("command"))
        if command and "--watch" not in command and not re.search(r"\bvite\b|\bdev\.ts\b", command):
            start_with(draft, f"deno task {name}", "deno/task", f"there is a {name} task", at)
            return
    entry = next(iter(draft.folder.match(_ENTRIES)), None)
    if is_fresh and draft.folder.has("main.ts"):
        entry = "main.ts"
    if entry is None:
        return
    start_with(draft, f"deno run --allow-all {entry}", "deno/entry", f"{entry} is the conventional entry", entry)
