"""The functions and the server are told the tables' names, and load no more than they need before their first call."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws.asked import DynamoAsked
from aws.clients import AwsClients
from aws.lambdas import settings
from aws.lambdas.ask import Door
from bot.asked import Waits
from bot.composition.amazon import open_tables
from bot.config import AwsSettings, from_environment
from bot.errors import UserMistake
from bot.shell.doctor import examine
from tests.aws.emulator.handle import Emulator
from tests.aws.lambdas.quay import http_event, make_tables

ROOT = Path(__file__).parents[3]
TABLES = {"SHIPMATE_DEPLOYMENTS_TABLE": "deployments", "SHIPMATE_INSTALLATIONS_TABLE": "installations"}


@pytest.mark.parametrize("missing", sorted(TABLES))
def test_the_server_wants_both_tables_or_neither(missing: str) -> None:
    given = {"AWS_REGION": "us-east-1", **{name: value for name, value in TABLES.items() if name != missing}}
    with pytest.raises(UserMistake) as refused:
        from_environment(given)
    assert refused.value.facts["name"] == missing
    known = from_environment({"AWS_REGION": "us-east-1"}).aws
    assert known is not None
    assert known.deployments_table is None


async def test_a_server_without_tables_looks_at_none() -> None:
    async with open_tables(AwsSettings("us-east-1")) as tables:
        assert tables is None


async def test_a_server_with_tables_sees_what_the_door_wrote(
    emulator: Emulator, clients: AwsClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    deployments, installations = await make_tables(clients, f"t-{uuid.uuid4().hex[:8]}")
    async with open_tables(AwsSettings("us-east-1", emulator.url, None, deployments, installations)) as tables:
        assert tables is not None
        body = {"userId": "alice", "repo": "acme/api", "branch": "main"}
        answer = await Door(DynamoAsked(clients, deployments)).answer(http_event(body))
        (waiting,) = await tables.deployments.waiting(Waits.WORK, datetime.now(UTC) + timedelta(minutes=1))
        assert answer["headers"]["Location"] == f"/deployments/{waiting}"
        assert await tables.places.all() == []


async def test_the_doctor_reads_the_tables_or_says_which_is_missing(
    emulator: Emulator, clients: AwsClients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployments, installations = await make_tables(clients, f"t-{uuid.uuid4().hex[:8]}")
    given = {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "DATABASE_URL": f"sqlite:///{tmp_path}/shipmate.db",
        "SHIPMATE_DEPLOYMENTS_TABLE": deployments,
        "SHIPMATE_INSTALLATIONS_TABLE": installations,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert ("tables", True) in [(finding.name, finding.well) for finding in await examine()]
    monkeypatch.setenv("SHIPMATE_INSTALLATIONS_TABLE", "nowhere")
    (broken,) = [finding for finding in await examine() if finding.name == "tables"]
    assert not broken.well
    assert "dynamodb.Scan" in broken.sentence


def test_a_function_names_the_setting_that_is_missing() -> None:
    with pytest.raises(UserMistake) as refused:
        settings.from_environment({"SHIPMATE_DEPLOYMENTS_TABLE": "d"}, "GITHUB_APP_ID")
    assert refused.value.facts["name"] == "GITHUB_APP_ID"


def test_an_odd_language_is_english() -> None:
    told = settings.from_environment({"SHIPMATE_DEPLOYMENTS_TABLE": "d", "SHIPMATE_LOCALE": "xx"})
    assert (told.locale, told.owner, told.api_url) == ("en", "shipmate", "https://api.github.com")


@pytest.mark.parametrize(
    ("function", "not_needed"),
    [
        ("ask", {"bot.inspect", "bot.github", "jsonschema", "yaml", "cryptography", "jwt", "storage", "handlers"}),
        ("finish", {"bot.inspect", "bot.github", "jsonschema", "yaml", "cryptography", "jwt", "storage", "handlers"}),
        ("work", {"jsonschema", "sqlite3", "storage", "handlers", "bot.worker", "bot.slack.desk", "click", "rich"}),
    ],
)
def test_a_function_starts_without_what_it_does_not_need(function: str, not_needed: set[str]) -> None:
    said = f"import aws.lambdas.{function}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) & not_needed == set()
