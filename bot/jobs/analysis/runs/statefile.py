"""Writes a state as one compressed file of plain values, and reads it back.

The file is our own, in our own folder; one written by another version of this module or of Python is not read.
"""

from __future__ import annotations

import marshal
import sys
import zlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.jobs.analysis.blame.headfiles import HeadFiles
from bot.jobs.analysis.blame.history import Changes, History, Identity
from bot.jobs.analysis.blame.onepass import Blame
from bot.jobs.analysis.runs.past import Past
from bot.jobs.analysis.runs.state import State
from bot.jobs.analysis.runs.trace import Trace

_PAST = {
    **dict.fromkeys(("first_parent", "previous", "node", "latest"), "i"),
    **dict.fromkeys(("start", "commit", "path"), "I"),
    "how": "B",
    **dict.fromkeys(("later_parents", "sources", "paths"), ""),
}
_TRACE = {
    **dict.fromkeys(("commit", "first_slot", "source", "end", "numbers"), "I"),
    **dict.fromkeys(("unreadable", "births", "told"), ""),
}
FORMAT = f"shipmate-analysis 2 {sys.implementation.cache_tag}".encode()


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
        "past": _pack_columns(state.past, _PAST),
        "trace": _pack_columns(state.trace, _TRACE),
        "updates": state.updates,
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
        past=Past(**_unpack_columns(told["past"], _PAST)),
        trace=Trace(**_unpack_columns(told["trace"], _TRACE)),
        updates=told["updates"],
    )


def _pack_columns(kept: Past | Trace, kinds: Mapping[str, str]) -> dict[str, Any]:
    """A record's fields by name; those with a kind are arrays of it, all others plain values."""
    values = {name: getattr(kept, name) for name in kinds}
    return {name: value.tobytes() if kinds[name] else value for name, value in values.items()}


def _unpack_columns(told: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    return {name: _array(kinds[name], value) if kinds[name] else value for name, value in told.items()}


def _unsigned(raw: bytes) -> array[int]:
    return _array("I", raw)


def _array(kind: str, raw: bytes) -> array[Any]:
    column: array[Any] = array(kind)
    column.frombytes(raw)
    return column
