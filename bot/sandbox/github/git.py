"""Runs git in one bare repository: reads commits, trees and files, and writes commits without a work tree."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ZERO = "0" * 40
GIT_TIMEOUT_S = 60.0
FACTS_KEPT = 512
MOST_BYTES_KEPT = 64 * 1024
"""Of one answer."""
SYMLINK = "120000"
SUBMODULE = "160000"


class GitFailed(Exception):
    """git refused; the message is what it said."""


@dataclass(frozen=True)
class Signature:
    """Who wrote a commit and when; `when` as GitHub writes times."""

    name: str
    email: str
    when: str


@dataclass(frozen=True)
class Commit:
    """One commit."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class Entry:
    """One entry of a tree; `size_bytes` is None for folders and submodules."""

    mode: str
    kind: str
    sha: str
    size_bytes: int | None
    path: str


@dataclass(frozen=True)
class Change:
    """One changed file between two commits. `status` as GitHub says it; `patch` None for binary files."""

    path: str
    status: str
    additions: int
    deletions: int
    sha: str
    patch: str | None
    old_path: str | None = None


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """What a git child may see: nothing of the person's own settings, no prompts, one fixed identity."""
    path = os.environ.get("PATH", os.defpath)
    return {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_AUTHOR_NAME": "GitHub",
        "GIT_AUTHOR_EMAIL": "noreply@github.com",
        "GIT_COMMITTER_NAME": "GitHub",
        "GIT_COMMITTER_EMAIL": "noreply@github.com",
        **extra,
    }


