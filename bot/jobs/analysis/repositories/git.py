"""Runs git on one repository through a private, empty git directory, so that no setting or attribute is obeyed.

The private directory borrows the repository's objects and holds nothing else: neither its configuration, attributes,
grafts, replace refs and hooks, nor the user's, can change a result or start a program. What we write (trees made up
to diff blobs in bulk) lands in the private directory, in memory where the system has a tmpfs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO

from bot.errors import Permanent, ShipmateError
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.folders import private_folder
from bot.jobs.analysis.repositories.scratch import ScratchTrees

READ_BYTES = 1 << 17
"""What one read asks for: from a larger buffer on, the allocator maps and clears fresh pages each time."""

NEUTRAL = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""Keeps a git process from reading settings and from asking anyone."""

_EMPTY = {
    40: (b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", b"4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
    64: (
        b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
        b"6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    ),
}
"""Ids of the empty blob and the empty tree, by the length of an id (SHA-1, SHA-256)."""

_CORRUPT = (
    b"corrupt",
    b"unable to read",
    b"Could not read",
    b"missing blob",
    b"bad object",
    b"inflate",
    b"unable to unpack",
    b"bad tree",
)
"""What git says of objects that are damaged or gone."""
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = true
\tattributesFile = /dev/null
\tdeltaBaseCacheLimit = 2m
\tpackedGitWindowSize = 1m
\tpackedGitLimit = 4m
\tbigFileThreshold = {big_file}
[mailmap]
\tblob = {head}:.mailmap
[pack]
\tthreads = 1
{extension}"""


def base_environment() -> dict[str, str]:
    """The environment of every git process: a PATH, a home for nothing, and no setting of the user's."""
    return {"PATH": os.defpath + ":/usr/local/bin", "HOME": os.devnull, **NEUTRAL}


class Git:
    """One repository at one commit, read through a private git directory. Close it (or use `with`) to remove that."""

    def __init__(self, objects: Path, head: str, children: Children, *, max_blob_bytes: int) -> None:
        self.head = head.encode()
        self.null = b"0" * len(head)
        self.empty_blob, self.empty_tree = _EMPTY[len(head)]
        self.max_blob_bytes = max_blob_bytes
        self.children = children
        self.folder = private_folder()
        self._errors: IO[bytes] = (self.folder / "errors").open("ab")
        self._env = {**base_environment(), "GIT_DIR": str(self.folder)}
        self._furnish(objects, head, max_blob_bytes)
        self.trees = ScratchTrees(self.folder / "objects", sha256=len(head) == 64)

    def __enter__(self) -> Git:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop what still runs and remove the private directory. May be repeated."""
        self.children.close()
        self._errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *args: str | bytes, feed: bytes | None = None, ok: tuple[int, ...] = (0,)) -> bytes:
        """One git command's whole output. Raises Permanent when its exit code is not one of `ok`."""
        with self._source(feed) as source:
            child = self._start(args, source)
        assert child.stdout is not None
        output = child.stdout.read()
        self.finish(child, ok)
        return output

    def chunks(self, *args: str | bytes, feed: Iterable[bytes] | None = None) -> Iterator[bytes]:
        """One git command's output, piece by piece as it comes; all of `feed` must fit into a pipe (64 KiB).

        The command starts at once, before the first piece is asked for, and works on what `feed` gave while the rest
        is made. Raises Permanent when it fails.
        """
        child = self.start(*args, takes_input=feed is not None)
        if feed is not None and child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died: its exit code says why
                for line in feed:
                    child.stdin.write(line)
                    child.stdin.flush()
                child.stdin.close()
        return self._pieces(child)

    def _pieces(self, child: subprocess.Popen[bytes]) -> Iterator[bytes]:
        """What a command writes, until it ends."""
        assert child.stdout is not None
        source = child.stdout.fileno()
        while piece := os.read(source, READ_BYTES):
            yield piece
        self.finish(child)

    def start(self, *args: str | bytes, takes_input: bool = False) -> subprocess.Popen[bytes]:
        """Start a git command; the caller hands it to `finish`."""
        return self._start(args, subprocess.PIPE if takes_input else subprocess.DEVNULL)

    def finish(self, child: subprocess.Popen[bytes], ok: tuple[int, ...] = (0,)) -> None:
        """Wait for a command started here. Raises Permanent when it failed, Cancelled after a stop."""
        code = self.children.finish(child)
        if code not in ok:
            raise self._failure(child, code)

    def _start(self, args: Sequence[str | bytes], source: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return self.children.start(["git", *args], self._env, self._errors, source)

    @contextlib.contextmanager
    def _source(self, feed: bytes | None) -> Iterator[int | IO[bytes]]:
        """What a command reads: nothing, or a file without a name, so that nobody has to write while git answers."""
        if feed is None:
            yield subprocess.DEVNULL
            return
        with TemporaryFile(dir=self.folder) as file:
            file.write(feed)
            file.seek(0)
            yield file

    def _failure(self, child: subprocess.Popen[bytes], code: int) -> ShipmateError:
        told = (self.folder / "errors").read_bytes()[-2000:]
        assert isinstance(child.args, list)
        args = [os.fsdecode(arg) for arg in child.args[1:]]
        while args[0] == "-c":  # settings of this process alone stand before its name
            del args[:2]
        reason = "corrupt_repository" if any(word in told for word in _CORRUPT) else "git_failed"
        detail = told.decode("utf-8", "replace").strip().splitlines()[-1:]
        return Permanent(reason, command=f"git {args[0]}", exit_code=code, detail="".join(detail))

    def _furnish(self, objects: Path, head: str, max_blob_bytes: int) -> None:
        """Write the handful of files that make a folder a bare repository borrowing `objects`."""
        sha256 = len(head) == 64
        extension = "[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""
        config = _CONFIG.format(version=int(sha256), head=head, big_file=max_blob_bytes, extension=extension)
        (self.folder / "objects" / "info").mkdir(parents=True)
        (self.folder / "refs").mkdir()
        (self.folder / "HEAD").write_text("ref: refs/heads/none\n")
        (self.folder / "config").write_text(config)
        (self.folder / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")


class Coprocess:
    """A git command that stays: it answers one question after another over its pipes."""

    def __init__(self, git: Git, *args: str) -> None:
        self._git = git
        self._child = git.start(*args, takes_input=True)
        self._token = secrets.token_hex(8).encode()  # random, so that no path can look like an echo
        self._asked = 0

    def ask_line(self, question: bytes) -> bytes:
        """Write a question and read the one line that answers it, without its line end."""
        self._write(question)
        assert self._child.stdout is not None
        answer = self._child.stdout.readline()
        if not answer:
            self._git.finish(self._child)
            raise Permanent("git_failed", command="git", exit_code=0, detail="it ended before it answered")
        return answer[:-1]

    def ask_until_echo(self, question: bytes) -> bytes:
        """Write a question and a line git only echoes; everything before the echo is the answer (diff-tree --stdin)."""
        self._asked += 1
        echo = b"end of answer %s-%d\n" % (self._token, self._asked)
        self._write(question + echo)
        assert self._child.stdout is not None
        answer = bytearray()
        while not answer.endswith(echo):
            piece = os.read(self._child.stdout.fileno(), READ_BYTES)
            if not piece:
                self._git.finish(self._child)
                raise Permanent("git_failed", command="git", exit_code=0, detail="it ended before it answered")
            answer += piece
        return bytes(answer[: -len(echo)])

    def ask_blob(self, blob: bytes) -> bytes | None:
        """A blob's content (from `cat-file --batch`), or None where there is no such blob."""
        size = self.ask_line(blob + b"\n").rpartition(b" ")[2]
        if not size.isdigit():
            return None
        assert self._child.stdout is not None
        return self._child.stdout.read(int(size) + 1)[:-1]

    def close(self) -> None:
        """Let the command end."""
        self._git.finish(self._child)

    def _write(self, data: bytes) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died: reading finds out and says why
            self._child.stdin.write(data)
            self._child.stdin.flush()


def plain_git(args: list[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
    """A short git command on the repository itself (not through a private directory): exit code, output, errors."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", *args],
        cwd=cwd,
        env={**base_environment(), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip()
