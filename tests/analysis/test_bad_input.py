"""What cannot be analysed is refused with a stable code and a sentence that says what to do."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Permanent, Refused, ShipmateError, Transient, UserMistake
from bot.jobs.analysis.faces.shell import run_analyze
from bot.jobs.analysis.repositories.addresses import check_address, is_public, without_password
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clone import fetch_into
from bot.jobs.analysis.sentences import explain
from tests.analysis.histories import BEN, LINK, SUBMODULE, History, blamed_by_git, git
from tests.analysis.running import MIB, analysed, cold_state, owners, updated


def refusal(repository: Path, **asked: Any) -> ShipmateError:
    """What an analysis raised; its sentence names every fact."""
    with pytest.raises(ShipmateError) as caught:
        analysed(repository, **asked)
    assert "unknown" not in explain(caught.value)
    return caught.value


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    error = refusal(tmp_path / "plain")
    assert (type(error), error.code) == (UserMistake, "not_a_repository")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").code == "not_a_repository"


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert refusal(tmp_path / "file").code == "not_a_repository"


def test_an_empty_repository_has_nothing_to_analyse(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    error = refusal(tmp_path / "empty")
    assert (type(error), error.code) == (UserMistake, "no_commits")


def test_an_unknown_ref_is_named(history: History) -> None:
    history.commit({"a.txt": b"a\n"})
    error = refusal(history.write(), ref="no-such-branch")
    assert error.code == "unknown_ref"
    assert "no-such-branch" in explain(error)


@pytest.mark.parametrize("ref", ["--all", "-x", "HEAD:a.txt", "^HEAD", "", "HEAD..HEAD"])
def test_a_ref_is_one_commit_and_never_an_option(history: History, ref: str) -> None:
    history.commit({"a.txt": b"a\n"})
    assert refusal(history.write(), ref=ref).code == "unknown_ref"


def test_a_commit_without_files_gives_an_empty_report(history: History) -> None:
    history.commit({})
    report = analysed(history.write())
    assert (report.files, report.lines, report.exact) == (0, 0, True)
    assert [entry.commits for entry in report.authors] == [1]


def test_a_shallow_clone_is_refused_since_it_would_not_be_exact(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": b"a\n"})
    history.commit({"a.txt": b"a\nb\n"})
    repository = history.write()
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    error = refusal(tmp_path / "shallow")
    assert (type(error), error.code) == (Refused, "shallow_repository")
    assert "--unshallow" in explain(error)


def test_a_partial_clone_is_refused_and_fetches_nothing(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": b"a\n"})
    repository = history.write()
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{repository}", "partial")
    assert refusal(tmp_path / "partial").code == "partial_clone"


def test_a_damaged_object_is_reported_as_damage(history: History) -> None:
    history.commit({"a.txt": b"one\n" * 50})
    history.commit({"a.txt": b"two\n" * 50})
    repository = history.write()
    damage(repository, git(repository, "rev-parse", "c0:a.txt").decode().strip())
    error = refusal(repository)
    assert (type(error), error.code) == (Permanent, "corrupt_repository")
    assert error.facts["command"] == "git diff-tree"


def test_a_damaged_tree_is_reported_as_damage(history: History) -> None:
    history.commit({"a.txt": b"one\n"})
    history.commit({"b.txt": b"two\n"})
    repository = history.write()
    damage(repository, git(repository, "rev-parse", "c0^{tree}").decode().strip())
    error = refusal(repository)
    assert (error.code, error.facts["command"]) == ("corrupt_repository", "git log")
    assert "git fsck" in explain(error)


@pytest.mark.parametrize("gone", ["c1", "c0^{tree}", "c1:a.txt"])
def test_an_object_that_is_gone_is_reported_as_damage(history: History, gone: str) -> None:
    for text in (b"one\n", b"two\n", b"three\n"):
        history.commit({"a.txt": text})
    repository = history.write()
    loose_object(repository, git(repository, "rev-parse", gone).decode().strip()).unlink()
    error = refusal(repository)
    assert error.code == "corrupt_repository"
    assert "git fsck" in explain(error)


def test_a_newest_commit_that_is_gone_is_told_in_gits_words(history: History) -> None:
    history.commit({"a.txt": b"one\n"})
    repository = history.write()
    loose_object(repository, git(repository, "rev-parse", "c0").decode().strip()).unlink()
    assert "bad object refs/" in explain(refusal(repository))


def test_a_repository_that_is_damaged_elsewhere_is_said_to_be(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": b"one\n"})
    repository = history.write()
    damage(repository, git(repository, "rev-parse", "c0:a.txt").decode().strip())
    with pytest.raises(Permanent) as caught:
        fetch_into(tmp_path / "clone.git", check_address(f"file://{repository}", allow_local=True), "HEAD", Children())
    assert caught.value.code == "corrupt_remote"
    assert "corrupt" in explain(caught.value)


def damage(repository: Path, oid: str) -> None:
    """Overwrite one object with rubbish."""
    loose = loose_object(repository, oid)
    loose.chmod(0o644)
    loose.write_bytes(b"rubbish")


def loose_object(repository: Path, oid: str) -> Path:
    """The file of one object, once all of them are unpacked."""
    pack = next(iter((repository / "objects" / "pack").glob("*.pack")), None)
    if pack is not None:
        moved = repository / "moved.pack"
        pack.rename(moved)
        pack.with_suffix(".idx").unlink()
        git(repository, "unpack-objects", "-q", feed=moved.read_bytes())
    return repository / "objects" / oid[:2] / oid[2:]


def test_many_files_are_no_trouble(history: History) -> None:
    history.commit({f"d{number % 97}/f{number}.txt": b"line\n" for number in range(20_000)})
    history.commit({"d0/f0.txt": b"line\nmore\n"}, author=BEN)
    report = analysed(history.write())
    assert (report.files, report.lines) == (20_000, 20_001)


def test_a_huge_file_is_left_out_and_listed(history: History) -> None:
    history.commit({"small.txt": b"a\n", "huge.txt": b"x\n" * MIB})
    report = analysed(history.write(), max_blob_bytes=MIB)
    assert [(entry.path, entry.reason) for entry in report.excluded] == [("huge.txt", "too_large")]
    assert report.lines == 1
    assert report.warnings


def test_a_file_that_once_was_huge_is_left_out_and_listed(history: History) -> None:
    history.commit({"a.txt": b"x\n" * MIB, "b.txt": b"b\n"})
    history.commit({"a.txt": b"x\n"}, author=BEN)
    history.commit({"a.txt": b"x\ny\n"}, author=BEN)
    report = analysed(history.write(), max_blob_bytes=MIB)
    assert [(entry.path, entry.reason) for entry in report.excluded] == [("a.txt", "history_too_large")]
    assert report.lines == 1


def test_a_commit_of_a_million_lines_is_counted(history: History) -> None:
    history.commit({"big.txt": b"".join(b"%d\n" % number for number in range(1_000_000))})
    history.commit({"big.txt": b"".join(b"%d\n" % number for number in range(500_000, 1_000_000))}, author=BEN)
    report = analysed(history.write(), oracle_files=1)
    assert (report.lines, report.proof.asked, report.proof.differing) == (500_000, 1, ())


def test_names_that_are_no_utf8_show_as_readable_text(history: History) -> None:
    history.commit({b"caf\xe9.txt": b"a\n"}, author=b"Ren\xe9 <rene@example.org>")
    report = analysed(history.write(), per_file=True)
    assert json.loads(json.dumps(report.to_json()))["perFile"] == {"caf\ufffd.txt": {"Ren\ufffd <rene@example.org>": 1}}


def test_names_that_read_alike_lose_none_of_their_lines(history: History) -> None:
    history.commit({b"caf\xe9.py": b"a\nb\n", b"caf\xe8.py": b"a\n"})
    report = analysed(history.write(), per_file=True)
    assert report.per_file == {"caf\ufffd.py": {"Ann <ann@example.org>": 3}}


def test_attributes_hold_for_names_that_are_no_utf8(history: History) -> None:
    history.commit({b"caf\xe9.py": b"a\n", "own.c": b"b\n", ".gitattributes": b"*.py linguist-generated\n"})
    left_out = {(entry.path, entry.reason) for entry in analysed(history.write(), all_files=False).excluded}
    assert ("caf\ufffd.py", "generated") in left_out


def test_a_mailmap_with_a_loop_ends(history: History) -> None:
    loop = b"Ben <ben@example.org> Ann <ann@example.org>\nAnn <ann@example.org> Ben <ben@example.org>\n"
    history.commit({".mailmap": loop, "a.txt": b"a\n"})
    report = analysed(history.write())
    assert [str(entry.author) for entry in report.authors] == ["Ben <ben@example.org>"]


def test_settings_of_the_repository_change_nothing(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": b"one\n\n\ntwo\n", ".gitattributes": b"*.txt -diff\n"})
    history.commit({"a.txt": b"one\n\n\n\ntwo\n"}, author=BEN)
    repository = history.write()
    told = owners(cold_state(repository))
    ran = tmp_path / "ran"
    for name, value in {
        "diff.algorithm": "patience",
        "diff.noprefix": "true",
        "diff.external": f"touch {ran}",
        "diff.renames": "copies",
        "blame.ignoreRevsFile": "/no/such/file",
        "core.fsmonitor": f"touch {ran}",
        "color.ui": "always",
        "log.showSignature": "true",
    }.items():
        git(repository, "config", name, value)
    (repository / "info").mkdir(exist_ok=True)
    (repository / "info" / "attributes").write_text("*.txt binary\n")
    assert owners(cold_state(repository)) == told
    assert not ran.exists()


def test_replace_refs_and_grafts_are_not_followed(history: History) -> None:
    root = history.commit({"a.txt": b"one\n"})
    history.commit({"a.txt": b"one\ntwo\n"}, author=BEN)
    other = history.commit({"a.txt": b"other\n"}, [])
    history.commit({"a.txt": b"one\ntwo\nthree\n"}, [root + 1])
    repository = history.write()
    told = blamed_by_git(repository)
    git(repository, "replace", f"c{root + 1}", f"c{other}")
    (repository / "info").mkdir(exist_ok=True)
    (repository / "info" / "grafts").write_bytes(git(repository, "rev-parse", "HEAD"))  # as if it had no parent
    assert owners(cold_state(repository)) == told
    assert owners(updated(cold_state(repository, f"c{root + 1}"), repository)) == told


def test_a_commit_dated_beyond_all_calendars_counts_like_any_other(history: History) -> None:
    history.commit({"a.txt": b"one\n"})
    repository = history.write()
    told = git(repository, "cat-file", "commit", "HEAD").replace(b" 1600003600 ", b" 99999999999999999999 ")
    head = git(repository, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", feed=told).decode().strip()
    git(repository, "update-ref", "refs/heads/main", head)
    report = analysed(repository)
    assert [(author.commits, author.lines) for author in report.authors] == [(1, 1)]
    assert report.week[-1].start.year == 9999


REFUSED_ON_A_SERVER = [
    "file:///etc",
    "/srv/repository",
    "http://github.com/acme/api",
    "ssh://git@github.com/acme/api",
    "git://github.com/acme/api",
    "ext::sh -c id",
    "git@github.com:acme/api.git",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://[::ffff:10.0.0.1]/x",
    "https://[64:ff9b::a00:1]/x",
    "https://10.1.2.3/x",
    "https://169.254.169.254/latest/meta-data",
    "https://192.168.0.1:8443/x",
    "https://100.64.0.1/x",
    "https://0.0.0.0/x",
    "https://2130706433/x",
    "https://user:password@93.184.216.34/x",
    "https://93.184.216.34:notaport/x",
    "https://[half/x",
    "https:///x",
    "",
]


@pytest.mark.parametrize("url", REFUSED_ON_A_SERVER)
def test_a_server_clones_no_address_that_is_not_public(url: str) -> None:
    with pytest.raises(Refused) as caught:
        check_address(url, allow_local=False)
    assert caught.value.code == "address_not_allowed"
    assert "password" not in explain(caught.value)


def test_a_public_address_is_cloned_from_the_very_host_that_was_checked() -> None:
    address = check_address("https://93.184.216.34/acme/api", allow_local=False)
    assert address.protocols == "https"
    assert ("http.curloptResolve", "93.184.216.34:443:93.184.216.34") in address.settings
    assert ("http.followRedirects", "false") in address.settings


def test_a_trusted_origin_may_be_anywhere() -> None:
    trusted = frozenset({"http://127.0.0.1:9999"})
    assert check_address("http://127.0.0.1:9999/acme/api", allow_local=False, trusted=trusted).protocols == "http"
    with pytest.raises(Refused):
        check_address("http://127.0.0.1:9998/acme/api", allow_local=False, trusted=trusted)


@pytest.mark.parametrize("address", ["224.0.0.1", "fe80::1%eth0", "fc00::1", "2002:7f00:1::"])
def test_addresses_inside_other_addresses_are_seen_through(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url", ["https://[bad/x", "https://example.org:port/x", "ftp://example.org/x"])
def test_an_address_git_has_no_way_to_is_refused_from_a_shell_too(url: str) -> None:
    with pytest.raises(Refused) as caught:
        check_address(url, allow_local=True)
    assert caught.value.code == "address_not_allowed"


def test_an_address_is_shown_without_its_password() -> None:
    assert without_password("https://me:secret@host.example/x") == "https://host.example/x"


PAGE = b"<!doctype html><html><title>A page</title><body>Nothing to clone here.</body></html>\n"


@pytest.fixture
def website() -> Iterator[str]:
    """A server that knows no repository: `/locked` wants a password, everything else is missing or a page."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = 401 if self.path.startswith("/locked") else 200 if self.path.startswith("/page") else 404
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "code"),
    [("page", "not_a_repository"), ("locked", "credentials_needed"), ("missing", "credentials_needed")],
)
def test_a_url_that_cannot_be_cloned_says_why(website: str, tmp_path: Path, path: str, code: str) -> None:
    with pytest.raises(UserMistake) as caught:
        fetch_into(tmp_path / "clone.git", check_address(f"{website}/{path}", allow_local=True), "HEAD", Children())
    assert caught.value.code == code
    assert website in explain(caught.value)


