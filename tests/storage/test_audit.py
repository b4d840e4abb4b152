"""The audit trail: what is in it stays as it was written, or it is found that it does not."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from bot.audit import AuditEntry, Head, record_of
from bot.store.audit import AuditFilter
from bot.store.changes import Settlement
from bot.store.store import Store
from storage.engine.connection import path_of
from storage.rows import from_json, from_us
from tests.storage.sample import NOW, after, claimed, guid, request
from tests.storage.test_processes import child

EVERYTHING = AuditFilter()


def entry(number: int = 1, repository: str = "acme/api") -> AuditEntry:
    return AuditEntry(
        actor="alice",
        actor_id=7,
        face="comment",
        command="deploy",
        outcome="refused",
        reason="environment_locked",
        repository=repository,
        raw=f"/deploy to staging --reason 안녕 {number}",
        rules={"holder": "bob", "until": after(60), "teams": ("a", "b"), "share": 0.1},
        environment="staging",
        sha="a" * 40,
        job_id="dep_0000000001",
    )


async def filled(store: Store, count: int = 5) -> None:
    for number in range(1, count + 1):
        await store.audit.add(entry(number), after(number))


@contextmanager
def at_the_file(url: str) -> Iterator[sqlite3.Connection]:
    """Somebody who can write the file and takes the database's own guards away first."""
    with closing(sqlite3.connect(path_of(url), isolation_level=None)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        yield connection


async def test_a_record_is_read_as_it_was_written(store: Store) -> None:
    await store.audit.add(entry(), NOW)
    (record,) = await store.audit.page(EVERYTHING)
    assert (record.number, record.at, record.entry.actor, record.entry.raw) == (1, NOW, "alice", entry().raw)
    assert record.entry.rules == {"holder": "bob", "until": "2026-05-04T12:01:00.123456+00:00"} | {
        "teams": ["a", "b"],
        "share": 0.1,
    }
    assert record.holds


async def test_a_trail_nobody_touched_holds(store: Store) -> None:
    assert (await store.audit.verify()).broken is None
    await filled(store)
    verdict = await store.audit.verify()
    assert (verdict.holds_to.number, verdict.broken) == (5, None)


COLUMNS = {
    "at_us": "at_us + 1",
    "actor": "'mallory'",
    "actor_id": "8",
    "face": "'slack'",
    "repository": "'acme/other'",
    "environment": "NULL",
    "sha": "'" + "b" * 40 + "'",
    "command": "'rollback'",
    "raw": "raw || ' '",
    "outcome": "'acted'",
    "reason": "'deploy_asked'",
    "rules": "'{}'",
    "job_id": "NULL",
    "delivery": "'x'",
    "previous": "hash",
    "hash": "previous",
}


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_change_in_any_column_is_found(store: Store, url: str, column: str) -> None:
    await filled(store)
    with at_the_file(url) as file:
        file.execute(f"UPDATE audit SET {column} = {COLUMNS[column]} WHERE number = 3")  # noqa: S608 - of the table above
    verdict = await store.audit.verify()
    assert (verdict.broken, verdict.why, verdict.holds_to.number) == (3, "changed", 2)


async def test_every_column_is_among_those_that_are_tried(store: Store, url: str) -> None:
    with at_the_file(url) as file:
        named = {row[1] for row in file.execute("PRAGMA table_info(audit)")}
    assert named == {"number", *COLUMNS}


@pytest.mark.parametrize("rules", ["{", '{"a" :1}', "[]", '{"a":NaN}'])
async def test_rules_that_were_made_unreadable_are_found(store: Store, url: str, rules: str) -> None:
    await filled(store)
    with at_the_file(url) as file:
        file.execute("UPDATE audit SET rules = ? WHERE number = 3", (rules,))
    assert (await store.audit.verify()).broken == 3


TAMPERED: dict[str, tuple[str, int, str]] = {
    "a row removed": ("DELETE FROM audit WHERE number = 2", 2, "missing"),
    "the first row removed": ("DELETE FROM audit WHERE number = 1", 1, "missing"),
    "the tail cut": ("DELETE FROM audit WHERE number > 3", 4, "cut"),
    "all of it removed": ("DELETE FROM audit", 1, "cut"),
    "two rows swapped": ("UPDATE audit SET number = CASE number WHEN 2 THEN -3 WHEN 3 THEN -2 END"
                         " WHERE number IN (2, 3); UPDATE audit SET number = -number WHERE number < 0", 2, "changed"),
    "the head gone": ("DELETE FROM audit_head", 1, "surplus"),
    "the head moved back": ("UPDATE audit_head SET number = 3, hash = (SELECT hash FROM audit WHERE number = 3)",
                            4, "surplus"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_was_removed_swapped_or_cut_off_is_found(store: Store, url: str, how: str) -> None:
    statements, broken, why = TAMPERED[how]
    await filled(store)
    with at_the_file(url) as file:
        file.executescript(statements)
    verdict = await store.audit.verify()
    assert (verdict.broken, verdict.why) == (broken, why)


async def test_a_change_with_a_hash_made_anew_breaks_the_link_to_the_next(store: Store, url: str) -> None:
    await filled(store)
    _rewrite(url, numbers=[3])
    verdict = await store.audit.verify()
    assert (verdict.broken, verdict.why) == (4, "unlinked")


async def test_the_newest_record_made_anew_does_not_match_the_head(store: Store, url: str) -> None:
    await filled(store)
    _rewrite(url, numbers=[5])
    assert (await store.audit.verify()).broken == 5


async def test_a_trail_that_was_written_anew_is_found_by_what_was_noted_elsewhere(store: Store, url: str) -> None:
    await filled(store)
    noted = (await store.audit.verify()).holds_to
    await store.audit.add(entry(6), NOW)
    assert (await store.audit.verify(noted)).broken is None
    _rewrite(url, numbers=[3, 4, 5, 6], moves_head=True)
    assert (await store.audit.verify()).broken is None
    verdict = await store.audit.verify(noted)
    assert (verdict.broken, verdict.why) == (5, "rewritten")
    assert (await store.audit.verify(Head(9, "0" * 64))).why == "cut"


def _rewrite(url: str, numbers: list[int], *, moves_head: bool = False) -> None:
    """Change records and make their hashes anew, as one who has the code could."""
    with at_the_file(url) as file:
        file.row_factory = sqlite3.Row
        for number in numbers:
            before = file.execute("SELECT number, hash FROM audit WHERE number = ?", (number - 1,)).fetchone()
            row = dict(file.execute("SELECT * FROM audit WHERE number = ?", (number,)).fetchone())
            old = dataclasses.replace(entry(number), rules=from_json(row["rules"]), actor="mallory")
            new = record_of(old, Head(*before), from_us(row["at_us"]), None)
            values = (new.entry.actor, new.previous, new.hash, number)
            file.execute("UPDATE audit SET actor = ?, previous = ?, hash = ? WHERE number = ?", values)
            assert new.number == number
            if moves_head:
                file.execute("UPDATE audit_head SET number = ?, hash = ?", (new.number, new.hash))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'mallory' WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 2",
        "INSERT INTO audit SELECT number + 9, at_us, actor, actor_id, face, repository, environment, sha, command,"
        " raw, outcome, reason, rules, job_id, delivery, previous, hash FROM audit WHERE number = 2",
        "UPDATE audit_head SET number = 1",
        "UPDATE audit_head SET number = 6",
        "DELETE FROM audit_head",
        "INSERT OR REPLACE INTO audit_head VALUES (1, 2, 'x')",
    ],
)
async def test_the_database_itself_refuses_a_change(store: Store, url: str, statement: str) -> None:
    await filled(store)
    with closing(sqlite3.connect(path_of(url))) as file, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        file.execute(statement)
    assert (await store.audit.verify()).broken is None


async def test_pages_follow_one_another_and_can_be_narrowed(store: Store) -> None:
    for number in range(1, 8):
        await store.audit.add(entry(number, "acme/api" if number % 2 else "acme/web"), after(number))

    async def numbers(which: AuditFilter, behind: int = 0, limit: int = 9) -> list[int]:
        return [record.number for record in await store.audit.page(which, behind, limit)]

    assert await numbers(EVERYTHING, 2, 3) == [3, 4, 5]
    assert await numbers(AuditFilter("acme/web")) == [2, 4, 6]
    assert await numbers(AuditFilter(since=after(3), until=after(6))) == [3, 4, 5]
    assert await numbers(AuditFilter("acme/api", since=after(4))) == [5, 7]


async def test_what_a_delivery_led_to_is_told_with_it_or_not_at_all(store: Store) -> None:
    await store.deliveries.record(guid(1), "push", b"{}", NOW)
    (delivery,) = await store.deliveries.claim("w", NOW, 60, 1)
    settlement = Settlement("refused", "environment_locked", "comment-1", audit=(entry(),))
    await store.deliveries.settle(delivery.seq, settlement, NOW)
    await store.deliveries.settle(delivery.seq, settlement, NOW)
    (record,) = await store.audit.page(EVERYTHING)
    assert record.delivery == guid(1)


async def test_a_meaning_acted_on_before_is_not_told_again(store: Store) -> None:
    for number in (1, 2):
        await store.deliveries.record(guid(number), "push", b"{}", NOW)
    for delivery in await store.deliveries.claim("w", NOW, 60, 2):
        await store.deliveries.settle(delivery.seq, Settlement("acted", "x", "comment-1", audit=(entry(),)), NOW)
    assert len(await store.audit.page(EVERYTHING)) == 1


async def test_an_entry_about_a_job_tells_that_jobs_place_and_commit(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await store.audit.add(AuditEntry("bob", "comment", "cancel", "acted", "cancel_asked", job_id=job.id), NOW)
    asked, stopped = await store.audit.of_job(job.id)
    assert (asked.entry.reason, asked.entry.face) == ("deploy_asked", "push")
    told = stopped.entry
    assert (told.repository, told.environment, told.sha) == ("acme/api", "production", "a" * 40)


async def test_a_job_that_is_stopped_names_who_stopped_it(store: Store) -> None:
    job = await store.jobs.create(request(), NOW)
    await store.jobs.ask_cancel(job.id, "bob", NOW)
    told = [(r.entry.actor, r.entry.command, r.entry.outcome) for r in await store.audit.of_job(job.id)]
    assert told == [
        ("alice", "deploy", "acted"),
        ("bob", "cancel", "acted"),
        ("bob", "deploy", "CANCELLED"),
    ]
    await store.jobs.ask_cancel(job.id, "carol", NOW)
    assert len(await store.audit.of_job(job.id)) == 3


async def test_a_lost_lease_leaves_no_trace(store: Store) -> None:
    await store.jobs.create(request(), NOW)
    job = await claimed(store.jobs)
    before = len(await store.audit.page(EVERYTHING))
    with pytest.raises(Exception, match="lease_lost"):
        await store.jobs.append(job.id, job.fence + 1, [], NOW)
    assert len(await store.audit.page(EVERYTHING)) == before


async def test_processes_that_write_at_once_make_one_chain_and_a_kill_breaks_none(store: Store, url: str) -> None:
    writers = [child("audit", url, f"writer{number}") for number in range(2)]
    with writers[0], writers[1]:
        for writer in writers:
            assert writer.stdout
            await asyncio.to_thread(writer.stdout.readline)
        await _beyond(store, 100)
        await _written_by(store, {"writer0", "writer1"})
        writers[0].kill()
        await _beyond(store, (await store.audit.verify()).holds_to.number + 20)
        writers[1].kill()
        for writer in writers:
            writer.communicate()
    verdict = await store.audit.verify()
    assert verdict.broken is None


async def _written_by(store: Store, authors: set[str]) -> None:
    """Return once each has come to write: the database lets one wait while another is quick."""
    async with asyncio.timeout(60):
        while {record.entry.actor for record in await store.audit.page(EVERYTHING, 0, 9999)} != authors:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _beyond(store: Store, number: int) -> None:
    async with asyncio.timeout(60):
        while not await store.audit.page(EVERYTHING, number, 1):  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.02)
