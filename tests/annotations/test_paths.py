"""Which file of the repository a tool meant; none, rather than a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.annotations.paths import RepositoryPaths
from bot.jobs.deploy.image.build_remarks import build_remarks, workdirs

FILES = (
    "main.py",
    "src/shop/cart.py",
    "services/api/src/app.ts",
    "services/web/src/app.ts",
    "services/web/src/한글 파일.ts",
    "services/web/package.json",
    "docs/my notes.md",
)


@pytest.fixture
def paths() -> RepositoryPaths:
    return RepositoryPaths(FILES, workdirs=["/srv/work/app", "/"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("src/shop/cart.py", "src/shop/cart.py"),
        ("./src/shop/cart.py", "src/shop/cart.py"),
        ("src/shop/../shop/cart.py", "src/shop/cart.py"),
        ("shop/cart.py", "src/shop/cart.py"),
        ("../shop/cart.py", "src/shop/cart.py"),
        ("/srv/work/app/src/shop/cart.py", "src/shop/cart.py"),
        ("/srv/work/app/cart.py", "src/shop/cart.py"),
        ("/code/src/shop/cart.py", "src/shop/cart.py"),
        ("/usr/src/app/main.py", "main.py"),
        ("file:///srv/work/app/main.py", "main.py"),
        ("C:\\app\\src\\shop\\cart.py", "src/shop/cart.py"),
        ("src\\shop\\cart.py", "src/shop/cart.py"),
        ("docs/my notes.md", "docs/my notes.md"),
        ("/srv/work/app/src/한글 파일.ts", "services/web/src/한글 파일.ts"),
        ("example.com/acme/src/shop/cart.py", "src/shop/cart.py"),
    ],
)
def test_a_path_of_the_image_is_found_in_the_repository(paths: RepositoryPaths, written: str, meant: str) -> None:
    assert paths.find(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "src/app.ts",
        "/srv/work/app/src/app.ts",
        "/usr/lib/python3/main.py",
        "/usr/local/lib/python3.12/site-packages/src/shop/cart.py",
        "/srv/work/app/node_modules/left-pad/main.py",
        "/root/go/pkg/mod/example.com/src/shop/cart.py",
        "/opt/python/lib/python3.13/main.py",
        "/rustc/5980/library/main.py",
        "/srv/work/app/deeper/main.py",
        "/a/b/c/d/main.py",
        "deeper/main.py",
        "/srv/work/app/services/mobile/package.json.ts",
        "../../../../etc/passwd",
        "/etc/passwd",
        "src/shop",
        "",
        ".",
        "..",
        "/",
        "//",
        "<frozen runpy>",
        "src/shop/cart.py/" * 100,
        "\x00",
    ],
)
def test_a_path_that_is_of_no_file_or_of_several_is_nobodys(paths: RepositoryPaths, written: str) -> None:
    assert paths.find(written) is None


def test_only_what_was_sent_to_the_build_can_be_meant() -> None:
    paths = RepositoryPaths(FILES, context="services/web", workdirs=["/app"])
    assert paths.find("src/app.ts") == "services/web/src/app.ts"
    assert paths.find("/app/package.json") == "services/web/package.json"
    assert paths.find("main.py") is None


def test_working_directories_are_read_from_the_dockerfile_where_they_are_known() -> None:
    text = (
        "FROM a AS build\nWORKDIR /src\nWORKDIR app\nFROM a\nARG WHERE\nWORKDIR ${WHERE}/x\nWORKDIR '/usr/src/app/'\n"
    )
    assert workdirs(text) == ["/src", "/src/app", "/usr/src/app"]


def test_a_name_that_a_hundred_thousand_folders_have_is_looked_up_as_quickly_as_any() -> None:
    paths = RepositoryPaths([f"packages/p{number}/index.js" for number in range(100_000)])
    assert [paths.find(f"x{number}/index.js") for number in range(20_000)] == [None] * 20_000
    assert paths.find("p777/index.js") == "packages/p777/index.js"
    assert paths.find("index.js") is None


@pytest.mark.parametrize(("made", "lines"), [(False, [1]), (True, [])])
def test_a_dockerfile_that_shipmate_made_is_no_file_of_the_repository(
    tmp_path: Path, made: bool, lines: list[int]
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\n", encoding="utf-8")
    log = ["Dockerfile:1 DL3006 warning: Always tag the version of an image explicitly"]
    assert [one["line"] for one in build_remarks(log, tmp_path, "Dockerfile", ".", made=made)] == lines
