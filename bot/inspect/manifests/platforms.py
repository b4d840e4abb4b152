"""Settings that a repository keeps for other platforms: where they name a start or a port, they were meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_list, as_map, as_text
from bot.inspect.manifests.web_ports import settle_port


@dataclass(frozen=True)
class Said:
    """One file's word: a start command, a port as text, or both."""

    at: str
    start: str | None = None
    port: str | None = None


def settle_from_platforms(draft: Draft) -> None:
    """Take a start and a port from railpack.json, nixpacks.toml, heroku.yml, app.yaml, fly.toml."""
    for said in _settings(draft.folder):
        line = draft.folder.line(said.at, re.compile(r"startCommand|cmd|web:|entrypoint|internal_port"))
        why = f"{said.at} says so"
        if said.start and "\n" not in said.start:
            draft.settle("start", said.start, "platform/start", why, at=said.at, line=line)
            draft.has_entry = True
        if said.port:
            settle_port(draft, said.port, "platform/port", why, said.at, line)


def _settings(folder: Folder) -> Iterator[Said]:
    if folder.has("railpack.json"):
        yield Said("railpack.json", as_text(as_map(folder.json("railpack.json").get("deploy")).get("startCommand")))
    if folder.has("nixpacks.toml"):
        yield Said("nixpacks.toml", as_text(as_map(folder.toml("nixpacks.toml").get("start")).get("cmd")))
    if folder.has("heroku.yml"):
        yield Said("heroku.yml", as_text(as_map(folder.yaml("heroku.yml").get("run")).get("web")))
    if folder.has("app.yaml"):
        yield Said("app.yaml", as_text(folder.yaml("app.yaml").get("entrypoint")))
    if folder.has("fly.toml"):
        data = folder.toml("fly.toml")
        services = as_list(data.get("services"))
        port = as_map(data.get("http_service")).get("internal_port")
        yield Said("fly.toml", None, as_text(port or as_map(services[0] if services else {}).get("internal_port")))
