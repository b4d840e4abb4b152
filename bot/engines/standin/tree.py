"""Gathers files of this machine into the tree of an image: where each goes, and the libraries programs load."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from bot.engines.docker.tar import Member, member_of

_LOADED = re.compile(r"(?:=> )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)

COMMANDS = """
    sh ls cat cp mv rm mkdir rmdir ln chmod chown echo printf env sleep date id whoami head tail wc sort uniq cut tr sed
    grep find xargs test [ true false touch pwd hostname basename dirname tar gzip tee mktemp readlink realpath stat
    seq uname install
"""
"""What a RUN line may expect of the smallest Debian."""

_FOLDERS = ("bin", "etc", "home", "root", "run", "usr", "usr/bin", "usr/local", "usr/local/bin", "var", "app")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_USERS = (("root", 0, "/root"), ("node", 1000, "/home/node"), ("app", 10001, "/app"), ("nobody", 65534, "/"))


class ImageTree:
    """The members of an image's root, each at a path that is absolute inside it; the last one put there stays."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}

    def members(self) -> Iterator[Member]:
        """All members, each folder before what is in it; folders nobody put are there for all to enter."""
        for name in sorted(self._members):
            for parent in reversed(PurePosixPath(name).parents):
                if parent.name and str(parent) not in self._members:
                    self._members[str(parent)] = _folder(str(parent))
        return (self._members[name] for name in sorted(self._members))

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        """An empty folder; what else the tree holds is root's."""
        self._put(_folder(_name(path), mode, owner))

    def text(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file with this content."""
        head = tarfile.TarInfo(_name(path))
        content = text.encode()
        head.mode, head.size = mode, len(content)
        self._put(Member(head, content))

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        head = tarfile.TarInfo(_name(path))
        head.type, head.linkname, head.mode = tarfile.SYMTYPE, target, 0o777
        self._put(Member(head))

    def file(self, source: Path, path: str | None = None) -> None:
        """A file of this machine, what a link leads to instead of the link, at its own path or another."""
        real = source.resolve()
        self._put(member_of(real, _name(path or str(source)), real.stat()))

    def copy(self, source: Path, path: str, leave_out: Callable[[Path], bool]) -> None:
        """A folder of this machine with all that is in it, links as links, but for what `leave_out` says."""
        for folder, folders, files in os.walk(source):
            here = Path(folder)
            folders[:] = [name for name in folders if not leave_out(here / name)]
            for name in [*folders, *files]:
                inside = _name(f"{path}/{(here / name).relative_to(source)}")
                self._put_found(here / name, inside, leave_out)

    def _put_found(self, found: Path, name: str, leave_out: Callable[[Path], bool]) -> None:
        status = found.lstat()
        plain = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if plain and not leave_out(found):
            self._put(member_of(found, name, status))

    def _put(self, member: Member) -> None:
        self._members[member.head.name] = member


def _name(path: str) -> str:
    return path.lstrip("/")


def _folder(name: str, mode: int = 0o755, owner: int = 0) -> Member:
    head = tarfile.TarInfo(name)
    head.type, head.mode, head.uid, head.gid = tarfile.DIRTYPE, mode, owner, owner
    return Member(head)


def put_system(tree: ImageTree) -> None:
    """What every image has: folders, users, certificates, a shell and the commands around it."""
    for folder in _FOLDERS:
        tree.folder(folder)
    for folder in ("tmp", "var/tmp"):
        tree.folder(folder, 0o1777)
    for _, number, home in _USERS[1:3]:
        tree.folder(home, owner=number)
    tree.text("/etc/passwd", "".join(f"{name}:x:{number}:{number}::{home}:/bin/sh\n" for name, number, home in _USERS))
    tree.text("/etc/group", "".join(f"{name}:x:{number}:\n" for name, number, _ in _USERS))
    tree.text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    if _CERTIFICATES.is_file():
        tree.file(_CERTIFICATES)
    programs = [found for name in COMMANDS.split() if (found := _program(name)) is not None]
    put_programs(tree, programs)
    for _, path in programs:
        tree.link(f"/usr{path}", path)


def _program(name: str) -> tuple[Path, str] | None:
    found = shutil.which(name, path="/usr/bin:/bin")
    return (Path(found), f"/bin/{name}") if found else None


def put_programs(tree: ImageTree, programs: Iterable[tuple[Path, str]]) -> None:
    """Programs at the paths given, and the libraries they load."""
    sources = []
    for source, path in programs:
        tree.file(source, path)
        sources.append(source)
    put_libraries(tree, sources)


def put_libraries(tree: ImageTree, loaders: Iterable[Path]) -> None:
    """The libraries that programs and modules load, where they stand on this machine, and those loaded by name."""
    for path in sorted(_libraries(loaders)):
        tree.file(Path(path))
        for by_name in ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"):
            beside = Path(path).parent / by_name
            if beside.exists():
                tree.file(beside)


def _libraries(loaders: Iterable[Path]) -> set[str]:
    """What `ldd` finds: https://man7.org/linux/man-pages/man1/ldd.1.html. A static program loads nothing."""
    words = ["ldd", *(str(path.resolve()) for path in loaders)]
    told = subprocess.run(words, capture_output=True, check=False).stdout
    return set(_LOADED.findall(told.decode("utf-8", errors="replace")))