class Git:
    """One bare repository on disk. `lock` is held by whoever moves its refs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = asyncio.Lock()
        self._facts: dict[tuple[str, ...], bytes] = {}

    async def fact(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> bytes:
        """As `run`, for commands that name every object by its full SHA: what was found once is known from then on.

        That nothing was found is no fact: the object may come. The oldest answers are forgotten.
        """
        known = self._facts.get(arguments)
        if known is not None:
            return known
        found = await self.run(*arguments, ok=ok)
        if 0 < len(found) <= MOST_BYTES_KEPT:
            self._facts[arguments] = found
            while len(self._facts) > FACTS_KEPT:
                del self._facts[next(iter(self._facts))]
        return found

    async def run(self, *arguments: str, stdin: bytes = b"", ok: tuple[int, ...] = (0,), **extra: str) -> bytes:
        """Standard output of one git command. Raises GitFailed with what git said."""
        return await asyncio.to_thread(self._run, arguments, stdin, ok, extra)

    def _run(self, arguments: tuple[str, ...], stdin: bytes, ok: tuple[int, ...], extra: Mapping[str, str]) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            env=clean_environment(self.path, **extra),
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
        if done.returncode not in ok:
            raise GitFailed(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed")
        return done.stdout

    async def create(self, default_branch: str) -> None:
        """Make the empty repository, open to partial and shallow fetches, its pull refs closed to pushes."""
        self.path.mkdir(parents=True)
        await self.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}", ".")
        settings = {"uploadpack": ["allowFilter = true", "allowAnySHA1InWant = true"]}
        settings["receive"] = ["hideRefs = refs/pull", "denyDeleteCurrent = false", "autogc = false"]
        lines = [line for name, values in settings.items() for line in (f"[{name}]", *values)]
        with (self.path / "config").open("a") as config:
            config.write("\n".join(lines) + "\n")

    async def resolve(self, rev: str) -> str | None:
        """Full SHA of the commit a branch, tag, ref or (short) SHA names, None when there is none."""
        if not rev or any(mark in rev for mark in "\n\0^~:@{ ?*[\\") or ".." in rev:
            return None
        bare = rev.removeprefix("refs/")
        names = [f"refs/{bare}"] if rev.startswith(("refs/", "heads/", "tags/", "pull/")) else []
        names += [f"refs/heads/{rev}", f"refs/tags/{rev}"]
        if rev == "HEAD":
            names = ["HEAD"]
        elif _hexadecimal(rev):
            if len(rev) == 40 and (known := await self._peeled(rev)):
                return known
            names.append(rev)
        return await self._first_commit(names)

    def _loose(self, ref: str) -> str | None:
        """What the ref's own file says it points at; None where git itself has to look."""
        try:
            said = (self.path / ref).read_text().strip()
        except (OSError, ValueError):
            return None
        return said if len(said) == 40 and _hexadecimal(said) else None

    async def _peeled(self, sha: str) -> str | None:
        """The commit that a full SHA of a commit or a tag names, None when there is none."""
        out = await self.fact("rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}", ok=(0, 1, 128))
        return out.decode().strip() or None

    async def _first_commit(self, names: list[str]) -> str | None:
        if (loose := self._loose(names[0])) and (known := await self._peeled(loose)):
            return known
        asked = "".join(f"{name}^{{commit}}\n" for name in names).encode()
        answer = await self.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
        found = (line.split(" ") for line in answer.decode().splitlines())
        return next((words[0] for words in found if words[-1] == "commit" and len(words) == 2), None)

    async def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Every ref under a prefix (a whole name, or one that ends with a slash) and what it points at, by name."""
        if "\0" in prefix:
            return {}
        out = await self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix)
        pairs = (line.split(" ", 1) for line in out.decode().splitlines())
        return {name: sha for sha, name in pairs}

    async def set_ref(self, ref: str, sha: str) -> None:
        """Point a ref at a commit, whatever it said before."""
        await self.run("update-ref", ref, sha)

    async def delete_ref(self, ref: str) -> None:
        """Remove a ref."""
        await self.run("update-ref", "-d", ref)

    async def commits(self, *selection: str, limit: int = 250, skip: int = 0) -> list[Commit]:
        """Commits of a revision selection (full SHAs, `^SHA`), newest first."""
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
        out = await self.fact("log", f"--max-count={limit}", f"--skip={skip}", f"--format={form}", *selection, "--")
        return [_commit(record) for record in out.decode(errors="replace").split("\x00\x01") if record.strip()]

    async def commit(self, sha: str) -> Commit | None:
        """One commit by its full SHA."""
        try:
            return (await self.commits(sha, limit=1))[0]
        except (GitFailed, IndexError):
            return None

    async def tree(self, treeish: str, *, recursive: bool = False, path: str = "") -> list[Entry]:
        """Entries of a tree (a full SHA of a commit or tree). Raises GitFailed when there is no such tree."""
        flags = ["-r", "-t"] if recursive else []
        at = f"{treeish}:{path}" if path else treeish
        out = await self.fact("ls-tree", "-z", "-l", *flags, at)
        return [_entry(line) for line in out.decode(errors="surrogateescape").split("\0") if line]

    async def entry(self, commit: str, path: str) -> Entry | None:
        """The entry at a path in a commit, None when there is none."""
        out = await self.fact("--literal-pathspecs", "ls-tree", "-z", "-l", commit, "--", path)
        lines = [line for line in out.decode(errors="surrogateescape").split("\0") if line]
        return _entry(lines[0]) if lines else None

    async def submodules(self, commit: str) -> dict[str, str]:
        """Where each submodule comes from, by its path, as `.gitmodules` says."""
        wanted = r"^submodule\..*\.(path|url)$"
        out = await self.fact("config", "--blob", f"{commit}:.gitmodules", "-z", "--get-regexp", wanted, ok=(0, 1, 128))
        said = dict(line.split("\n", 1) for line in out.decode(errors="replace").split("\0") if "\n" in line)
        paths = {key.removesuffix(".path"): value for key, value in said.items() if key.endswith(".path")}
        return {path: said[f"{name}.url"] for name, path in paths.items() if f"{name}.url" in said}

    async def kind(self, sha: str) -> str | None:
        """What kind of object a full SHA is, None when there is none."""
        answer = await self.run("cat-file", "--batch-check=%(objecttype)", stdin=f"{sha}\n".encode())
        word = answer.decode().strip()
        return None if word.endswith("missing") else word

    async def blob(self, sha: str) -> bytes:
        """Bytes of a file. Raises GitFailed when there is no such blob."""
        return await self.fact("cat-file", "blob", sha)

    async def changes(self, before: str, after: str) -> list[Change]:
        """Files that differ between two commits or trees, with their patches."""
        stat = ["diff", "--raw", "--numstat", "-z", "--no-abbrev", "-M", before, after]
        patches = ["diff", "--patch", "--no-color", "-M", before, after]
        facts, text = await asyncio.gather(self.fact(*stat), self.fact(*patches))
        return _changes(facts.decode(errors="replace"), _patches(text.decode(errors="replace")))

    async def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, None when there is none."""
        out = await self.fact("merge-base", one, other, ok=(0, 1))
        return out.decode().strip() or None

    async def count(self, since: str, until: str) -> int:
        """How many commits `until` has that `since` has not."""
        return int(await self.fact("rev-list", "--count", until, f"^{since}"))

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        return await self.merge_base(older, newer) == older

    async def fetch(self, other: "Git", source: str, ref: str) -> None:
        """Bring a ref of another repository here, as `ref`."""
        await self.run("fetch", "--quiet", "--no-tags", str(other.path), f"+{source}:{ref}")

    async def merge(self, base: str, head: str, message: str) -> str | None:
        """A merge commit of two commits, not on any branch; None when they conflict."""
        try:
            tree = (await self.run("merge-tree", "--write-tree", base, head)).decode().split("\n")[0]
        except GitFailed:
            return None
        made = await self.run("commit-tree", tree, "-p", base, "-p", head, "-m", message)
        return made.decode().strip()

    async def write(
        self,
        ref: str,
        files: Mapping[str, bytes | None],
        author: tuple[str, str],
        message: str,
        parent: str | None,
        when: float,
        modes: Mapping[str, str] | None = None,
    ) -> str:
        """Commit files (None removes one) on top of `parent`, point `ref` at it, and return its SHA."""
        stream = _fast_import(ref, files, author, message, parent, when, modes or {})
        made = await self.run("fast-import", "--quiet", "--force", "--date-format=raw", stdin=stream)
        return made.decode().strip()


