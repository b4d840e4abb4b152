"""Decides which failures of SQLite pass by themselves, and names them for the rest of the house."""

from __future__ import annotations

import sqlite3

from bot.errors import Transient

RETRY_AFTER_S = 5.0
CODES = {
    sqlite3.SQLITE_BUSY: "store_busy",
    sqlite3.SQLITE_LOCKED: "store_busy",
    sqlite3.SQLITE_FULL: "store_full",
    sqlite3.SQLITE_IOERR: "store_io",
    sqlite3.SQLITE_CANTOPEN: "store_unavailable",
    sqlite3.SQLITE_READONLY: "store_readonly",
    sqlite3.SQLITE_NOMEM: "store_memory",
}
"""Primary result codes (https://www.sqlite.org/rescode.html) of a machine in trouble, none of which is our bug."""


def is_fault(error: BaseException) -> bool:
    """Whether the database itself failed, so that nothing else in its transaction can be trusted."""
    return _primary(error) in CODES


def breaks_connection(error: BaseException) -> bool:
    """Whether a connection that met this should be replaced; a lock held by another leaves it sound."""
    return is_fault(error) and CODES[_primary(error)] != "store_busy"


def translated(error: BaseException) -> BaseException:
    """Transient(code) for a failure that may pass, caused by it; any other error as it is."""
    if not is_fault(error):
        return error
    transient = Transient(CODES[_primary(error)], retry_after_s=RETRY_AFTER_S)
    transient.__cause__ = error
    return transient


def _primary(error: BaseException) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
