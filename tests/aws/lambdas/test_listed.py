"""What is decided from a listing is what a checkout of the same commit decides, or is left to the checkout."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aws.lambdas.listed import recipe_in
from bot.errors import Permanent
from bot.inspect.tree import ListingTree
from bot.jobs.deploy.image.recipe import recipe_of

SAMPLES = Path(__file__).parents[3] / "bot/sandbox/samples"
FLASK = "from flask import Flask\napp = Flask(__name__)\napp.run(port=8000)\n"
Files = Mapping[str, str]

PLAIN: dict[str, tuple[Files, dict[str, Any]]] = {
    "a Dockerfile at the root": ({"Dockerfile": "FROM scratch\nCMD x\n", "app.py": FLASK}, {}),
    "one under docker": ({"docker/Dockerfile": "FROM scratch\nCOPY app.py .\nCMD x\n", "app.py": FLASK}, {}),
    "the one that is set": (
        {"Dockerfile": "FROM scratch\n", "ship/Other": "FROM scratch\nCMD y\n"},
        {"dockerfile": "ship/Other", "context": "ship"},
    ),
    "a generated one": ({"requirements.txt": "flask==3.0\n", "app.py": FLASK}, {}),
    "a generated one beside an ignore file": (
        {"requirements.txt": "flask==3.0\n", "app.py": FLASK, ".dockerignore": "x\n"},
        {},
    ),
    "the application that is named": (
        {
            f"{name}/{file}": text
            for name in ("one", "two")
            for file, text in {"requirements.txt": "flask\n", "app.py": FLASK}.items()
        },
        {"path": "two"},
    ),
    "what the settings say": (
        {"main.py": "print('hello')\n"},
        {"language": "python", "start": "python main.py", "port": 9000},
    ),
}
LEFT: dict[str, tuple[Files, dict[str, Any]]] = {
    "nothing to build": ({"README.md": "hello\n"}, {}),
    "several that may be meant": (PLAIN["the application that is named"][0], {}),
    "a Dockerfile that is not there": ({"app.py": FLASK}, {"dockerfile": "Missing"}),
    "a path without an application": ({"Dockerfile": "FROM scratch\n"}, {"path": "nowhere"}),
    "a context that is not there": ({"Dockerfile": "FROM scratch\n"}, {"context": "nowhere"}),
}


def written(files: Files, into: Path) -> Path:
    for path, text in files.items():
        place = into / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return into


def listing(folder: Path) -> ListingTree:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return ListingTree(list(files), files)


def compare(folder: Path, build: dict[str, Any], checkout: Path) -> None:
    listed = recipe_in(listing(folder), build)
    shutil.copytree(folder, checkout)
    theirs = recipe_of(checkout, build, buildkit=True)
    assert listed is not None
    assert (listed.dockerfile, listed.context) == (theirs.dockerfile, theirs.context)
    assert dict(listed.files) == {path: (checkout / path).read_text(encoding="utf-8") for path in theirs.written}


@pytest.mark.parametrize("case", PLAIN)
def test_what_is_plain_is_decided_as_a_checkout_decides_it(case: str, tmp_path: Path) -> None:
    files, build = PLAIN[case]
    compare(written(files, tmp_path / "tree"), build, tmp_path / "checkout")


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir() if path.is_dir()))
def test_so_is_every_sample(sample: str, tmp_path: Path) -> None:
    compare(SAMPLES / sample, {}, tmp_path / "checkout")


@pytest.mark.parametrize("case", LEFT)
def test_what_a_checkout_refuses_is_left_to_it(case: str, tmp_path: Path) -> None:
    files, build = LEFT[case]
    folder = written(files, tmp_path / "tree")
    assert recipe_in(listing(folder), build) is None
    with pytest.raises(Permanent):
        recipe_of(folder, build, buildkit=True)


def test_a_listing_that_was_cut_or_a_file_that_was_not_read_is_left_to_a_checkout() -> None:
    files = {"requirements.txt": "flask==3.0\n", "app.py": FLASK}
    assert recipe_in(ListingTree(list(files), files), {}) is not None
    assert recipe_in(ListingTree(list(files), files, truncated=True), {}) is None
    assert recipe_in(ListingTree(list(files), {"app.py": FLASK}), {}) is None


def test_a_name_that_is_taken_is_left_to_a_checkout() -> None:
    files = {"requirements.txt": "flask==3.0\n", "app.py": FLASK, "Dockerfile/notes.txt": "a folder\n"}
    assert recipe_in(ListingTree(list(files), files), {}) is None
