"""Rust: which binary of which package of a Cargo workspace is the program."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_list, as_map, as_text
from bot.inspect.languages.common import settle_framework, settle_ports, start_with
from bot.inspect.manifests.pins import Pin, file_pins, listed, settle_runtime, tool_pins
from bot.inspect.paths import join

_PORTS = (
    r"env::var\(\"PORT\"\)[^;]{0,160}?\"?(\d{4,5})\"?",
    r"(?:TcpListener::bind|\.bind|Server::bind|serve|TcpListener::bind)\(&?\s*\(?\s*\"[^\":]*:(\d{2,5})\"",
    r"\.bind\(\s*\(\s*\"[^\"]*\"\s*,\s*(\d{2,5})\s*\)",
    r"\(\s*\[\s*\d+\s*,\s*\d+\s*,\s*\d+\s*,\s*\d+\s*\]\s*,\s*(\d{2,5})\s*\)",
    r"(?i)\b(?:const|static|let)\s+\w*port\w*\s*(?::\s*\w+\s*)?=\s*(\d{2,5})",
    r"^[ \t]*port\s*=\s*(\d{2,5})",
    r"\"(?:0\.0\.0\.0|127\.0\.0\.1|\[::\]|localhost):(\d{2,5})\"",
)


_SERVES = re.compile(r"/(?:http|server|web|app|config|startup|settings)(?:/mod)?\.rs$")
"""Files that usually bind, looked at before the others."""


def inspect_rust(draft: Draft) -> None:
    """Fill the draft from Cargo.toml and, in a workspace, its members'."""
    folder = draft.folder
    draft.family = "rust"
    draft.settle("language", "rust", "rust/manifest", "Cargo.toml is there", at="Cargo.toml")
    draft.settle("package_manager", "cargo", "rust/cargo", "Rust's own", at="Cargo.toml")
    settle_runtime(draft, "rust", _pins(folder))
    locked = " --locked" if folder.has("Cargo.lock") else ""
    draft.settle("install", f"cargo fetch{locked}", "rust/install", "takes what Cargo.lock holds")
    package, binary = _program(draft)
    match = settle_framework(draft, ("rust",), gather(_dependencies(folder, package)))
    _settle_commands(draft, package, binary, locked)
    sources = [n for n in (join(package, "src/main.rs"), join(package, f"src/bin/{binary}.rs")) if folder.has(n)]
    sources += [n for n in ("Rocket.toml", join(package, "Rocket.toml")) if folder.has(n)]
    rest = folder.match(rf"{re.escape(package + '/' if package else '')}src/[\w/]+\.rs")
    sources += sorted(rest, key=lambda name: _SERVES.search(name) is None)[:6]
    settle_ports(draft, match, sources, _PORTS)
    draft.rule_out("static_output")


def _pins(folder: Folder) -> Iterator[Pin]:
    for level in folder.upwards():
        channel = as_text(as_map(level.toml("rust-toolchain.toml").get("toolchain")).get("channel"))
        legacy = (
            as_text(as_map(level.toml("rust-toolchain").get("toolchain")).get("channel")) if _is_toml(level) else None
        )
        for name, text in (("rust-toolchain.toml", channel), ("rust-toolchain", legacy)):
            if text and text[:1].isdigit():
                yield Pin(text, level.path(name), level.line(name, "channel"), name)
    if not _is_toml(folder):
        yield from (pin for pin in file_pins(folder, "rust-toolchain") if pin.text[:1].isdigit())
    yield from tool_pins(folder, "rust")
    yield from file_pins(folder, ".rust-version", "rust-version.txt")
    data = folder.toml("Cargo.toml")
    shared = as_map(as_map(data.get("workspace")).get("package"))
    text = as_text(as_map(data.get("package")).get("rust-version")) or as_text(shared.get("rust-version"))
    if text:
        yield Pin(text, folder.path("Cargo.toml"), folder.line("Cargo.toml", "rust-version"), "rust-version")


def _is_toml(folder: Folder) -> bool:
    return "[toolchain]" in (folder.text("rust-toolchain") or "")


