"""Clones come, are kept, and outlive what the other side, the disk or a killed process does to them."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bot.errors import Permanent, Refused, ShipmateError, Transient, UserMistake
from bot.jobs.analysis.repositories import clone as cloning
from bot.jobs.analysis.repositories import folders
from bot.jobs.analysis.repositories.addresses import Address, check_address
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clone import fetch_into
from bot.jobs.analysis.repositories.clones import Clones
from bot.jobs.analysis.repositories.git import base_environment
from bot.jobs.analysis.repositories.sizes import file_bytes, folder_bytes, last_used
from bot.jobs.analysis.runs.threads import in_a_thread
from bot.jobs.analysis.sentences import explain
from tests.analysis.histories import History, git
from tests.analysis.running import analysed
from tests.processes import gone

SONG = b"".join(b"line %d\n" % number for number in range(30))


@pytest.fixture
def repository(history: History) -> Path:
    """Two commits (`c0` and `c1`), a tag of a tag, and tags of what is no commit."""
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG + b"end\n"})
    path = history.write()
    someone = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "advice.nestedTag=false")
    git(path, *someone, "tag", "-a", "-m", "one", "v1", "HEAD")
    git(path, *someone, "tag", "-a", "-m", "two", "tag-of-a-tag", "v1")
    git(path, "tag", "file", "HEAD:a.txt")
    git(path, "tag", "folder", "HEAD^{tree}")
    return path


def address_of(path: Path) -> Address:
    return check_address(f"file://{path}", allow_local=True)


def fetched(clones: Clones, path: Path, ref: str = "HEAD") -> Path:
    """The clone after one more fetch."""
    return cloned(clones, address_of(path), Children(), ref)


def cloned(clones: Clones, address: Address, children: Children, ref: str = "HEAD") -> Path:
    """The same of any address, stopped with the children."""
    with clones.fetched(address, ref, children) as (clone, _):
        return clone


def refusal(fetch: Callable[[], object]) -> ShipmateError:
    """What it raised; its sentence names every fact."""
    with pytest.raises(ShipmateError) as caught:
        fetch()
    assert "unknown" not in explain(caught.value)
    return caught.value


def test_what_commits_changed_is_noted_once_a_clone_is_used_again(repository: Path, tmp_path: Path) -> None:
    clones = Clones(tmp_path / "clones")
    told, noted = [], []
    for commit in ("c0", "c1", "c1"):
        clone = fetched(clones, repository, f"refs/heads/{commit}")
        head = git(repository, "rev-parse", commit).decode().strip()
        told.append([entry.lines for entry in analysed(clone, ref=head).authors])
        noted.append(b"".join(graph.read_bytes() for graph in clone.glob("objects/info/commit-graphs/*.graph")))
    assert told == [[30], [31], [31]]
    assert not noted[0]
    assert b"BIDX" in noted[1]  # the index of changed paths, gitformat-commit-graph(5)
    assert noted[2] == noted[1]


def test_notes_that_a_killed_git_began_are_begun_anew(repository: Path, tmp_path: Path) -> None:
    clones = Clones(tmp_path / "clones")
    graphs = fetched(clones, repository) / "objects" / "info" / "commit-graphs"
    graphs.mkdir(parents=True)
    left = [graphs / "commit-graph-chain.lock", graphs / "tmp_graph_x1y2z3"]
    for file in left:
        file.write_bytes(b"half of it")
    fetched(clones, repository)
    assert list(graphs.glob("*.graph"))
    assert not any(file.exists() for file in left)


@pytest.mark.parametrize(
    "ref", ["", "+main", "^main", "a:b", "refs/heads/*", "ma in", "HEAD~1", "--all", "nowhere", "f" * 40]
)
def test_what_is_no_name_over_there_is_an_unknown_commit(repository: Path, tmp_path: Path, ref: str) -> None:
    error = refusal(lambda: fetch_into(tmp_path / "clone.git", address_of(repository), ref, Children()))
    assert (type(error), error.code, error.facts["ref"]) == (UserMistake, "unknown_ref", ref)


def test_a_tag_of_a_tag_leads_to_its_commit(repository: Path, tmp_path: Path) -> None:
    local = fetch_into(tmp_path / "clone.git", address_of(repository), "tag-of-a-tag", Children())
    assert analysed(tmp_path / "clone.git", ref=local).lines == analysed(repository, ref="tag-of-a-tag").lines == 31


@pytest.mark.parametrize("ref", ["file", "folder"])
def test_a_tag_of_what_is_no_commit_is_named_as_it_was_asked_for(repository: Path, tmp_path: Path, ref: str) -> None:
    error = refusal(lambda: fetch_into(tmp_path / "clone.git", address_of(repository), ref, Children()))
    assert (error.code, error.facts["ref"]) == ("unknown_ref", ref)
    assert refusal(lambda: analysed(repository, ref=ref)).code == "unknown_ref"


def test_a_repository_that_is_shallow_over_there_is_refused(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", "--depth=1", f"file://{repository}", "shallow.git")
    error = refusal(lambda: fetched(Clones(tmp_path / "clones"), tmp_path / "shallow.git"))
    assert (type(error), error.code) == (Refused, "shallow_repository")


Answer = Callable[[http.server.BaseHTTPRequestHandler], object]
GIT = "application/x-git-upload-pack-advertisement"


@contextlib.contextmanager
def site(answer: Answer) -> Iterator[str]:
    """A server that answers everything the same way; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_CONNECT(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answering(status: int, body: bytes = b"", *, length: int | None = None, kind: str = GIT, **headers: str) -> Answer:
    """An answer as a git server's, or one that claims another length than it has."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (answering(301, Location="/elsewhere/info/refs"), UserMistake, "repository_moved"),
        (answering(410), Permanent, "clone_failed"),
        (answering(429), Transient, "host_unreachable"),
        (answering(503), Transient, "host_unreachable"),
        (answering(200, b"001e# serv", length=4000), Transient, "host_unreachable"),
        (answering(200, b"001e# service=git-upload-pack\n0000zzzz"), Permanent, "clone_failed"),
        (answering(200, b"\0\xff rubbish" * 99), Permanent, "clone_failed"),
    ],
    ids=["moved", "gone", "too-many", "down", "cut-short", "nonsense", "rubbish"],
)
def test_what_a_server_answers_is_understood(
    tmp_path: Path, answer: Answer, kind: type[ShipmateError], code: str
) -> None:
    with site(answer) as url:
        address = check_address(f"{url}/a/b", allow_local=False, trusted=frozenset({url}))
        error = refusal(lambda: fetch_into(tmp_path / "clone.git", address, "HEAD", Children(), token="secret"))
    assert (type(error), error.code) == (kind, code)
    assert "secret" not in explain(error)


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloning, "LOW_SPEED_S", 1)
    given_up = threading.Event()
    with site(lambda _: given_up.wait(30)) as url:
        address = check_address(f"{url}/a/b", allow_local=True)
        error = refusal(lambda: fetch_into(tmp_path / "clone.git", address, "HEAD", Children()))
        given_up.set()
    assert (type(error), error.code) == (Transient, "host_unreachable")


async def test_a_clone_is_cancelled_while_its_server_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.analysis.repositories.children.has_terminal", lambda: False)
    asked, let_go, answered = threading.Event(), threading.Event(), threading.Event()

    def say_nothing(_: object) -> None:
        asked.set()
        let_go.wait(30)
        answered.set()

    with site(say_nothing) as url:
        address = check_address(f"{url}/a/b", allow_local=True)
        task = asyncio.create_task(in_a_thread(lambda children: cloned(Clones(tmp_path), address, children)))
        assert await asyncio.to_thread(asked.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not answered.is_set(), "git was waited for"
        assert await asyncio.to_thread(gone, url.encode()), "a helper of git's stayed"
        let_go.set()
    Clones(tmp_path).forget(address, Children())
    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("*.git")))


async def test_who_waits_for_a_clone_in_use_can_be_cancelled(repository: Path, tmp_path: Path) -> None:
    address, clones = address_of(repository), Clones(tmp_path)
    with clones.fetched(address, "main", Children()):
        task = asyncio.create_task(in_a_thread(lambda children: cloned(clones, address, children)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert fetched(clones, repository).exists()


def test_a_clone_goes_through_the_proxy_that_is_named(tmp_path: Path) -> None:
    asked: list[str] = []

    def remember(request: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(f"{request.command} {request.path}")
        answering(502)(request)

    with site(remember) as proxy:
        way_out = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": "near.example"}
        for url in ("http://git.example/acme/api", "https://93.184.216.34/acme/api"):
            address = check_address(url, allow_local=url.startswith("http:"), way_out=way_out)
            error = refusal(lambda address=address: fetch_into(tmp_path / "c.git", address, "HEAD", Children()))  # type: ignore[misc]
            assert error.code == "host_unreachable"
    assert asked == [
        "GET http://git.example/acme/api/info/refs?service=git-upload-pack",
        "CONNECT 93.184.216.34:443",
    ]


def test_a_server_that_speaks_nonsense_costs_no_kept_clone(repository: Path, tmp_path: Path) -> None:
    git(repository, "update-server-info")
    speaks_nonsense, clones = threading.Event(), Clones(tmp_path / "clones")

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        file = repository / request.path.partition("?")[0].lstrip("/")
        if speaks_nonsense.is_set():
            answering(200, b"zzzz nonsense")(request)
        elif file.is_file():
            answering(200, file.read_bytes(), kind="text/plain")(request)
        else:
            answering(404)(request)

    with site(answer) as url:
        address = check_address(url, allow_local=True)
        with clones.fetched(address, "HEAD", Children()) as (clone, local):
            pass
        speaks_nonsense.set()
        error = refusal(lambda: clones.fetched(address, "HEAD", Children()).__enter__())
    assert error.code == "clone_failed"
    assert analysed(clone, ref=local).lines == 31


def test_a_repository_that_vanished_is_told_and_its_clone_kept(repository: Path, tmp_path: Path) -> None:
    clones = Clones(tmp_path / "clones")
    clone = fetched(clones, repository)
    repository.rename(tmp_path / "moved.git")
    assert refusal(lambda: fetched(clones, repository)).code == "not_a_repository"
    assert clone.exists()


def test_what_cannot_be_cloned_leaves_nothing(repository: Path, tmp_path: Path) -> None:
    clones = Clones(tmp_path / "clones")
    refusal(lambda: fetched(clones, tmp_path / "nowhere.git"))
    refusal(lambda: fetched(clones, repository, "no-such-branch"))
    assert list((tmp_path / "clones").glob("*.git")) == []


def test_what_a_killed_fetch_left_is_removed_by_the_next(repository: Path, tmp_path: Path) -> None:
    clones = Clones(tmp_path / "clones")
    clone = fetched(clones, repository)
    half, beside = clone / "objects" / "pack" / "tmp_pack_x", clone.with_suffix(".fresh")
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    shutil.copytree(clone, beside)
    fetched(clones, repository)
    assert (half.exists(), beside.exists()) == (False, False)


FULL = "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output"


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git whose fetches find the disk full, with git's own words, for as long as the file that is returned exists."""
    real, programs, is_full = shutil.which("git"), tmp_path / "programs", tmp_path / "full"
    programs.mkdir()
    script = (
        f'#!/bin/sh\ncase " $* " in *" fetch "*) if [ -e {is_full} ]; then\nprintf "{FULL}" >&2\nexit 128; fi;; esac\n'
    )
    (programs / "git").write_text(f'{script}exec {real} "$@"\n')
    (programs / "git").chmod(0o755)
    path = f"{programs}:{base_environment()['PATH']}"
    monkeypatch.setattr(cloning, "base_environment", lambda: {**base_environment(), "PATH": path})
    return is_full


def test_a_full_disk_is_told(repository: Path, tmp_path: Path, full_disk: Path) -> None:
    full_disk.touch()
    error = refusal(lambda: fetched(Clones(tmp_path / "clones"), repository))
    assert (type(error), error.code) == (Permanent, "disk_full")
    assert "free some space" in explain(error)


def test_a_full_disk_is_emptied_of_clones_that_nobody_uses(
    repository: Path, tmp_path: Path, full_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = History(tmp_path / "other.git")
    other.commit({"b.txt": SONG})
    clones = Clones(tmp_path / "clones")
    unused, clone = fetched(clones, other.write()), fetched(clones, repository)
    full_disk.touch()
    remove = shutil.rmtree

    def emptied(path: Path, *, ignore_errors: bool = False) -> None:
        remove(path, ignore_errors=ignore_errors)
        if path == unused:
            full_disk.unlink()

    monkeypatch.setattr(shutil, "rmtree", emptied)
    assert fetched(clones, repository) == clone
    assert not unused.exists()


def test_a_disk_that_is_full_over_there_is_no_fault_of_ours(tmp_path: Path, history: History) -> None:
    history.commit({"a.txt": SONG})
    repository = history.write()
    told = "remote: fatal: No space left on device\nfatal: the remote end hung up unexpectedly"
    error = cloning._why(told, address_of(repository), "HEAD")
    assert (type(error), error.code) == (Transient, "host_unreachable")


def test_what_another_process_removes_while_it_is_measured_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert (file_bytes(tmp_path / "gone"), last_used(tmp_path / "gone")) == (0, 0.0)
    assert folder_bytes(tmp_path) == 5
    assert folder_bytes(tmp_path / "gone") == 0


def test_a_small_memory_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folders, "ENOUGH_BYTES", 1 << 62)
    assert folders.private_folder().parent == tmp_path


def turn(clones: Clones, path: Path) -> AbstractContextManager[tuple[Path, str]]:
    return clones.fetched(address_of(path), "HEAD", Children())


def test_a_clone_in_use_is_never_removed(repository: Path, tmp_path: Path) -> None:
    other = History(tmp_path / "other.git")
    other.commit({"b.txt": SONG})
    clones = Clones(tmp_path / "clones", disk_bytes=1)
    with turn(clones, repository) as (used, _):
        os.utime(used, (0, 0))
        fetched(clones, other.write())
        assert used.exists()
