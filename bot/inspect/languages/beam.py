"""Elixir and Gleam: releases and shipments of the Erlang machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import settle_framework, settle_framework_port, start_with
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port_from_code

_MIX_DEPENDENCY = re.compile(r"\{\s*:(\w+)\s*,\s*(?:\"([^\"\n]+)\")?[^}]{0,300}\}")
_PORTS = (
    r"System\.get_env\(\"PORT\"\)\s*(?:\|\||,)\s*\"(\d{2,5})\"",
    r"System\.get_env\(\"PORT\",\s*\"(\d{2,5})\"",
    r"\bport:\s*(\d{2,5})",
    r"\bmist\.port\(\s*(\d{2,5})",
    r"\|>\s*mist\.port\((\d{2,5})",
)


def inspect_elixir(draft: Draft) -> None:
    """Fill the draft from mix.exs and config/."""
    folder = draft.folder
    draft.family = "elixir"
    draft.settle("language", "elixir", "elixir/manifest", "mix.exs is there", at="mix.exs")
    draft.settle("package_manager", "mix", "elixir/mix", "mix.exs is mix's", at="mix.exs")
    settle_runtime(draft, "elixir", _pins(folder))
    dependencies = gather(_mix_dependencies(folder))
    match = settle_framework(draft, ("elixir",), dependencies)
    draft.settle("install", "mix deps.get --only prod", "elixir/install", "takes what mix.lock holds")
    text = folder.text("mix.exs") or ""
    assets = "assets.deploy" in text
    draft.traits["assets"] = "yes" if assets else "no"
    build = "mix assets.deploy && mix release" if assets else "mix release"
    draft.settle("build", build, "elixir/release", "a release holds its own runtime", at="mix.exs")
    name = _release_name(text)
    draft.traits["release"] = name
    start_with(
        draft, f"_build/prod/rel/{name}/bin/{name} start", "elixir/release", "the release's own script", "mix.exs"
    )
    draft.guessed_entry = match is None and ":mod" not in text and "mod:" not in text
    configured = [n for n in ("config/runtime.exs", "config/prod.exs", "config/config.exs") if folder.has(n)]
    settle_port_from_code(draft, [*configured, *folder.match(r"(?:apps/\w+/)?lib/[\w/]*application\.ex")[:3]], _PORTS)
    settle_framework_port(draft, match)
    draft.rule_out("static_output")


def _pins(folder: Folder) -> Iterator[Pin]:
    for pin in (*tool_pins(folder, "elixir"), *file_pins(folder, ".elixir-version")):
        yield Pin(re.sub(r"-otp-\d+$", "", pin.text), pin.path, pin.line, pin.rule)
    match = re.search(r"^[ \t]*elixir:\s*\"([^\"]+)\"", folder.text("mix.exs") or "", re.MULTILINE)
    if match:
        yield Pin(_floor(match[1]), folder.path("mix.exs"), folder.line("mix.exs", "elixir:"), "mix.exs")


def _floor(text: str) -> str:
    """`~> 1.14` admits every later 1.x, which is a floor in practice."""
    return text.replace("~>", ">=", 1) if re.fullmatch(r"~>\s*\d+\.\d+", text) else text


def _mix_dependencies(folder: Folder) -> Iterator[Dependency]:
    for name in ("mix.exs", *folder.match(r"apps/\w+/mix\.exs")[:8]):
        text = folder.text(name) or ""
        start = re.search(r"^[ \t]*defp?[ \t]+deps\b", text, re.MULTILINE)
        listing = text[start.end() :].partition("\n  end")[0] if start else text
        for match in _MIX_DEPENDENCY.finditer(listing):
            dev = "only: [:dev" in match[0] or "only: :dev" in match[0] or "only: :test" in match[0]
            yield Dependency(match[1], name, match[2], dev)


def _release_name(text: str) -> str:
    releases = re.search(r"releases:\s*\[\s*(\w+):", text)
    app = re.search(r"\bapp:\s*:(\w+)", text)
    return releases[1] if releases else app[1] if app else "app"


def inspect_gleam(draft: Draft) -> None:
    """Fill the draft from gleam.toml."""
    folder = draft.folder
    data = folder.toml("gleam.toml")
    draft.family = "gleam"
    draft.settle("language", "gleam", "gleam/manifest", "gleam.toml is there", at="gleam.toml")
    draft.settle("package_manager", "gleam", "gleam/gleam", "Gleam's own", at="gleam.toml")
    settle_runtime(draft, "gleam", _gleam_pins(folder))
    found = (Dependency(n, "gleam.toml", as_text(v)) for n, v in as_map(data.get("dependencies")).items())
    match = settle_framework(draft, ("gleam",), gather(found))
    draft.settle("install", "gleam deps download", "gleam/install", "takes what manifest.toml holds")
    draft.settle(
        "build", "gleam export erlang-shipment", "gleam/shipment", "a shipment runs without gleam", at="gleam.toml"
    )
    start_with(
        draft, "./build/erlang-shipment/entrypoint.sh run", "gleam/shipment", "the shipment's own script", "gleam.toml"
    )
    settle_port_from_code(draft, folder.match(r"src/.*\.gleam")[:6], _PORTS)
    settle_framework_port(draft, match)
    draft.rule_out("static_output")


def _gleam_pins(folder: Folder) -> Iterator[Pin]:
    yield from tool_pins(folder, "gleam")
    text = as_text(folder.toml("gleam.toml").get("gleam"))
    if text:
        yield Pin(text, folder.path("gleam.toml"), folder.line("gleam.toml", "gleam ="), "gleam.toml")
