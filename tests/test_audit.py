"""`shipmate audit`: what is exported can be checked by anyone, and what was tampered with ends with 1."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.audit import AuditEntry
from bot.cli import cli
from storage.opened import open_store

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[1] / "docs" / "audit.md"


def shell(folder: Path, *words: str, **env: str) -> Result:
    return CliRunner().invoke(cli, ["audit", *words], env={"DATABASE_URL": f"sqlite:///{folder}/s.db", **env})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with three records, one a day."""
    entries = [
        AuditEntry(
            "alice", "comment", "deploy", "acted", "deploy_asked", "acme/api", "/deploy 안녕", {"role": "write"}
        ),
        AuditEntry(
            "bob", "slack", "deploy", "refused", "permission_needed", "acme/web", "@shipmate deploy", {"x": 0.25}
        ),
        AuditEntry("=cmd()", "push", "push", "acted", "deploy_asked", "acme/api", "main"),
    ]
    asyncio.run(_fill(tmp_path, entries))
    return tmp_path


async def _fill(folder: Path, entries: Sequence[AuditEntry]) -> None:
    opened = await open_store(f"sqlite:///{folder}/s.db")
    for day, entry in enumerate(entries):
        await opened.store.audit.add(entry, NOW + timedelta(days=day))
    await opened.close()


def exported(folder: Path, *words: str) -> list[int]:
    return [json.loads(line)["number"] for line in shell(folder, "export", *words).stdout.splitlines()]


def test_a_trail_that_holds_ends_with_0_and_tells_what_to_note_down(folder: Path) -> None:
    result = shell(folder, "verify")
    assert (result.exit_code, "3 records" in result.output) == (0, True), result.output
    noted = result.output.split()[-1]
    assert shell(folder, "verify", "--noted", noted).exit_code == 0
    assert json.loads(shell(folder, "verify", "--json").output)["newest"] == noted


def test_a_trail_that_was_tampered_with_ends_with_1_and_the_first_record_that_does_not_hold(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "s.db")) as file:
        file.executescript("DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = 'eve' WHERE number = 2")
    result = shell(folder, "verify")
    assert (result.exit_code, "Record 2 was changed" in result.output) == (1, True), result.output
    assert "2번 기록" in shell(folder, "verify", SHIPMATE_LOCALE="ko").output
    assert json.loads(shell(folder, "verify", "--json").output)["broken"] == 2


@pytest.mark.parametrize("noted", ["3", "x:" + "0" * 64, "3:abc"])
def test_what_was_not_noted_from_here_is_bad_usage(folder: Path, noted: str) -> None:
    result = shell(folder, "verify", "--noted", noted)
    assert (result.exit_code, "NUMBER:HASH" in result.output) == (2, True)


def test_an_export_can_be_narrowed(folder: Path) -> None:
    assert exported(folder) == [1, 2, 3]
    assert exported(folder, "--repository", "acme/api") == [1, 3]
    assert exported(folder, "--since", "2026-05-05") == [2, 3]
    assert exported(folder, "--since", "2026-05-05", "--until", "2026-05-06T12:00:00Z") == [2]


def test_the_snippet_in_the_documentation_checks_an_export_without_shipmate(folder: Path, tmp_path: Path) -> None:
    snippet = re.search(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert snippet is not None
    lines = shell(folder, "export").stdout

    def check(text: str) -> int:
        return subprocess.run([sys.executable, "-c", snippet[1]], input=text, text=True, capture_output=True).returncode

    assert check(lines) == 0
    assert check(lines.replace("bob", "eve")) == 1
    assert check("\n".join(lines.splitlines()[::2])) == 1


def test_csv_has_the_same_columns_and_no_cell_that_a_spreadsheet_would_run(folder: Path) -> None:
    head, *rows = csv.reader(io.StringIO(shell(folder, "export", "--format", "csv").stdout))
    assert head == list(json.loads(shell(folder, "export").stdout.splitlines()[0]))
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["actor"] for row in told] == ["alice", "bob", "'=cmd()"]
    assert told[1]["raw"] == "'@shipmate deploy"
    assert json.loads(told[0]["rules"]) == {"role": "write"}
