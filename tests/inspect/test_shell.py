"""The shell's face: tables, JSON, listings, written files, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest

from bot.inspect.shell import run_inspect, run_listing


def _run(target: str, *, as_json: bool = False, write: bool = False) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return run_inspect(target, as_json=as_json, write=write, out=out, err=err), out.getvalue(), err.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("fastapi\nuvicorn\n")
    (folder / "main.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n")
    return folder


def test_the_table_says_what_and_why(project: Path) -> None:
    status, out, _ = _run(str(project))
    assert status == 0
    for part in ("fastapi", "main.py:3", "requirements.txt"):
        assert part in out


def test_json_stands_alone_on_stdout(project: Path) -> None:
    status, out, _ = _run(str(project), as_json=True)
    assert status == 0
    assert json.loads(out)["apps"][0]["startCommand"] == "uvicorn main:app --host 0.0.0.0 --port $PORT"


def test_write_adds_what_is_missing_and_inspecting_again_finds_it(project: Path) -> None:
    assert _run(str(project), write=True)[0] == 0
    assert {path.name for path in project.iterdir()} >= {"Dockerfile", ".dockerignore", ".shipmate.yml"}
    again = json.loads(_run(str(project), as_json=True)[1])["apps"][0]
    assert (again["framework"], again["dockerfile"], again["port"]) == ("fastapi", "Dockerfile", 8000)


def test_write_leaves_what_is_there(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM mine\n")
    (project / ".shipmate.yml").symlink_to("/nowhere")
    _, _, err = _run(str(project), write=True)
    assert (project / "Dockerfile").read_text() == "FROM mine\n"
    assert "kept" in err
    assert (project / ".shipmate.yml").is_symlink()


def test_write_says_what_cannot_be_generated(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("requests\n")
    status, _, err = _run(str(tmp_path), write=True)
    assert status == 1
    assert "build:\n  start:" in err
    assert not (tmp_path / ".shipmate.yml").exists()


def test_a_git_address_is_cloned_and_inspected(project: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    status, out, _ = _run(f"file://{project}", as_json=True)
    assert status == 0
    assert json.loads(out)["apps"][0]["framework"] == "fastapi"


@pytest.mark.parametrize("target", ["/no/such/folder", "file:///no/such/repository", "--upload-pack=touch x"])
def test_a_target_that_cannot_be_read_is_bad_input(target: str) -> None:
    status, out, err = _run(target)
    assert (status, out) == (2, "")
    assert err.startswith("shipmate inspect: ")


def test_an_address_cannot_be_written_to() -> None:
    assert _run("https://example.com/x.git", write=True)[0] == 2


def test_wrong_settings_are_bad_input(project: Path) -> None:
    (project / ".shipmate.yml").write_text("build:\n  prot: 80\n")
    status, _, err = _run(str(project))
    assert status == 2
    assert "prot" in err


def test_nothing_found_is_a_failure_that_says_what_to_do(tmp_path: Path) -> None:
    status, out, _ = _run(str(tmp_path))
    assert status == 1
    assert "language" in out


def test_a_listing_prints_one_line_for_each_tree(tmp_path: Path) -> None:
    file = tmp_path / "trees.jsonl"
    rows = [
        {"name": "a", "paths": ["index.html"], "files": {}},
        {"name": "b", "paths": [], "files": {"go.mod": "module x"}},
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    out = io.StringIO()
    assert run_listing(file, out) == 0
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(a["name"], a["apps"][0]["language"], a["warnings"]) for a in answers] == [
        ("a", "html", []),
        ("b", "go", []),
    ]


@pytest.mark.parametrize("line", ["{", "[]", '{"name": 1, "paths": [], "files": {}}', '{"name": "a", "paths": "x"}'])
def test_a_line_that_is_no_tree_is_bad_input_with_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "trees.jsonl"
    file.write_text(line)
    out, err = io.StringIO(), io.StringIO()
    assert run_listing(file, out, err) == 2
    assert "line 1" in err.getvalue()
