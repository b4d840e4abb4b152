"""Version pins that any language shares: mise, asdf's .tool-versions, and one-line version files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_list, as_map, as_text
from bot.inspect.manifests.images import image_versions
from bot.inspect.rules.table import rules
from bot.inspect.versions import choose, exact, number, satisfying

MISE_FILES = ("mise.toml", ".mise.toml", "mise/config.toml", ".mise/config.toml", ".config/mise.toml")


@dataclass(frozen=True)
class Pin:
    """What one file says about a runtime's version; `path` is from the repository's root."""

    text: str
    path: str
    line: int | None
    rule: str


def tool_pins(folder: Folder, *tools: str) -> Iterator[Pin]:
    """What mise.toml and .tool-versions say about a tool under any of its names, nearest folder first."""
    for level in folder.upwards():
        yield from _mise(level, tools)
        yield from _asdf(level, tools)


def _mise(folder: Folder, tools: tuple[str, ...]) -> Iterator[Pin]:
    for name in MISE_FILES:
        if not folder.has(name):
            continue
        table = as_map(folder.toml(name).get("tools"))
        for tool in tools:
            value = table.get(tool)
            if isinstance(value, list):
                value = value[0] if value else None
            if isinstance(value, dict):
                value = value.get("version")
            text = as_text(value)
            if text:
                yield Pin(text, folder.path(name), folder.line(name, tool), "mise")


def _asdf(folder: Folder, tools: tuple[str, ...]) -> Iterator[Pin]:
    for count, line in enumerate((folder.text(".tool-versions") or "").splitlines(), 1):
        words = line.split("#")[0].split()
        if len(words) > 1 and words[0] in tools:
            yield Pin(words[1], folder.path(".tool-versions"), count, "tool-versions")


def file_pins(folder: Folder, *names: str, prefix: str = "") -> Iterator[Pin]:
    """The first line that is no comment of a version file such as .nvmrc, nearest folder first."""
    for level in folder.upwards():
        for name in names:
            for count, line in enumerate((level.text(name) or "").splitlines(), 1):
                text = line.split("#")[0].strip()
                if text:
                    yield Pin(text.removeprefix(prefix), level.path(name), count, name)
                    break


def settle_runtime(draft: Draft, runtime: str, pins: Iterable[Pin]) -> None:
    """Take the first usable pin, warn when a later one contradicts it or when the release is not supported."""
    releases = rules().releases[runtime]
    chosen: tuple[Pin, str] | None = None
    for pin in _narrowed(list(_or_of_image(draft, runtime, pins))):
        choice = choose(pin.text, releases.supported, releases.default)
        if choice is None:
            draft.folder.reader.notice("version_unreadable", f"{pin.text!r} names no version", pin.path, pin.line)
        elif chosen is None:
            chosen = (pin, choice.version)
            why = f"{runtime} {choice.why}"
            draft.settle("runtime_version", choice.version, f"version/{pin.rule}", why, line=pin.line, path=pin.path)
            if not choice.supported:
                text = f"{runtime} {choice.version} is not among the supported releases; it is kept"
                draft.folder.reader.notice("version_unsupported", text, pin.path, pin.line)
        elif _contradicts(choice.version, chosen[1], pin.text):
            text = f"{runtime} {pin.text} here, but {chosen[0].text} in {chosen[0].path}, which wins"
            draft.folder.reader.notice("version_conflict", text, pin.path, pin.line)
    why = f"nothing names a version of {runtime}, so the default is taken"
    draft.settle("runtime_version", releases.default, "version/default", why)


def _narrowed(pins: list[Pin]) -> list[Pin]:
    """The pins, an exact one first where the range that stands first admits it: it says the same, more closely."""
    if not pins or exact(pins[0].text) is not None:
        return pins
    closer = next((pin for pin in pins if (v := exact(pin.text)) and satisfying(pins[0].text, [v])), None)
    return pins if closer is None else [closer, *(pin for pin in pins if pin is not closer)]


def _or_of_image(draft: Draft, runtime: str, pins: Iterable[Pin]) -> Iterator[Pin]:
    """The pins, or without any the version of the image that the application's own Dockerfile runs in."""
    found = False
    for pin in pins:
        found = True
        yield pin
    path = draft.text("dockerfile")
    if not found and path:
        yield from (Pin(*image) for image in image_versions(draft.folder.reader, path, runtime))


def _contradicts(version: str, winner: str, text: str) -> bool:
    if re.search(r"[<>^~*|]", text):
        return False
    return any(a != b for a, b in zip(number(version), number(winner), strict=False))


def listed(value: object) -> list[str]:
    """The texts in a manifest's list, whatever else it holds."""
    return [text for item in as_list(value) if (text := as_text(item))]
