"""Languages, vendored and generated files by Linguist's data, the repository's own word, and content."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import pytest

from bot.jobs.analysis.languages import exclusions
from bot.jobs.analysis.languages import linguist as module
from bot.jobs.analysis.languages.linguist import OTHER, linguist
from tests.analysis.histories import History
from tests.analysis.running import analysed


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "Python"),
        ("deep/er/Dockerfile", "Dockerfile"),
        ("CMakeLists.txt", "CMake"),
        ("types.d.ts", "TypeScript"),
        ("view.tsx", "TypeScript"),
        ("a.PY", "Python"),
        ("main.rs", "Rust"),
        ("README.md", "Markdown"),
        ("a.h", "C"),
        ("x.unheard-of", OTHER),
        ("LICENSE", "Text"),
        ("go.mod", "Go Module"),
    ],
)
def test_names_tell_the_language(path: str, language: str) -> None:
    assert linguist().of_path(path) == language


def test_a_server_does_not_remember_every_name_it_ever_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 10)
    known = module.Linguist(json.loads(module._DATA.read_text("utf-8")))
    for number in range(50):
        assert known.of_path(f"src/{number}/file_{number}.py") == "Python"
        assert known.vendored.match(f"{number}/node_modules/file.js")
    assert known._of_name.cache_info().currsize == 10
    assert known.vendored._in_folder.cache_info().currsize == 10


@pytest.mark.parametrize(
    ("path", "content", "language"),
    [
        ("a.h", b"#include <vector>\n", "C++"),
        ("a.h", b"@interface Foo : NSObject\n", "Objective-C"),
        ("a.h", b"int x;\n", "C"),
        ("run", b"#!/usr/bin/env -S python3.12 -u\n", "Python"),
        ("run", b"#!/bin/bash\n", "Shell"),
        ("run", b"nothing known\n", OTHER),
        ("a.pl", b"use strict;\n", "Perl"),
        ("a.pl", b"foo(X) :- bar(X).\n", "Prolog"),
        ("a.m", b"#import <Foundation/Foundation.h>\n", "Objective-C"),
        ("a.ts", b'<?xml version="1.0"?>\n<TS version="2.1">\n', "XML"),
    ],
)
def test_where_names_leave_it_open_the_content_tells(path: str, content: bytes, language: str) -> None:
    assert linguist().is_open(path)
    assert linguist().of_content(path, content) == language


@pytest.mark.parametrize(
    "path", ["node_modules/x/index.js", "vendor/a.go", "js/jquery-3.1.1.min.js", "dist/app.js", "a/third_party/x.c"]
)
def test_vendored_paths_are_known(path: str) -> None:
    assert linguist().vendored.match(path)


@pytest.mark.parametrize("path", ["package-lock.json", "deep/Cargo.lock", "poetry.lock", "x/__generated__/a.ts"])
def test_generated_paths_are_known(path: str) -> None:
    assert linguist().generated.match(path)


@pytest.mark.parametrize("path", ["src/app.py", "lib/main.js", "distribution/a.py", "src/vendors.py"])
def test_own_files_are_neither(path: str) -> None:
    assert not linguist().vendored.match(path)
    assert not linguist().generated.match(path)


def test_quick_path_rules_answer_as_the_plain_patterns_do() -> None:
    data = json.loads((Path(module.__file__).parent / "data" / "linguist.json").read_text("utf-8"))
    plain = re.compile("|".join(f"(?:{pattern})" for pattern in data["vendored"]))
    names = ["cache", "x-min.js", "bootstrap.js", "a.d.ts", "Jenkinsfile", "configure", "d3.v3.js", "gradlew", "ab.py"]
    folders = ["", "cache/", "a/cache/", "dist/", "xdist/", "a/extjs/", "a/.github/", "deps/", "x/deps/", "a b/Godeps/"]
    for path in (folder + name for folder in folders for name in names):
        assert linguist().vendored.match(path) == bool(plain.search(path)), path


def test_every_pattern_of_the_data_compiles_without_a_doubt() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = json.loads((Path(module.__file__).parent / "data" / "linguist.json").read_text("utf-8"))
        for extension in (extension for entry in data["heuristics"] for extension in entry["extensions"]):
            assert linguist().of_content(f"a{extension}", b"")


def test_vendored_and_generated_files_are_left_out_and_listed(history: History) -> None:
    history.commit({"a.py": b"1\n", "node_modules/x.js": b"1\n", "package-lock.json": b"{}\n"})
    repository = history.write()
    report = analysed(repository, all_files=False)
    assert report.lines == 1
    assert [(entry.path, entry.reason) for entry in report.excluded] == [
        ("node_modules/x.js", "vendored"),
        ("package-lock.json", "generated"),
    ]
    assert analysed(repository).excluded == []


@pytest.mark.parametrize("name", ["yarn.lock", "deep/Gemfile.lock", "go.sum", "mix.lock", "Cargo.lock", "uv.lock"])
def test_lock_files_are_left_out_unless_the_repository_wants_them(history: History, name: str) -> None:
    history.commit({"a.py": b"1\n", name: b"a lock\n"})
    report = analysed(history.write(), all_files=False)
    assert (report.lines, [tuple(entry) for entry in report.excluded]) == (1, [(name, "generated")])
    history.commit({".gitattributes": f"{name} -linguist-generated\n".encode()})
    assert analysed(history.write(), all_files=False).lines == 2


def test_a_file_moved_out_of_a_vendored_folder_keeps_its_authors(history: History) -> None:
    content = b"".join(b"%d\n" % number for number in range(20))
    history.commit({"vendor/lib.py": content})
    history.commit({"vendor/lib.py": None, "src/lib.py": content + b"more\n"}, author=b"Ben <ben@example.org>")
    report = analysed(history.write(), all_files=False)
    assert {entry.author.name: entry.lines for entry in report.authors} == {"Ann": 20, "Ben": 1}


@pytest.mark.parametrize(
    ("content", "language"),
    [
        (b"\n" * 16_000, "C"),
        (b"x" + b" \n\t" * 5_000 + b"#include <vector>\n", "C++"),
        (b"a" * 16_000 + b"\n#include <vector>\n", "C++"),
    ],
)
def test_long_runs_stand_between_no_rule_and_what_it_looks_for(content: bytes, language: str) -> None:
    assert linguist().of_content("a.h", content) == language


def test_long_runs_are_made_short_before_rules_look() -> None:
    assert module.shortened(b"a\r\nb\rc") == b"a\nb\nc"
    assert module.shortened(b"a" * 5_000 + b" b\n") == b"a" * module.LONGEST_WORD + b" b\n"
    short = module.shortened(b"a" + b" " * 500 + b"\n" * 500 + b" " * 500 + b"b" + b" " * 500 + b"c   d")
    assert short == b"a\n\n" + b" " * module.BLANKS + b"b" + b" " * module.BLANKS + b"c   d"


def test_attributes_that_take_git_too_long_are_not_heard_and_it_is_told(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusions, "CHECKED_WITHIN_S", -1.0)
    history.commit({"mine/a.py": b"1\n", ".gitattributes": b"mine/* linguist-vendored\n"})
    report = analysed(history.write(), all_files=False)
    assert [entry.path for entry in report.excluded] == [".gitattributes"]
    assert "take too long" in report.warnings[0]


def test_the_repositorys_own_attributes_win(history: History) -> None:
    attributes = b"docs/* linguist-vendored\nvendor/** linguist-vendored=false\n*.api linguist-language=Python\n"
    files = {".gitattributes": attributes, "docs/a.md": b"1\n", "vendor/mine.js": b"1\n", "x.api": b"1\n2\n"}
    history.commit(
        {**files, "gen.py": b"1\n", "sub/.gitattributes": b"*.js linguist-generated=true\n", "sub/a.js": b"1\n"}
    )
    report = analysed(history.write(), all_files=False)
    assert {(entry.path, entry.reason) for entry in report.excluded} >= {
        ("docs/a.md", "vendored"),
        ("sub/a.js", "generated"),
    }
    languages = {entry.name: entry.lines for entry in report.languages}
    assert (languages["Python"], languages["JavaScript"]) == (3, 1)


def test_language_lines_add_up(history: History) -> None:
    history.commit({"a.py": b"1\n2\n", "b.js": b"1\n", "c": b"#!/bin/sh\n"})
    report = analysed(history.write())
    assert {entry.name: entry.lines for entry in report.languages} == {"Python": 2, "JavaScript": 1, "Shell": 1}
    assert sum(entry.lines for entry in report.languages) == report.lines
    assert report.authors[0].languages == {"Python": 2, "JavaScript": 1, "Shell": 1}


def test_folders_are_owned_by_whom_they_have_most_lines_of(history: History) -> None:
    history.commit({"a.py": b"1\n", "x/y/z/deep.py": b"1\n2\n3\n", "x/y/b.py": b"1\n"})
    history.commit({"x/c.py": b"1\n"}, author=b"Ben <ben@example.org>")
    rows = [(entry.path, entry.lines, entry.top_author.name) for entry in analysed(history.write()).ownership]
    assert rows == [("x/y", 4, "Ann"), (".", 1, "Ann"), ("x", 1, "Ben")]


def test_frameworks_come_from_the_inspector(history: History) -> None:
    history.commit({"requirements.txt": b"flask==3.0\n", "app.py": b"from flask import Flask\napp = Flask(__name__)\n"})
    [framework] = analysed(history.write(), frameworks=True).frameworks
    assert (framework.name, framework.path) == ("flask", ".")
    assert framework.evidence
