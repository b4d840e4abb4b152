"""Gives a test a database as a server that ran before left it: migrated and empty, which takes a while to make."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from storage.engine.migrations import migrate


def put_database(path: Path) -> str:
    """Lay it there, where none is yet; its URL."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    """The file: once no process has it open, all of it is in there."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.db")
        migrate(f"sqlite:///{made}")
        return made.read_bytes()
