"""A database is brought up to date once, whoever comes first, and a newer one is left alone."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as Schema
from sqlite_utils.migrations import Migrations

from bot.errors import Transient, UserMistake
from storage.engine import migrations
from storage.engine.migrations import migrate
from storage.opened import open_store


def tables(tmp_path: Path) -> set[str]:
    with closing(sqlite3.connect(tmp_path / "shipmate.db")) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_first_start_applies_every_step_and_the_next_none(url: str) -> None:
    applied = migrate(url)
    assert applied == sorted(applied)
    assert applied[0] == "m001_deliveries"
    assert migrate(url) == []


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    assert migrate(f"sqlite:///{tmp_path}/not/yet/there.db") != []


def test_processes_that_start_at_once_apply_each_step_once(url: str) -> None:
    code = f"from storage.engine.migrations import migrate; print(len(migrate({url!r})))"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    counts = sorted(int(process.communicate(timeout=60)[0]) for process in started)
    assert counts[:3] == [0, 0, 0]
    assert counts[3] > 0


def test_a_step_that_fails_leaves_the_database_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migrations("shipmate")

    @broken()
    def m001_notes(schema: Schema) -> None:
        schema.execute("CREATE TABLE notes (text TEXT)")

    @broken()
    def m002_breaks(schema: Schema) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(migrations, "shipmate", broken)
    with pytest.raises(RuntimeError):
        migrate(url)
    assert tables(tmp_path) == set()


async def test_a_newer_database_is_refused_in_one_sentence(url: str, tmp_path: Path) -> None:
    migrate(url)
    with closing(sqlite3.connect(tmp_path / "shipmate.db")) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('shipmate', 'm999_future', '')"
        )
    with pytest.raises(UserMistake) as caught:
        await open_store(url)
    assert caught.value.facts["name"] == "DATABASE_URL"
    assert "m999_future" in caught.value.facts["sentence"]


@pytest.mark.parametrize("url", ["postgresql://me:word@db/ship", "sqlite:///", "sqlite:///:memory:", "shipmate.db"])
def test_a_url_that_is_no_file_is_refused_without_telling_a_password(url: str) -> None:
    with pytest.raises(UserMistake) as caught:
        migrate(url)
    assert "word" not in str(caught.value)


async def test_a_file_that_is_no_database_is_told_apart(url: str, tmp_path: Path) -> None:
    (tmp_path / "shipmate.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserMistake) as caught:
        await open_store(url)
    assert "no database" in caught.value.facts["sentence"]


async def test_a_folder_in_the_way_is_transient(tmp_path: Path) -> None:
    (tmp_path / "shipmate.db").mkdir()
    with pytest.raises(Transient):
        await asyncio.to_thread(migrate, f"sqlite:///{tmp_path}/shipmate.db")
