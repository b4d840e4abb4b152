"""Dart: the program or the server, Dart Frog, and Flutter as a web site."""

from __future__ import annotations

from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import begin, settle_framework, settle_ports, start_with
from bot.inspect.manifests.pins import Pin, settle_runtime, tool_pins

_DART_PORTS = (
    r"environment\['PORT'\]\s*\?\?\s*'(\d{2,5})'",
    r"\bport\s*=\s*(\d{2,5})",
    r"serve\([^)]{0,200},\s*(\d{2,5})\s*\)",
)


def inspect_dart(draft: Draft) -> None:
    """Fill the draft from pubspec.yaml; a Flutter project is a web site."""
    folder = draft.folder
    data = folder.yaml("pubspec.yaml")
    found = as_map(data.get("dependencies"))
    if "flutter" in found:
        _inspect_flutter(draft)
        return
    begin(draft, "dart", "dart", "pub", "pubspec.yaml")
    settle_runtime(draft, "dart", _dart_pins(folder))
    dependencies = gather(Dependency(n, "pubspec.yaml", as_text(v)) for n, v in found.items())
    match = settle_framework(draft, ("dart",), dependencies)
    draft.settle("install", "dart pub get", "dart/install", "takes what pubspec.lock holds")
    name = as_text(data.get("name")) or "app"
    if match and match.framework.id == "dart-frog":
        draft.settle("build", "dart_frog build", "dart-frog/build", "dart_frog builds so")
        start_with(
            draft, "dart build/bin/server.dart", "dart-frog/start", "what dart_frog build leaves", "pubspec.yaml"
        )
        draft.traits["entry"] = "build/bin/server.dart"
    else:
        _settle_dart_entry(draft, name)
    settle_ports(draft, match, folder.match(r"(?:bin|lib)/[\w/]+\.dart")[:6], _DART_PORTS)


def _dart_pins(folder: Folder) -> Iterator[Pin]:
    yield from tool_pins(folder, "dart")
    text = as_text(as_map(folder.yaml("pubspec.yaml").get("environment")).get("sdk"))
    if text and text != "any":
        yield Pin(text, folder.path("pubspec.yaml"), folder.line("pubspec.yaml", "sdk:"), "pubspec.yaml")


def _settle_dart_entry(draft: Draft, name: str) -> None:
    folder = draft.folder
    entry = folder.first("bin/server.dart", "bin/main.dart", f"bin/{name}.dart") or next(
        iter(folder.match(r"bin/\w+\.dart")), None
    )
    if entry is None:
        return
    draft.traits["entry"] = entry
    draft.settle("build", f"dart compile exe {entry}", "dart/build", f"{entry} is the program", at=entry)
    start_with(draft, f"./{entry.removesuffix('.dart')}.exe", "dart/program", "what dart compile exe leaves", entry)


def _inspect_flutter(draft: Draft) -> None:
    draft.family = "flutter"
    draft.settle("language", "dart", "dart/manifest", "pubspec.yaml is there", at="pubspec.yaml")
    draft.settle("package_manager", "pub", "dart/pub", "pubspec.yaml is pub's", at="pubspec.yaml")
    settle_runtime(draft, "dart", _dart_pins(draft.folder))
    draft.rule_out("framework")
    draft.settle("build", "flutter build web", "flutter/build", "it depends on flutter", at="pubspec.yaml")
    draft.settle("static_output", "build/web", "flutter/output", "flutter builds the web version there")
    draft.rule_out("start")
    draft.settle("port", 8080, "port/static", "static files are served on 8080")
    draft.has_entry = draft.folder.any(r"web/index\.html|lib/main\.dart")
