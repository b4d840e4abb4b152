"""What is sent as a build context: Docker's rules for leaving out, and a tar that follows no link."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from pathlib import Path

import pytest

from bot.engines.docker.context import context_members
from bot.engines.docker.ignore import IgnoreRules
from bot.engines.docker.tar import CHUNK_BYTES, tar_pieces, tar_stream
from bot.errors import Permanent

TABLE = [  # the cases of moby/patternmatcher that a path of a repository can be, and of Docker's documentation
    ("**", "file", True),
    ("**", "dir/file", True),
    ("**/", "file", True),
    ("**/**", "dir/file", True),
    ("dir/**", "dir/file", True),
    ("dir/**", "dir/dir2/file", True),
    ("dir/**", "dir", False),
    ("**/dir", "dir/file", True),
    ("**/dir2/*", "dir/dir2/dir2/file", True),
    ("**file", "dir/dir/file", True),
    ("**/file", "dir/dir/file", True),
    ("**/file*", "dir/dir/file.txt", True),
    ("**/file*txt", "dir/dir/file.txt", True),
    ("**/file*.txt*", "dir/dir/file.txt", True),
    ("**/**/*.txt", "dir/dir/file.txt", True),
    ("**/**/*.txt2", "dir/dir/file.txt", False),
    ("**/*.txt", "file.txt", True),
    ("a**/*.txt", "a/file.txt", True),
    ("a**/*.txt", "a/dir/file.txt", False),
    ("a/*.txt", "a/file.txt", True),
    ("a/*.txt", "a/dir/file.txt", False),
    ("a[b-d]e", "ace", True),
    ("a[b-d]e", "aae", False),
    ("a[^b-d]e", "aze", True),
    ("abc.def", "abcdef", False),
    ("abc?def", "abcZdef", True),
    ("abc?def", "abcdef", False),
    (r"a\*b", "a*b", True),
    (r"a\*b", "axb", False),
    ("(x)+{1}", "(x)+{1}", True),
    ("/docs/", "docs/a/b.md", True),
    ("./docs", "docs", True),
    ("docs", "src/docs", False),
    ("docs/../src", "src/a", True),
    ("*/temp*", "somedir/temporary.txt", True),
    ("*/*/temp*", "somedir/subdir/temporary.txt", True),
    ("*.md\n!README.md", "README.md", False),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
    ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
    ("dir\n!dir/file", "dir/file", False),
    ("dir\n!dir/file", "dir/other", True),
    ("*\n!**/*.go", "a/b/c.go", False),
    ("# comment\n\n  spaced  ", "spaced", True),
    ("\ufefffirst", "first", True),
    ("한글*", "한글.txt", True),
]


@pytest.mark.parametrize(("text", "path", "left_out"), TABLE)
def test_dockerignore_leaves_out_what_docker_leaves_out(text: str, path: str, left_out: bool) -> None:
    assert IgnoreRules(text).leaves_out(path) is left_out


@pytest.mark.parametrize("line", ["!", "[", "a[b-", "a[z-a]", "a\\"])
def test_a_pattern_that_cannot_be_read_is_shown_to_who_wrote_it(line: str) -> None:
    with pytest.raises(Permanent) as failed:
        IgnoreRules(f"ok\n{line}")
    assert line in failed.value.facts["message"]


def test_a_hostile_pattern_is_matched_in_no_time() -> None:
    rules = IgnoreRules("*a" * 40 + "b\n" + "**/a/" * 40 + "b")
    assert not rules.leaves_out("a" * 250)
    assert not rules.leaves_out("/".join("a" * 200))


def sent(context: Path, dockerfile: str = "Dockerfile") -> dict[str, tarfile.TarInfo]:
    archive = io.BytesIO(b"".join(tar_pieces(context_members(context, dockerfile))))
    with tarfile.open(fileobj=archive) as tar:
        return {member.name: member for member in tar.getmembers()}


def test_the_dockerfile_is_sent_whatever_is_left_out(tmp_path: Path) -> None:
    for name in (".dockerignore", "docker/app.Dockerfile", "docker/other", "x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("**")
    assert set(sent(tmp_path, "docker/app.Dockerfile")) == {".dockerignore", "docker/app.Dockerfile"}


def test_a_dockerfile_s_own_ignore_file_comes_before_the_common_one(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a")
    (tmp_path / "Dockerfile.dockerignore").write_text("b\n*.dockerignore")
    for name in ("Dockerfile", "a", "b"):
        (tmp_path / name).touch()
    assert set(sent(tmp_path)) == {".dockerignore", "Dockerfile", "a"}


def test_an_ignore_file_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("*")
    context = tmp_path / "context"
    context.mkdir()
    (context / ".dockerignore").symlink_to(outside)
    (context / "kept").touch()
    assert set(sent(context)) == {".dockerignore", "kept"}


def test_a_link_to_a_folder_is_sent_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "etc").symlink_to("/etc")
    (tmp_path / "loop").symlink_to(".")
    members = sent(tmp_path)
    assert {name: member.linkname for name, member in members.items()} == {"etc": "/etc", "loop": "."}


def test_modes_and_contents_arrive_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "odd").write_bytes(os.urandom(CHUNK_BYTES + 7))
    archive = io.BytesIO(b"".join(tar_pieces(context_members(tmp_path, "Dockerfile"))))
    with tarfile.open(fileobj=archive) as tar:
        assert tar.getmember("run.sh").mode == 0o755
        content = tar.extractfile("odd")
        assert content is not None
        assert content.read() == (tmp_path / "odd").read_bytes()


def test_a_file_that_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("plain")
    members = context_members(tmp_path, "Dockerfile")
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        list(tar_pieces(members))


async def test_a_large_file_is_read_only_as_fast_as_it_is_taken(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
    pieces = tar_stream(context_members(tmp_path, "Dockerfile"))
    sizes = [len(await anext(pieces)) for _ in range(20)]
    await asyncio.shield(pieces.aclose())  # type: ignore[attr-defined]
    assert max(sizes) < 3 * CHUNK_BYTES
