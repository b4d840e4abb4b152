"""Opens connections to the one SQLite file, each set up the same way."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from bot.errors import UserMistake

SCHEME = "sqlite:///"
BUSY_TIMEOUT_S = 5.0
STATEMENTS_KEPT = 256
LOG_PAGES = 4000
"""How long the write-ahead log may grow before a commit itself copies it into the file; see `checkpoints`."""


def path_of(url: str) -> Path:
    """The file a URL names: `sqlite:///relative.db` or `sqlite:////absolute.db`. Raises UserMistake("bad_setting")."""
    path = url.removeprefix(SCHEME)
    if path == url or not path or path.startswith(":"):
        raise UserMistake("bad_setting", name="DATABASE_URL", sentence=f"is {_shown(url)!r}: give {SCHEME}FILE")
    return Path(path)


def connect(path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """A connection that writes: WAL, and on disk when a commit returns (`synchronous=FULL`)."""
    connection = _opened(path, busy_timeout_s)
    try:
        _enter_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        connection.execute("PRAGMA cache_size=-16000")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = _opened(path, busy_timeout_s)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _opened(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )
    connection.row_factory = sqlite3.Row
    return connection


def _enter_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """Switch the file to WAL. SQLite does not wait for a lock here, so two first openers would meet: ask again."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _shown(url: str) -> str:
    """The URL without a user's password."""
    return url.partition("://")[0] + "://…" if "@" in url else url
