"""A remote tree is inspected in three calls, with the same answer as a local one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from bot.inspect.inspection import inspect_tree
from bot.inspect.remote import inspect_remote, read_remote, wanted
from bot.inspect.tree import REMOTE_READS, ListingTree
from tests.inspect.samples import SAMPLES


class Remote:
    """An API that counts its calls and the files they ask for."""

    def __init__(self, files: Mapping[str, str], paths: Sequence[str] = (), *, cut: bool = False) -> None:
        self.files = {path: text.encode() for path, text in files.items()}
        self._paths = [*paths, *files]
        self._cut = cut
        self.calls = 0
        self.read: list[str] = []

    async def paths(self) -> Sequence[str]:
        self.calls += 1
        return self._paths

    async def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        self.calls += 1
        self.read += paths
        return {path: self.files[path] for path in paths if path in self.files}

    def truncated(self) -> bool:
        return self._cut


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_sample_is_inspected_in_three_calls_with_the_same_answer(name: str) -> None:
    remote = Remote(SAMPLES[name].files)
    inspection = await inspect_remote(remote)
    assert inspection.to_json() == inspect_tree(SAMPLES[name].tree()).to_json()
    assert remote.calls <= 3


async def test_no_file_is_asked_for_twice_and_never_more_than_the_budget() -> None:
    files = {f"svc{n}/package.json": '{"scripts": {"start": "node server.js"}}' for n in range(50)}
    files |= {f"svc{n}/server.js": "x.listen(3000)" for n in range(50)}
    remote = Remote(files)
    await inspect_remote(remote)
    assert len(remote.read) == len(set(remote.read)) <= REMOTE_READS
    assert remote.calls == 3


async def test_a_cut_list_of_paths_is_said() -> None:
    inspection = await inspect_remote(Remote({"index.html": "x"}, cut=True))
    assert "tree_truncated" in {notice.code for notice in inspection.warnings}


async def test_what_was_read_serves_generation_too() -> None:
    tree = await read_remote(Remote(SAMPLES["fastapi"].files))
    assert isinstance(tree, ListingTree)
    assert tree.read("main.py") is not None


def test_the_first_round_asks_for_manifests_and_the_second_for_sources() -> None:
    paths = ["README.md", "requirements.txt", "main.py", "docs/requirements.txt", "lib/deep/util.py"]
    first = wanted(paths)
    assert first == ["requirements.txt", "docs/requirements.txt"]
    second = wanted(paths, {"requirements.txt": b"fastapi\n", "docs/requirements.txt": b""})
    assert "main.py" in second
    assert not set(first) & set(second)


async def test_a_go_program_that_embeds_its_site_is_seen_in_three_calls_too() -> None:
    vite = '{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}'
    files = {"go.mod": "module x\n", "examples/base/main.go": "package main\n", "ui/package.json": vite}
    files |= {"ui/index.html": "", "ui/embed.go": "package ui\n\n//go:embed all:dist\nvar Dist embed.FS\n"}
    remote = Remote(files)
    found = await inspect_remote(remote)
    assert found.to_json() == inspect_tree(ListingTree([], files)).to_json()
    assert [app.path for app in found.apps] == ["."]
    assert remote.calls <= 3
