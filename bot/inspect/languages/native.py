"""Languages that compile to one program and have one way to do it: Swift, Crystal, Zig."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import begin, settle_framework, settle_ports, start_with
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins

_SWIFT_PORTS = (r"\bport\s*[:=]\s*(\d{2,5})", r"\.port\s*=\s*(\d{2,5})", r"port:\s*(\d{2,5})")
_ZIG_PORTS = (r"\bport\s*[:=]\s*(\d{2,5})", r"parseIp\([^,\n]{0,120},\s*(\d{2,5})")
_CRYSTAL_PORTS = (r"Kemal\.run\s*\(?\s*(\d{2,5})", r"\bport\s*=\s*(\d{2,5})", r"bind_tcp\([^)\n]{0,120}?(\d{2,5})")


def inspect_swift(draft: Draft) -> None:
    """Fill the draft from Package.swift."""
    folder = draft.folder
    text = folder.text("Package.swift") or ""
    begin(draft, "swift", "swift", "swiftpm", "Package.swift")
    settle_runtime(draft, "swift", _swift_pins(folder, text))
    names = re.findall(r"url:\s*\"[^\"]*/([\w.-]+?)(?:\.git)?\"", text)
    match = settle_framework(draft, ("swift",), gather(Dependency(name, "Package.swift") for name in names))
    program = _swift_program(folder, text)
    if program:
        draft.traits["program"] = program
        command = "swift build -c release --static-swift-stdlib"
        draft.settle("build", command, "swift/build", f"{program} is the executable", at="Package.swift")
        options = {
            "vapor": " serve --env production --hostname 0.0.0.0 --port $PORT",
            "hummingbird": " --hostname 0.0.0.0 --port $PORT",
        }.get(match.framework.id if match else "", "")
        start_with(
            draft, f"./.build/release/{program}{options}", "swift/program", "what swift build leaves", "Package.swift"
        )
    settle_ports(
        draft, match, folder.match(r"Sources/.*(?:main|configure|entrypoint|App|Server)\w*\.swift")[:6], _SWIFT_PORTS
    )


def _swift_pins(folder: Folder, text: str) -> Iterator[Pin]:
    yield from file_pins(folder, ".swift-version")
    yield from tool_pins(folder, "swift")
    match = re.match(r"\s*//\s*swift-tools-version:\s*(\d[\d.]*)", text)
    if match:
        yield Pin(f">={match[1]}", folder.path("Package.swift"), 1, "swift-tools-version")


def _swift_program(folder: Folder, text: str) -> str | None:
    named = re.findall(r"\.executable(?:Target)?\(\s*name:\s*\"([^\"]+)\"", text)
    if named:
        return str(named[-1] if "Run" in named else named[0])
    mains = folder.match(r"Sources/[\w-]+/main\.swift")
    if mains:
        return mains[0].split("/")[1]
    package = re.search(r"name:\s*\"([^\"]+)\"", text)
    return package[1] if package and folder.has("Sources/main.swift") else None


def inspect_crystal(draft: Draft) -> None:
    """Fill the draft from shard.yml."""
    folder = draft.folder
    data = folder.yaml("shard.yml")
    begin(draft, "crystal", "crystal", "shards", "shard.yml")
    settle_runtime(draft, "crystal", _crystal_pins(folder))
    found = (Dependency(name, "shard.yml") for name in as_map(data.get("dependencies")))
    match = settle_framework(draft, ("crystal",), gather(found))
    name = as_text(data.get("name")) or "app"
    targets = list(as_map(data.get("targets")))
    program = next((t for t in targets if t in (name, "server", "app")), targets[0] if targets else name)
    frozen = " --frozen" if folder.has("shard.lock") else ""
    draft.traits["program"] = program
    draft.settle("install", f"shards install --production{frozen}", "crystal/install", "takes what shard.lock holds")
    command = f"shards build --release --production {program}"
    draft.settle("build", command, "crystal/build", f"{program} is the target", at="shard.yml")
    start_with(
        draft, f"./bin/{program}", "crystal/program", "what shards build leaves", "shard.yml", guessed=not targets
    )
    settle_ports(draft, match, folder.match(r"src/.*\.cr|config/.*\.cr")[:6], _CRYSTAL_PORTS)


def _crystal_pins(folder: Folder) -> Iterator[Pin]:
    yield from file_pins(folder, ".crystal-version")
    yield from tool_pins(folder, "crystal")
    text = as_text(folder.yaml("shard.yml").get("crystal"))
    if text:
        yield Pin(text, folder.path("shard.yml"), folder.line("shard.yml", "crystal:"), "shard.yml")


def inspect_zig(draft: Draft) -> None:
    """Fill the draft from build.zig."""
    folder = draft.folder
    text = folder.text("build.zig") or ""
    begin(draft, "zig", "zig", "zig", "build.zig")
    settle_runtime(draft, "zig", _zig_pins(folder))
    draft.rule_out("framework")
    match = re.search(r"addExecutable\(\s*(?:\.\{[^}]{0,500}?\.name\s*=\s*)?\"([^\"]+)\"", text, re.DOTALL)
    if match:
        draft.traits["program"] = match[1]
        draft.settle(
            "build", "zig build -Doptimize=ReleaseSafe", "zig/build", f"{match[1]} is the executable", at="build.zig"
        )
        start_with(draft, f"./zig-out/bin/{match[1]}", "zig/program", "what zig build leaves", "build.zig")
    settle_ports(draft, None, folder.match(r"src/.*\.zig")[:4], _ZIG_PORTS)


def _zig_pins(folder: Folder) -> Iterator[Pin]:
    match = re.search(r"\.minimum_zig_version\s*=\s*\"([^\"]+)\"", folder.text("build.zig.zon") or "")
    if match:
        yield Pin(match[1], folder.path("build.zig.zon"), folder.line("build.zig.zon", "minimum_zig"), "build.zig.zon")
    yield from file_pins(folder, ".zigversion", ".zig-version")
    yield from tool_pins(folder, "zig")