def test_a_host_that_does_not_answer_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(Transient) as caught:
        fetch_into(tmp_path / "clone.git", check_address("http://127.0.0.1:1/x", allow_local=True), "HEAD", Children())
    assert caught.value.code == "host_unreachable"


def test_bad_input_leaves_the_shell_with_two_and_a_sentence(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert run_analyze(str(tmp_path), out=out, err=err) == 2
    assert out.getvalue() == ""
    assert "is no git repository" in err.getvalue()


def test_a_date_that_is_none_is_bad_input(tmp_path: Path) -> None:
    err = io.StringIO()
    assert run_analyze(str(tmp_path), since="yesterday", out=io.StringIO(), err=err) == 2
    assert "2026-01-31" in err.getvalue()


def test_a_repository_with_sha256_ids_is_cloned_and_fetched_again(tmp_path: Path) -> None:
    history = History(tmp_path / "new.git", object_format="sha256")
    history.commit({"a.py": b"a\n"})
    address, clone = check_address(f"file://{history.write()}", allow_local=True), tmp_path / "clone.git"
    for _ in range(2):
        local = fetch_into(clone, address, "main", Children())
        report = analysed(clone, ref=local)
        assert (report.lines, len(report.head)) == (1, 64)


def write_object(repository: Path, kind: str, body: bytes) -> bytes:
    """Store an object as it is, however odd; its id."""
    return git(repository, "hash-object", "-t", kind, "-w", "--stdin", "--literally", feed=body).strip()


@pytest.mark.parametrize(
    "author",
    [
        b"author  <> 1600000000 +0000\n",
        b"author Foo 1600000000 +0000\n",
        b"author Foo <foo@example.org>\n",
        b"author Foo <foo@example.org> -1000000 +0000\n",
        b"author Foo <foo@example.org> 0 +0000\n",
        b"author Foo <foo@example.org> 7258118400 +0000\n",
        b"author Foo <foo@example.org> 18446744073709551615 +0000\n",
        b"author Foo <foo@example.org> 99999999999999999999999999 +0000\n",
        b"author Foo <foo@example.org> 1600000000 +9999999\n",
        b"author Foo <<foo@example.org>> <bar> 1600000000 +0000\n",
        b"author F\1oo\x1b[31m <foo@example.org> 1600000000 +0000\n",
        b"",
    ],
)
def test_an_author_without_name_mail_or_date_is_one_all_the_same(history: History, author: bytes) -> None:
    history.commit({"a.txt": b"one\n"})
    repository = history.write()
    blob = write_object(repository, "blob", b"one\ntwo\n")
    tree = git(repository, "mktree", feed=b"100644 blob %s\ta.txt\n" % blob).strip()
    head = git(repository, "rev-parse", "HEAD").strip()
    committer = b"committer Bar <bar@example.org> 1600000000 +0000\n"
    commit = write_object(repository, "commit", b"tree %s\nparent %s\n%s%s\nm\n" % (tree, head, author, committer))
    git(repository, "update-ref", "refs/heads/main", commit)
    assert owners(cold_state(repository)) == blamed_by_git(repository)
    report = analysed(repository)
    assert (report.lines, report.exact) == (2, True)
    assert json.loads(json.dumps(report.to_json()))["lines"] == 2


def test_a_commit_with_fifty_parents_is_followed_into_each(history: History) -> None:
    song = b"".join(b"line %d\n" % number for number in range(20))
    root = history.commit({"a.txt": song})
    arms = [history.commit({f"f{n}.txt": song, "a.txt": b"%d\n" % n + song}, [root], author=BEN) for n in range(50)]
    joined = {f"f{n}.txt": song + b"end\n" for n in range(50)}
    history.commit({**joined, "a.txt": b"".join(b"%d\n" % n for n in range(50)) + song}, arms)
    repository = history.write()
    assert owners(cold_state(repository)) == blamed_by_git(repository)


@pytest.mark.parametrize("mailmap", [(LINK, b"/etc/passwd"), b"\0\xff" * 2_500, b"A <" + b"a" * 100_000 + b"> <b>\n"])
def test_a_mailmap_that_is_none_renames_nobody(history: History, mailmap: Any) -> None:
    history.commit({"a.txt": b"a\n", ".mailmap": mailmap})
    assert [str(entry.author) for entry in analysed(history.write()).authors] == ["Ann <ann@example.org>"]


def test_a_repository_of_nothing_but_submodules_has_no_lines(history: History) -> None:
    history.commit({"one": (SUBMODULE, b"1" * 40), "two": (SUBMODULE, b"2" * 40)})
    report = analysed(history.write())
    assert (report.files, report.lines) == (0, 0)


def test_a_pointer_to_a_large_file_is_the_lines_it_has(history: History) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % (b"a" * 64)
    history.commit({"film.bin": pointer, ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    assert analysed(history.write()).lines == 4


def test_borrowed_objects_and_worktrees_are_found(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": b"one\n"})
    history.commit({"a.txt": b"one\ntwo\n"}, author=BEN)
    repository = history.write()
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(repository), "borrows.git")
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(tmp_path / "borrows.git"), "again.git")
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(repository), "nearby.git")
    (tmp_path / "nearby.git" / "objects" / "info" / "alternates").write_text("../../repository.git/objects\n")
    git(tmp_path / "borrows.git", "worktree", "add", "--quiet", str(tmp_path / "tree"), "HEAD")
    for place in ("borrows.git", "again.git", "nearby.git", "tree"):
        assert analysed(tmp_path / place).lines == 2
