"""Repositories made to break a reader: inspection answers, warns, and never raises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.inspect.dockerfile import find_dockerfile, generate
from bot.inspect.errors import CannotGenerate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import Inspection
from bot.inspect.tree import FolderTree, ListingTree

_MANIFESTS = (
    "package.json", "package-lock.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "tsconfig.json", "angular.json",
    "next.config.js", "vite.config.ts", "deno.json", "requirements.txt", "pyproject.toml", "Pipfile", "Pipfile.lock",
    "environment.yml", "setup.py", "setup.cfg", "main.py", "manage.py", "go.mod", "go.work", "main.go", "Cargo.toml",
    "Cargo.lock", "rust-toolchain.toml", "src/main.rs", "pom.xml", "build.gradle", "build.gradle.kts",
    "settings.gradle", "gradle/libs.versions.toml", "build.sbt", "project/plugins.sbt", "project.clj", "deps.edn",
    "Gemfile", "Gemfile.lock", "config.ru", "composer.json", "composer.lock", "App.csproj", "global.json", "mix.exs",
    "gleam.toml", "pubspec.yaml", "Package.swift", "shard.yml", "build.zig", "build.zig.zon", "stack.yaml",
    "package.yaml", "x.cabal", "CMakeLists.txt", "meson.build", "Staticfile", "hugo.toml", "config.toml", "start.sh",
    "Procfile", "Dockerfile", ".nvmrc", ".tool-versions", "mise.toml", "runtime.txt", "system.properties",
)  # fmt: skip


def _inspect(files: dict[str, str | bytes], paths: list[str] | None = None) -> Inspection:
    """Inspect, and generate for whatever was found: neither may raise anything but a refusal."""
    tree = ListingTree(paths or [], files)
    inspection = inspect_tree(tree)
    for app in inspection.apps:
        with suppress(CannotGenerate):
            generate(app, tree)
    return inspection


def _codes(inspection: Inspection) -> set[str]:
    return {notice.code for notice in inspection.warnings}


@pytest.mark.parametrize("name", _MANIFESTS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe\x80" * 100,
        b"{",
        b"[" * 5_000,
        b"]]>",
        b"- : : [",
        b"\xef\xbb\xbf{}",
        b"null",
        b"42",
        b"[]",
        b'""',
    ],
    ids=["empty", "binary", "cut", "deep", "closing", "colons", "bom", "null", "number", "list", "text"],
)
def test_a_broken_manifest_never_raises(name: str, content: bytes) -> None:
    _inspect({name: content})


@given(st.dictionaries(st.sampled_from(_MANIFESTS), st.text(max_size=300) | st.binary(max_size=300), max_size=6))
@settings(max_examples=150)
def test_no_mixture_of_manifests_raises(files: dict[str, str | bytes]) -> None:
    _inspect(files)


_KEYS = ("name", "scripts", "dependencies", "engines", "workspaces", "packageManager", "main", "start", "build", "node")
_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(_ANY_JSON)
@settings(max_examples=150)
def test_a_package_json_of_any_shape_never_raises(value: object) -> None:
    _inspect({"package.json": json.dumps(value), "angular.json": json.dumps(value), "composer.json": json.dumps(value)})


def test_a_broken_manifest_is_a_warning_with_its_file_and_line() -> None:
    inspection = _inspect({"package.json": '{\n  "name": "x",\n  "scripts": {]}\n}\n'})
    notice = next(n for n in inspection.warnings if n.code == "broken_manifest")
    assert (notice.path, notice.line) == ("package.json", 3)


def test_a_package_json_of_50_mb_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "package.json").open("wb") as file:
        file.truncate(50_000_000)
    assert "too_big" in _codes(inspect_tree(FolderTree(tmp_path)))
    assert inspect_tree(ListingTree([], {"package.json": b" " * 50_000_000})).apps[0].start is None


def test_xml_that_expands_without_end_is_refused() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><project><name>&l9;</name></project>'
    inspection = _inspect({"pom.xml": bomb})
    assert any("entities" in notice.text for notice in inspection.warnings)


def test_yaml_that_repeats_itself_without_end_is_refused() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    inspection = _inspect({"pnpm-workspace.yaml": "\n".join(levels), "package.json": "{}"})
    assert any("aliases" in notice.text for notice in inspection.warnings)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "x = " + "[" * 20_000),
        ("Cargo.toml", "[" + "a." * 50_000 + "a]"),
        ("package.json", '{"a":' * 100_000),
        ("environment.yml", "[" * 20_000),
        ("pom.xml", "<a>" * 100_000),
    ],
)
def test_nesting_beyond_reason_is_a_warning(name: str, text: str) -> None:
    assert "broken_manifest" in _codes(_inspect({name: text}))


def test_yaml_that_merges_itself_without_end_is_refused() -> None:
    levels = ["a0: &a0 {k0: v}"] + [f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]" for n in range(1, 31)]
    inspection = _inspect({"pnpm-workspace.yaml": "\n".join(levels), "package.json": "{}"})
    assert any("merges" in notice.text for notice in inspection.warnings)


@pytest.mark.parametrize("value", ["!!int ''", "!!int x", "!!bool x", "!!timestamp x", "!!float ''", "!!binary é"])
def test_a_yaml_value_that_is_not_of_its_tag_is_a_warning(value: str) -> None:
    assert "broken_manifest" in _codes(_inspect({"pnpm-workspace.yaml": f"packages: {value}\n", "package.json": "{}"}))


@pytest.mark.parametrize(
    ("name", "text"),
    [("package.json", '{"a": %s}'), ("pyproject.toml", "a = %s\n"), ("environment.yml", "dependencies: %s\n")],
)
def test_a_number_of_thousands_of_digits_never_raises(name: str, text: str) -> None:
    _inspect({name: text % ("1" * 5_000)})


@pytest.mark.parametrize("part", ["a", '"a"', "'a'"])
@pytest.mark.parametrize("place", ["{} = 1", "[{}]", "x = {{ {} = 1 }}"])
def test_a_toml_key_of_thousands_of_parts_is_a_warning(part: str, place: str) -> None:
    assert "broken_manifest" in _codes(_inspect({"pyproject.toml": place.format(".".join([part] * 20_000))}))


def test_brackets_inside_of_a_toml_text_are_no_nesting() -> None:
    text = f'[project]\nname = "x"\ndescription = "{"[" * 100}"\ndependencies = ["flask"]\n'
    assert _inspect({"pyproject.toml": text, "main.py": ""}).apps[0].framework == "flask"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le"])
def test_a_manifest_that_windows_wrote_is_read(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    content = f"{mark}flask==3.0.0\r\ngunicorn==22.0\r\n".encode(encoding)
    assert _inspect({"requirements.txt": content, "app.py": ""}).apps[0].framework == "flask"


def test_a_million_paths_are_inspected() -> None:
    paths = [f"src/module{n % 1000}/file{n}.txt" for n in range(1_000_000)]
    inspection = _inspect(
        {"requirements.txt": "flask\n", "main.py": "from flask import Flask\napp = Flask(__name__)\n"}, paths
    )
    assert inspection.apps[0].framework == "flask"


def test_hundreds_of_applications_are_bounded_and_said() -> None:
    files: dict[str, str | bytes] = {f"svc{n}/package.json": '{"scripts": {"start": "node a.js"}}' for n in range(300)}
    inspection = _inspect(files)
    assert 0 < len(inspection.apps) <= 60
    assert "many_folders" in _codes(inspection)


def test_links_that_loop_or_lead_out_are_not_followed(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (tmp_path / "secret").write_text('{"name": "outside"}')
    (repository / "package.json").symlink_to(tmp_path / "secret")
    (repository / "Dockerfile").symlink_to("Dockerfile")
    (repository / "loop").symlink_to(repository, target_is_directory=True)
    tree = FolderTree(repository)
    inspection = inspect_tree(tree)
    assert find_dockerfile(FolderTree(repository)) is None
    assert {"outside", "unreadable"} <= _codes(inspection)
    assert "loop/package.json" not in tree.paths()


def test_names_that_are_not_utf8_are_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("hi")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py")).write_text("x")
    tree = FolderTree(tmp_path)
    assert tree.paths() == ["index.html"]
    assert _codes(inspect_tree(tree)) == {"odd_name"}


def test_a_truncated_tree_is_inspected_and_said() -> None:
    inspection = inspect_tree(ListingTree(["go.mod"], {"go.mod": "module x\n"}, truncated=True))
    assert inspection.apps[0].language == "go"
    assert "tree_truncated" in _codes(inspection)


def test_a_folder_named_dockerfile_is_not_a_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").mkdir()
    (tmp_path / "Dockerfile" / "readme").write_text("x")
    (tmp_path / "index.html").write_text("hi")
    assert find_dockerfile(FolderTree(tmp_path)) is None
    assert inspect_tree(FolderTree(tmp_path)).apps[0].dockerfile is None


def test_a_pipe_or_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package.json")
    assert "not_a_file" in _codes(inspect_tree(FolderTree(tmp_path)))


@pytest.mark.parametrize(
    "command", ["a; rm -rf /", "$(curl x|sh)", "`id`", 'x" ] \n', "a && b || c > /etc/passwd", "\\\nUSER root"]
)
def test_shell_characters_of_a_command_stay_inside_the_command(command: str) -> None:
    line = command.replace("\n", " ").strip()
    tree = ListingTree([], {"requirements.txt": "", "Procfile": f"web: {line}\n"})
    text = generate(inspect_tree(tree).apps[0], tree).dockerfile
    assert text.splitlines()[-1].startswith("CMD [")
    assert sum(row.startswith("USER ") for row in text.splitlines()) == 1


@pytest.mark.parametrize(
    "paths", [["/etc/passwd"], ["../../x/package.json"], ["a/../../package.json"], ["a\nb"], ["a\0b"]]
)
def test_paths_that_lead_out_are_left_out(paths: list[str]) -> None:
    assert ListingTree(paths, {}).paths() == []
    assert "odd_name" in _codes(inspect_tree(ListingTree(paths, {})))


_HANG = """
import sys
from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import ListingTree
unit, names = sys.argv[1].encode().decode("unicode_escape"), sys.argv[2].split()
text = (unit * (900_000 // len(unit)))
for name in names:
    inspect_tree(ListingTree([], {name: text, "main.py": "x", "README.md": "x"}))
"""


@pytest.mark.parametrize(
    "unit", ["a", " ", "\\n", "/*", "[", "a.", "{:a, ", "ENV PORT ", '"', "<a ", "deps\\n", "x: [\\n"]
)
def test_no_text_makes_a_search_run_without_end(unit: str) -> None:
    words = [sys.executable, "-c", _HANG, unit, " ".join(_MANIFESTS)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]


_BESIDE = {
    "CMakeLists.txt": "project(x)\nadd_executable(x src/main.cpp)\n",
    "pubspec.yaml": "name: x\n",
    "shard.yml": "name: x\n",
    "package.json": '{"dependencies": {"@tanstack/react-start": "1"}}',
    "main.py": "x",
}
"""What leads a reader to the files that never end."""
_ENDLESS = """
import json, sys
from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import ListingTree
_, beside, name, start, unit, end = sys.argv
inspect_tree(ListingTree([], {**json.loads(beside), name: start + unit * (400_000 // len(unit)) + end}))
"""


@pytest.mark.parametrize(
    ("name", "start", "unit", "end"),
    [
        ("package.json", '{"', '\\"', ""),
        ("pnpm-workspace.yaml", "packages: 1", ":1", ""),
        ("setup.py", "", "install_requires=[\n", ""),
        ("go.work", "", "use (\n", ""),
        ("Dockerfile", "FROM x\n", "ENV A=${a:-\n", ""),
        ("src/main.cpp", "", ".listen(\n", ""),
        ("bin/server.dart", "", "serve(x,\n", ""),
        ("src/a.cr", "", "bind_tcp(\n", ""),
        ("package.json", '{"scripts": {"start": "', "concurrently ", '"}}'),
        ("package.json", '{"engines": {"node": "', "x || ", '"}}'),
        ("vite.config.ts", "", "spa : {xenabled : tr\n", ""),
    ],
)
def test_no_beginning_that_never_ends_makes_a_search_run_without_end(
    name: str, start: str, unit: str, end: str
) -> None:
    words = [sys.executable, "-c", _ENDLESS, json.dumps(_BESIDE), name, start, unit, end]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
