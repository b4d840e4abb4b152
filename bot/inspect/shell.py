"""The shell's face of inspection: a table with the why, JSON, listings, and files written where none are."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.inspect.dockerfile import generate
from bot.inspect.errors import BadInput, CannotGenerate
from bot.inspect.inspection import SETTINGS_FILE, inspect_tree
from bot.inspect.listing import inspect_lines
from bot.inspect.model import AppPlan, Evidence, Inspection
from bot.inspect.overrides import overrides_in
from bot.inspect.paths import join
from bot.inspect.reader import Reader
from bot.inspect.tree import FolderTree

DONE, FAILED, BAD_INPUT = 0, 1, 2
CLONE_LIMIT_S = 120
_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://\S+|[\w.-]+@[\w.-]+:\S+")


def run_inspect(target: str, *, as_json: bool, write: bool, out: TextIO, err: TextIO) -> int:
    """Inspect a folder or a git address and print what was found; `write` adds the missing files to the folder.

    Answers the exit status: 0 done, 1 nothing was found or not all could be written, 2 the target cannot be read.
    """
    try:
        if write and _ADDRESS.fullmatch(target):
            raise BadInput("--write needs a folder on this machine, not an address.")
        with _checkout(target) as folder:
            return _report(folder, as_json=as_json, write=write, out=out, err=err)
    except BadInput as problem:
        print(f"shipmate inspect: {problem}", file=err)
        return BAD_INPUT


def run_listing(file: Path, out: TextIO, err: TextIO | None = None) -> int:
    """Print one line of JSON for each tree of a listing; 2 when the file is no listing."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for answer in inspect_lines(lines):
                print(json.dumps(answer), file=out)
    except (BadInput, OSError) as problem:
        print(f"shipmate inspect: {file}: {problem}", file=err or out)
        return BAD_INPUT
    return DONE


@contextmanager
def _checkout(target: str) -> Iterator[Path]:
    """The folder itself, or a shallow clone that is removed afterwards."""
    if not _ADDRESS.fullmatch(target):
        folder = Path(target)
        if not folder.is_dir():
            raise BadInput(f"{target} is neither a folder nor a git address.")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="shipmate-inspect-") as place:
        _clone(target, place)
        yield Path(place)


def _clone(address: str, place: str) -> None:
    command = ["git", "clone", "--quiet", "--depth", "1", "--no-tags", "--", address, place]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CLONE_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"{address} could not be cloned: {error}") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["git failed"]
        raise BadInput(f"{address} could not be cloned: {said[-1]}")


def _report(folder: Path, *, as_json: bool, write: bool, out: TextIO, err: TextIO) -> int:
    overrides = overrides_in(Reader(FolderTree(folder)))
    inspection = inspect_tree(FolderTree(folder), overrides)
    if as_json:
        print(json.dumps(inspection.to_json(), indent=2), file=out)
    else:
        _print_tables(inspection, out)
    written = _write_all(folder, inspection, err) if write else True
    return DONE if inspection.apps and written else FAILED


def _print_tables(inspection: Inspection, out: TextIO) -> None:
    console = Console(file=out, soft_wrap=False)
    for app in inspection.apps:
        console.print(_table(app))
    for notice in inspection.warnings:
        console.print(f"[yellow]warning[/] {escape(str(notice))}")
    if not inspection.apps:
        console.print("No application was found. Say what it is in .shipmate.yml:\nbuild:\n  language: …\n  start: …")


def _table(app: AppPlan) -> Table:
    table = Table(title=f"{escape(app.path)}  ({app.confidence:.0%} sure)", title_justify="left", expand=False)
    for heading in ("what", "value", "why", "where"):
        table.add_column(heading, overflow="fold")
    for item in app.evidence:
        table.add_row(escape(item.field), escape(str(item.value)), escape(item.why), escape(_where(item)))
    return table


def _where(item: Evidence) -> str:
    return f"{item.path}:{item.line}" if item.path and item.line else item.path or ""


def _write_all(folder: Path, inspection: Inspection, err: TextIO) -> bool:
    """Write the missing files of every application; what is there is left as it is."""
    complete = True
    for app in inspection.apps:
        try:
            _write_build(folder, app, err)
        except CannotGenerate as problem:
            print(str(problem), file=err)
            complete = False
    if inspection.apps and complete:
        _write_new(folder / SETTINGS_FILE, _settings(inspection.apps[0], alone=len(inspection.apps) == 1), err)
    return complete


def _write_build(folder: Path, app: AppPlan, err: TextIO) -> None:
    if app.dockerfile:
        print(f"kept {app.dockerfile}", file=err)
        return
    made = generate(app, FolderTree(folder))
    place = folder / app.path
    _write_new(place / "Dockerfile", made.dockerfile, err)
    if made.dockerignore:
        _write_new(folder / made.context / ".dockerignore", made.dockerignore, err)


def _settings(app: AppPlan, *, alone: bool) -> str:
    """A .shipmate.yml with the Dockerfile and what it leaves open, for a person to change."""
    context = app.docker_context or app.path
    build: dict[str, str | int] = {} if alone else {"path": app.path}
    build["dockerfile"] = app.dockerfile or join(app.path, "Dockerfile")
    if context != ".":
        build["context"] = context
    if app.port is not None:
        build["port"] = app.port
    return yaml.safe_dump({"build": build}, sort_keys=False)


def _write_new(path: Path, text: str, err: TextIO) -> None:
    """Write a file that is not there; a link or a folder of that name counts as there."""
    if path.is_symlink() or path.exists():
        print(f"kept {path}", file=err)
        return
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}", file=err)