def scratch_directory(parent: Path | None) -> Path:
    """A fresh directory for repositories, below `parent` (made when it isn't there) or among the temporary ones."""
    if parent:
        parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="repositories-", dir=parent))


def _hexadecimal(text: str) -> bool:
    return 4 <= len(text) <= 40 and all(letter in "0123456789abcdef" for letter in text.lower())


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _commit(record: str) -> Commit:
    """Parse one record of `commits`."""
    fields = record.lstrip("\n").split("\0")
    sha, tree, parents, name, email, authored, committer, committer_email, committed, message = fields[:10]
    return Commit(
        sha,
        tree,
        tuple(parents.split()),
        Signature(name, email, _utc(authored)),
        Signature(committer, committer_email, _utc(committed)),
        message.rstrip("\n"),
    )


def _entry(line: str) -> Entry:
    """Parse one line of `ls-tree -l`."""
    facts, path = line.split("\t", 1)
    mode, kind, sha, size = facts.split()
    return Entry(mode, kind, sha, int(size) if size.isdigit() else None, path)


WORDS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


def _changes(raw: str, patches: dict[str, str]) -> list[Change]:
    """Parse `diff --raw --numstat -z`: all raw records first, then all counts."""
    fields = raw.split("\0")
    entries: list[tuple[str, str, str | None, str]] = []
    counts: dict[str, tuple[int, int]] = {}
    at = 0
    while at < len(fields) and fields[at]:
        if fields[at].startswith(":"):
            _, _, before, after, letter = fields[at].split(" ")
            moved = letter[0] in "RC"
            path = fields[at + 2] if moved else fields[at + 1]
            entries.append((path, WORDS[letter[0]], fields[at + 1] if moved else None, _present(before, after)))
            at += 3 if moved else 2
        else:
            added, removed, path = fields[at].split("\t")
            counts[path or fields[at + 2]] = (_number(added), _number(removed))
            at += 1 if path else 3
    return [
        Change(path, status, *counts.get(path, (0, 0)), sha, patches.get(path), old)
        for path, status, old, sha in entries
    ]


def _present(before: str, after: str) -> str:
    return before if after == ZERO else after


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _patches(text: str) -> dict[str, str]:
    """Hunks by path, from a patch; a file without hunks (binary, mode only) is left out."""
    hunks: dict[str, str] = {}
    for section in text.split("\ndiff --git ") if text else []:
        head, mark, body = section.partition("\n@@")
        names = [line[6:] for line in head.split("\n") if line.startswith(("+++ b/", "--- a/"))]
        if mark and names:
            hunks[names[-1].rstrip("\t")] = "@@" + body.rstrip("\n")
    return hunks


def _fast_import(
    ref: str,
    files: Mapping[str, bytes | None],
    author: tuple[str, str],
    message: str,
    parent: str | None,
    when: float,
    modes: Mapping[str, str],
) -> bytes:
    """One commit in git's fast-import language, and the question what its SHA is."""
    text = message.encode()
    who = f"{author[0]} <{author[1]}> {int(when)} +0000"
    lines = [f"commit {ref}\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(text)}\n".encode(), text, b"\n"]
    if parent:
        lines.append(f"from {parent}\n".encode())
    for path, content in files.items():
        name = b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
        mode = modes.get(path, "100644").encode()
        if content is None:
            lines.append(b"D " + name + b"\n")
        elif mode == SUBMODULE.encode():
            lines.append(b"M " + mode + b" " + content + b" " + name + b"\n")
        else:
            lines += [b"M " + mode + b" inline " + name + b"\n", f"data {len(content)}\n".encode(), content, b"\n"]
    return b"".join(lines) + b"\nget-mark :1\n"
