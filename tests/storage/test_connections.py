"""Connections are kept sealed, changed under their id, named once, and every change is told in its own transaction."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bot.audit import AuditEntry
from bot.errors import Refused
from bot.model import Repository
from bot.store.connections import AwsConnection, GitHubConnection, LentTo
from bot.store.store import Store
from tests.storage.sample import NOW, after

API = Repository(7, "acme/api")
INSTALLATION = 40
AWS = AwsConnection("aws_0123456789", "eu-west-1", "210987654321", None, NOW, "prod", (LentTo("acme/api", 7),))
KEYS = {"region": "eu-west-1", "access_key_id": "AKIAEXAMPLEEXAMPLE00", "secret_access_key": "hunter2-hunter2"}


def told(reason: str) -> AuditEntry:
    return AuditEntry("alice", "shell", "connect aws", "acted", reason)


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def reasons(store: Store) -> list[str]:
    return [record.entry.reason for record in await store.audit.newest("", None, 20)][::-1]


async def test_it_is_found_by_its_id_and_by_its_name(store: Store) -> None:
    await store.connections.put_aws(AWS, KEYS, told("lent"))
    assert await store.connections.one_aws("prod") == await store.connections.one_aws(AWS.id) == AWS
    assert await store.connections.aws() == [AWS]
    assert await store.connections.credentials_of(AWS.id) == KEYS
    assert await store.connections.one_aws("other") is None


async def test_what_it_comes_in_with_is_in_no_file(store: Store, tmp_path: Path) -> None:
    await store.connections.put_aws(AWS, KEYS, told("lent"))
    assert b"hunter2" not in contents(tmp_path)


async def test_new_keys_are_another_version_of_the_same_connection(store: Store) -> None:
    await store.connections.put_aws(AWS, KEYS, told("lent"))
    changed = dataclasses.replace(AWS, lent_to=(LentTo("acme", INSTALLATION),))
    assert await store.connections.version_of(AWS.id) == 1
    assert await store.connections.replace_aws(changed, {**KEYS, "secret_access_key": "new"}, told("new"), after(1))
    assert await store.connections.version_of(AWS.id) == 2
    assert await store.connections.one_aws("prod") == changed
    assert (await store.connections.credentials_of(AWS.id) or {})["secret_access_key"] == "new"


async def test_a_name_is_given_once_and_many_have_none(store: Store) -> None:
    await store.connections.put_aws(AWS, KEYS, told("lent"))
    with pytest.raises(Refused, match="connection_name_taken"):
        await store.connections.put_aws(dataclasses.replace(AWS, id="aws_aaaaaaaaaa"), KEYS, told("again"))
    for letter in "bc":
        await store.connections.put_aws(
            dataclasses.replace(AWS, id=f"aws_{letter * 10}", name=None), KEYS, told("nameless")
        )
    assert await reasons(store) == ["lent", "nameless", "nameless"]


async def test_only_what_changes_something_is_told(store: Store) -> None:
    github = GitHubConnection("gh_0123456789", "acme", "api", "main", NOW)
    await store.connections.put_github(github, "a token", told("lent"))
    assert await store.connections.one_github(github.id) == github
    assert not await store.connections.replace_aws(AWS, KEYS, told("replaced"), NOW)
    assert await store.connections.remove(github.id, told("removed"), NOW)
    assert not await store.connections.remove(github.id, told("removed"), NOW)
    assert await store.connections.version_of(github.id) is None
    assert await reasons(store) == ["lent", "removed"]


@pytest.mark.parametrize(
    ("lent_to", "repository", "installation", "is_lent"),
    [
        (LentTo("acme/api", 7), API, 0, True),
        (LentTo("acme/api", 7), Repository(7, "acme/renamed"), INSTALLATION, True),
        (LentTo("acme/api", 7), Repository(8, "acme/api"), INSTALLATION, False),
        (LentTo("acme", INSTALLATION), API, INSTALLATION, True),
        (LentTo("acme", INSTALLATION), API, 41, False),
        (LentTo("acme", 0), API, 0, False),
        (LentTo("acme", 7), API, INSTALLATION, False),
    ],
)
def test_a_name_that_another_took_over_opens_nothing(
    lent_to: LentTo, repository: Repository, installation: int, is_lent: bool
) -> None:
    connection = dataclasses.replace(AWS, lent_to=(lent_to,))
    assert connection.is_lent_to(repository, installation) is is_lent
