"""Keys for programs are kept as hashes; secrets are sealed, each to its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Permanent, Refused
from bot.store.store import Store
from storage.opened import OpenStore, open_store
from tests.storage.sample import NOW, SECRET_KEY, after


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_key_opens_until_it_is_revoked(store: Store) -> None:
    record, key = await store.keys.create("ci", NOW)
    assert key.startswith("smk_")
    assert await store.keys.verify(key, NOW) is not None
    assert await store.keys.revoke(record.id, after(1))
    assert not await store.keys.revoke(record.id, after(2))
    assert await store.keys.verify(key, after(1)) is None
    assert [each.revoked_at for each in await store.keys.all()] == [after(1)]


async def test_a_limited_key_sees_the_repositories_it_was_made_for(store: Store) -> None:
    _, key = await store.keys.create("ci", NOW, ["Acme/API", "example/*", "acme/api"])
    record = await store.keys.verify(key, NOW)
    assert record is not None
    assert record.repositories == ("acme/api", "example/*")
    assert [*map(record.sees, ("acme/api", "ACME/api", "Example/any", "example/a.b"))] == [True] * 4
    others = ("acme/web", "acme/api2", "example", "examples/a", "example/a/b", "api", "", "acme/*")
    assert [*map(record.sees, others)] == [False] * len(others)


async def test_a_key_without_limits_sees_everything(store: Store) -> None:
    record, _ = await store.keys.create("ci", NOW)
    assert record.sees("acme/api")
    assert record.sees("git.example.org/a/b")


async def test_keys_that_were_there_before_there_were_limits_see_everything(store: Store, opened: OpenStore) -> None:
    sql = "INSERT INTO keys (id, name, hash, created_us) VALUES ('abc', 'old', x'00', 0)"
    await opened.database.write(lambda c: c.execute(sql).rowcount)
    (old,) = await store.keys.all()
    assert old.sees("acme/api")


async def test_a_key_that_is_nearly_right_opens_nothing(store: Store) -> None:
    _, key = await store.keys.create("ci", NOW)
    last = "A" if key[-1] != "A" else "B"
    for wrong in (key[:-1] + last, key[:-1], key + "A", key.upper(), key[:12], "", "smk_", "\udcff", "x" * 100_000):
        assert await store.keys.verify(wrong, NOW) is None


async def test_the_last_use_of_a_key_is_noted_once_a_minute_at_most(store: Store) -> None:
    _, key = await store.keys.create("ci", NOW)
    for seconds in (0, 59):
        await store.keys.verify(key, after(seconds))
    assert [each.last_used_at for each in await store.keys.all()] == [NOW]
    await store.keys.verify(key, after(60))
    assert [each.last_used_at for each in await store.keys.all()] == [after(60)]


async def test_neither_keys_nor_secrets_stand_in_the_file(store: Store, opened: OpenStore, tmp_path: Path) -> None:
    _, key = await store.keys.create("ci", NOW)
    await store.secrets.put("acme/api", "TOKEN", "hunter2-hunter2", NOW)
    await opened.close()
    content = contents(tmp_path)
    assert b"TOKEN" in content
    assert b"hunter2" not in content
    assert key.encode() not in content


async def test_a_secret_is_read_back_listed_replaced_and_removed(store: Store) -> None:
    await store.secrets.put("acme/api", "TOKEN", "one", NOW)
    await store.secrets.put("Acme/API", "TOKEN", "둘", NOW)
    await store.secrets.put("acme/api", "OTHER", "", NOW)
    assert await store.secrets.get("acme/api", "TOKEN") == "둘"
    assert await store.secrets.get("acme/api", "OTHER") == ""
    assert await store.secrets.get("acme/web", "TOKEN") is None
    assert await store.secrets.names("acme/api") == ["OTHER", "TOKEN"]
    assert await store.secrets.remove("acme/api", "TOKEN")
    assert not await store.secrets.remove("acme/api", "TOKEN")


async def test_a_sealed_row_moved_to_another_repository_does_not_open(store: Store, opened: OpenStore) -> None:
    await store.secrets.put("acme/api", "TOKEN", "value", NOW)
    await opened.database.write(lambda c: c.execute("UPDATE secrets SET repository = 'evil/fork'").rowcount)
    with pytest.raises(Permanent, match="secret_sealed"):
        await store.secrets.get("evil/fork", "TOKEN")


@pytest.mark.parametrize(
    ("key", "opens"),
    [(SECRET_KEY, True), (b"new," + SECRET_KEY, True), (b"another", False)],
    ids=["same", "rotating", "other"],
)
async def test_a_secret_opens_only_under_a_key_it_was_sealed_with(
    store: Store, url: str, key: bytes, opens: bool
) -> None:
    await store.secrets.put("acme/api", "TOKEN", "value", NOW)
    later = await open_store(url, secret_key=key)
    try:
        if opens:
            assert await later.store.secrets.get("acme/api", "TOKEN") == "value"
        else:
            with pytest.raises(Permanent, match="secret_sealed"):
                await later.store.secrets.get("acme/api", "TOKEN")
    finally:
        await later.close()


async def test_without_a_key_no_secret_is_taken(url: str) -> None:
    opened = await open_store(url, secret_key=None)
    with pytest.raises(Refused, match="secret_key_missing"):
        await opened.store.secrets.put("acme/api", "TOKEN", "value", NOW)
    assert await opened.store.secrets.names("acme/api") == []
    await opened.close()
