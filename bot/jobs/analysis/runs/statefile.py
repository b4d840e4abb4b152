"""Writes a state as one compressed file of plain values, and reads it back.

The file is our own, in our own folder; one written by another version of this module or of Python is not read.
"""

from __future__ import annotations

import marshal
import sys
import zlib
from array import array
from pathlib import Path
from typing import Any

from bot.jobs.analysis.blame.headfiles import HeadFiles
from bot.jobs.analysis.blame.history import Changes, History, Identity
from bot.jobs.analysis.blame.onepass import Blame
from bot.jobs.analysis.runs.state import Layer, State

FORMAT = f"shipmate-analysis 1 {sys.implementation.cache_tag}".encode()


def save(state: State, path: Path) -> None:
    """Write the state; the file appears whole or not at all. Raises OSError, and leaves nothing of it then."""
    packed = FORMAT + b"\n" + zlib.compress(marshal.dumps(_pack(state)), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    try:
        fresh.write_bytes(packed)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def load(path: Path) -> State | None:
    """Read a state; None where there is none, or none that this program can read."""
    try:
        told, packed = path.read_bytes().split(b"\n", 1)
        return _unpack(marshal.loads(zlib.decompress(packed))) if told == FORMAT else None  # noqa: S302 - our own file
    except (OSError, ValueError, EOFError, TypeError, KeyError, zlib.error):
        return None


def _pack(state: State) -> dict[str, Any]:
    history, changes, files, blame = state.history, state.changes, state.files, state.blame
    return {
        "head": state.head,
        "files": [files.text, list(files.binary), list(files.too_large)],
        "history": [
            history.oids,
            *(column.tobytes() for column in (history.author, history.time)),
            bytes(history.merge),
            [tuple(identity) for identity in history.identities],
            history.example,
        ],
        "changes": [
            changes.paths,
            *(column.tobytes() for column in (changes.commit, changes.path, changes.added, changes.deleted)),
        ],
        "blame": [blame.owners, blame.unreadable, blame.capped],
        "lines": state.lines,
        "layers": [_pack_layer(layer) for layer in state.layers],
    }


def _unpack(told: dict[str, Any]) -> State:
    text, binary, too_large = told["files"]
    oids, author, time, merge, identities, example = told["history"]
    paths, *columns = told["changes"]
    history = History(
        oids,
        _array("I", author),
        _array("q", time),
        bytearray(merge),
        [Identity(*pair) for pair in identities],
        example,
    )
    return State(
        head=told["head"],
        files=HeadFiles(text, set(binary), set(too_large)),
        history=history,
        changes=Changes(
            paths, _unsigned(columns[0]), _unsigned(columns[1]), _unsigned(columns[2]), _unsigned(columns[3])
        ),
        blame=Blame(*told["blame"]),
        lines=told["lines"],
        layers=[_unpack_layer(layer) for layer in told["layers"]],
    )


def _pack_layer(layer: Layer) -> list[Any]:
    hunks = [None if part is None else part.tobytes() for part in layer.hunks]
    columns = (layer.node_commit, layer.first_slot, layer.node_of_slot)
    arrays = [column.tobytes() for column in columns]
    return [layer.commits, layer.node_path, *arrays, hunks, layer.births, layer.leaving]


def _unpack_layer(told: list[Any]) -> Layer:
    commits, node_path, node_commit, first_slot, node_of_slot, hunks, births, leaving = told
    return Layer(
        commits=commits,
        node_commit=_array("I", node_commit),
        node_path=node_path,
        first_slot=_array("I", first_slot),
        node_of_slot=_array("i", node_of_slot),
        hunks=[None if part is None else _array("I", part) for part in hunks],
        births=births,
        leaving=leaving,
    )


def _unsigned(raw: bytes) -> array[int]:
    return _array("I", raw)


def _array(kind: str, raw: bytes) -> array[Any]:
    column: array[Any] = array(kind)
    column.frombytes(raw)
    return column
