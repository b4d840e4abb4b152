"""One writer that commits in groups, readers beside it, and machines in trouble."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import Transient
from storage.engine.database import Database
from storage.opened import OpenStore, open_store
from tests.storage.sample import NOW, guid


@pytest.fixture
def database(opened: OpenStore) -> Database:
    return opened.database


@pytest.fixture
async def notes(database: Database) -> Database:
    """A database with a table to write into."""
    await database.write(lambda c: c.execute("CREATE TABLE notes (text TEXT UNIQUE)").rowcount)
    return database


async def texts(database: Database) -> list[str]:
    rows = await database.read(lambda c: c.execute("SELECT text FROM notes ORDER BY text").fetchall())
    return [row["text"] for row in rows]


async def write(database: Database, text: str) -> int:
    return await database.write(lambda c: c.execute("INSERT INTO notes VALUES (?)", (text,)).rowcount)


def other_connection(tmp_path: Path) -> sqlite3.Connection:
    return sqlite3.connect(tmp_path / "shipmate.db", isolation_level=None)


async def test_a_unit_that_fails_is_undone_alone(notes: Database) -> None:
    def half_done(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES ('half')")
        raise KeyError("broken")

    results = await asyncio.gather(
        write(notes, "before"), notes.write(half_done), write(notes, "after"), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, KeyError, int]
    assert await texts(notes) == ["after", "before"]


async def test_a_unit_that_fails_when_alone_is_undone_too(notes: Database) -> None:
    await write(notes, "once")
    with pytest.raises(sqlite3.IntegrityError):
        await write(notes, "once")
    await write(notes, "twice")
    assert await texts(notes) == ["once", "twice"]


async def test_units_that_wait_together_share_a_commit(notes: Database, tmp_path: Path) -> None:
    with closing(other_connection(tmp_path)) as other:
        other.execute("BEGIN")
        before = other.execute("SELECT COUNT(*) FROM notes").fetchone()[0]
        other.execute("ROLLBACK")
        seen = []

        def look(connection: sqlite3.Connection) -> None:
            seen.append(other_count(tmp_path))

        await asyncio.gather(write(notes, "a"), notes.write(look), write(notes, "b"))
        assert (before, seen, other_count(tmp_path)) == (0, [0], 2)


def other_count(tmp_path: Path) -> int:
    with closing(other_connection(tmp_path)) as other:
        return int(other.execute("SELECT COUNT(*) FROM notes").fetchone()[0])


async def test_a_reader_cannot_write(notes: Database) -> None:
    with pytest.raises(Transient, match="store_readonly"):
        await notes.read(lambda c: c.execute("INSERT INTO notes VALUES ('x')"))
    assert await texts(notes) == []


async def test_what_is_acknowledged_is_synced_to_disk(database: Database) -> None:
    level, mode = await database.write(
        lambda c: (c.execute("PRAGMA synchronous").fetchone()[0], c.execute("PRAGMA journal_mode").fetchone()[0])
    )
    assert (level, mode) == (2, "wal")


async def test_what_was_committed_is_copied_out_of_the_log_by_itself(notes: Database, tmp_path: Path) -> None:
    await write(notes, "x" * 100_000)

    # Asked of another process: to open and close the file in this one would drop SQLite's locks on it.
    look = ["grep", "-qaF", "x" * 3000, str(tmp_path / "shipmate.db")]
    for _ in range(200):
        if (await asyncio.to_thread(subprocess.run, look, check=False)).returncode == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it stayed in the log")


async def test_a_lock_of_another_process_is_transient_and_passes(notes: Database, tmp_path: Path) -> None:
    with closing(other_connection(tmp_path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Transient) as caught:
            await write(notes, "locked out")
        other.execute("ROLLBACK")
    assert caught.value.code == "store_busy"
    await write(notes, "let in")
    assert await texts(notes) == ["let in"]


async def test_a_full_database_is_transient_and_passes(notes: Database) -> None:
    await notes.write(lambda c: c.execute("PRAGMA max_page_count=1").fetchone())
    with pytest.raises(Transient) as caught:
        await write(notes, "x" * 100_000)
    assert caught.value.code == "store_full"
    await write(notes, "small")
    assert await texts(notes) == ["small"]


async def test_a_full_disk_fails_all_that_share_the_commit(notes: Database) -> None:
    await notes.write(lambda c: c.execute("PRAGMA max_page_count=1").fetchone())
    results = await asyncio.gather(
        write(notes, "small"), write(notes, "x" * 100_000), write(notes, "tiny"), return_exceptions=True
    )
    assert [getattr(result, "code", None) for result in results] == ["store_full"] * 3
    assert await texts(notes) == []


async def test_closing_writes_what_waits(url: str) -> None:
    opened = await open_store(url)
    waiting = [asyncio.ensure_future(opened.store.deliveries.record(guid(n), "push", b"{}", NOW)) for n in range(20)]
    await asyncio.sleep(0)
    await opened.close()
    assert await asyncio.gather(*waiting) == [True] * 20


async def test_a_closed_database_refuses_work_and_closes_again(url: str) -> None:
    opened = await open_store(url)
    await opened.close()
    with pytest.raises(Transient, match="store_closed"):
        await opened.store.deliveries.record(guid(1), "push", b"{}", NOW)
    await opened.close()


async def test_a_waiting_loop_wakes_at_a_commit_of_its_own_process(notes: Database) -> None:
    waiting = asyncio.create_task(notes.wait_for_change(60))
    await asyncio.sleep(0)
    await write(notes, "new")
    await asyncio.wait_for(waiting, 10)


async def test_a_waiting_loop_wakes_at_a_commit_of_another_process(notes: Database, tmp_path: Path) -> None:
    waiting = asyncio.create_task(notes.wait_for_change(60))
    await asyncio.sleep(0.05)
    with closing(other_connection(tmp_path)) as other:
        other.execute("INSERT INTO notes VALUES ('from elsewhere')")
    await asyncio.wait_for(waiting, 10)


async def test_a_watch_does_not_miss_what_was_committed_while_its_loop_worked(notes: Database) -> None:
    watch = notes.watch()
    await write(notes, "while working")
    await asyncio.wait_for(watch.wait(60), 10)


async def test_a_watch_waits_when_nothing_changed(notes: Database) -> None:
    watch = notes.watch()
    await write(notes, "seen")
    await watch.wait(60)
    waiting = asyncio.create_task(watch.wait(60))
    await notes.write(lambda c: c.execute("UPDATE notes SET text = 'x' WHERE text = 'not there'").rowcount)
    await texts(notes)
    assert not waiting.done()
    waiting.cancel()


async def test_a_caller_that_is_cancelled_disturbs_nobody(notes: Database) -> None:
    given_up = asyncio.create_task(write(notes, "given up"))
    await asyncio.sleep(0)
    given_up.cancel()
    await write(notes, "kept")
    assert "kept" in await texts(notes)


async def test_glances_asked_together_share_a_view_and_a_thread(notes: Database, tmp_path: Path) -> None:
    def first(connection: sqlite3.Connection) -> tuple[int, int]:
        seen = count(connection)
        with closing(other_connection(tmp_path)) as other:
            other.execute("INSERT INTO notes VALUES ('meanwhile')")
        return seen, threading.get_ident()

    def second(connection: sqlite3.Connection) -> tuple[int, int]:
        return count(connection), threading.get_ident()

    (before, one), (after, other) = await asyncio.gather(notes.glance(first), notes.glance(second))
    assert (before, after) == (0, 0)
    assert one == other
    assert await notes.glance(count) == 1


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COUNT(*) FROM notes").fetchone()[0])


async def test_a_glance_that_fails_fails_alone(notes: Database) -> None:
    def broken(connection: sqlite3.Connection) -> int:
        raise KeyError("broken")

    seen = await asyncio.gather(notes.glance(count), notes.glance(broken), notes.glance(count), return_exceptions=True)
    assert [type(each) for each in seen] == [int, KeyError, int]


async def test_glances_over_a_file_in_trouble_fail_together_and_the_next_one_sees_again(notes: Database) -> None:
    def writes(connection: sqlite3.Connection) -> int:
        return connection.execute("INSERT INTO notes VALUES ('x')").rowcount

    seen = await asyncio.gather(notes.glance(count), notes.glance(writes), return_exceptions=True)
    assert [getattr(each, "code", None) for each in seen] == ["store_readonly"] * 2
    assert await notes.glance(count) == 0


async def test_who_gives_up_a_glance_takes_it_from_nobody_else(notes: Database) -> None:
    given_up, kept = asyncio.create_task(notes.glance(count)), asyncio.create_task(notes.glance(count))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await kept == 0


async def test_closing_answers_the_glances_that_wait(url: str) -> None:
    opened = await open_store(url)
    waiting = asyncio.create_task(opened.database.glance(lambda c: c.execute("SELECT 5").fetchone()[0]))
    await asyncio.sleep(0)
    await opened.close()
    assert await waiting == 5