def binaries(folder: Folder, package: str) -> list[str]:
    """The binaries of a package, the one `cargo run` would take first when that is clear."""
    data = folder.toml(join(package, "Cargo.toml"))
    table = as_map(data.get("package"))
    name = as_text(table.get("name")) or "app"
    default = as_text(table.get("default-run"))
    found = [text for item in as_list(data.get("bin")) if (text := as_text(as_map(item).get("name")))]
    if folder.has(join(package, "src/main.rs")) and not any(_path_is_main(item) for item in as_list(data.get("bin"))):
        found.append(name)
    prefix = f"{package}/" if package else ""
    for file in folder.match(rf"{re.escape(prefix)}src/bin/(?:[\w-]+\.rs|[\w-]+/main\.rs)"):
        found.append(file.removeprefix(f"{prefix}src/bin/").removesuffix(".rs").removesuffix("/main"))
    unique = list(dict.fromkeys(found))
    return sorted(unique, key=lambda binary: (binary != default, binary != name)) if unique else []


def _path_is_main(item: object) -> bool:
    return as_text(as_map(item).get("path")) == "src/main.rs"


def _program(draft: Draft) -> tuple[str, str | None]:
    """The package's folder and the binary: the root's own, else the workspace's, those of default-members first."""
    folder = draft.folder
    own = binaries(folder, "") if "package" in folder.toml("Cargo.toml") else []
    if own:
        _warn_when_unclear(draft, own, "")
        return "", own[0]
    found = [(member, names) for member in members(folder) if (names := binaries(folder, member))]
    if not found:
        return "", None
    member, names = found[draft.pick_program([member for member, _ in found])]
    return member, names[0]


def _warn_when_unclear(draft: Draft, names: list[str], package: str) -> None:
    table = as_map(draft.folder.toml(join(package, "Cargo.toml")).get("package"))
    if len(names) > 1 and not as_text(table.get("default-run")):
        text = f"several binaries: {', '.join(names)}; {names[0]} is taken, set default-run to say which"
        draft.folder.reader.notice("several_programs", text, draft.folder.path("Cargo.toml"))


def members(folder: Folder) -> list[str]:
    """The workspace's members that exist, default ones first."""
    workspace = as_map(folder.toml("Cargo.toml").get("workspace"))
    excluded = set(listed(workspace.get("exclude")))
    ordered = [*listed(workspace.get("default-members")), *listed(workspace.get("members"))]
    found: dict[str, None] = {}
    for glob in ordered:
        pattern = re.escape(glob.strip("./")).replace(r"\*\*", r".+").replace(r"\*", r"[^/]+")
        for manifest in folder.match(rf"{pattern}/Cargo\.toml"):
            found[manifest.removesuffix("/Cargo.toml")] = None
    return [member for member in found if member not in excluded]


def _dependencies(folder: Folder, package: str) -> Iterator[Dependency]:
    manifests = ["Cargo.toml", *([join(package, "Cargo.toml")] if package else [])]
    for at in manifests:
        data = folder.toml(at)
        tables = (("dependencies", False), ("dev-dependencies", True), ("build-dependencies", True))
        for table, dev in tables:
            for name, value in as_map(data.get(table)).items():
                real = as_text(as_map(value).get("package")) or name
                yield Dependency(real, at, as_text(value), dev)


def _settle_commands(draft: Draft, package: str, binary: str | None, locked: str) -> None:
    if binary is None:
        return
    name = as_text(as_map(draft.folder.toml(join(package, "Cargo.toml")).get("package")).get("name"))
    choice = f" --package {name}" if package and name else ""
    choice += f" --bin {binary}" if len(binaries(draft.folder, package)) > 1 else ""
    draft.traits |= {"binary": binary, "package": package}
    at = join(package, "Cargo.toml")
    draft.settle("build", f"cargo build --release{locked}{choice}", "rust/build", f"{binary} is the program", at=at)
    start_with(draft, f"./target/release/{binary}", "rust/binary", f"{binary} is the program that cargo builds", at)
