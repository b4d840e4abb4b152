"""A base image with this machine's nginx, where it has one."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.engines.standin.tree import ImageTree, put_programs, put_system
from bot.errors import Permanent

_VERSION = re.compile(rb"nginx/([\d.]+)")


@dataclass(frozen=True, slots=True)
class Nginx:
    """The server's program."""

    program: Path
    version: str


def nginx() -> Nginx:
    """Ask it what it is. Raises Permanent("standin_missing", program) where this machine has none."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Permanent("standin_missing", program="nginx")
    version = _VERSION.search(subprocess.run([found, "-v"], capture_output=True, check=True).stderr)
    return Nginx(Path(found), version[1].decode() if version else "1")


def gather_nginx(found: Nginx) -> ImageTree:
    """The tree of the image: the program and its table of media types, with no site and no module of this machine."""
    tree = ImageTree()
    put_system(tree)
    put_programs(tree, [(found.program, "/usr/sbin/nginx")])
    types = Path("/etc/nginx/mime.types")
    if types.is_file():
        tree.file(types)
    tree.folder("/var/log/nginx")
    tree.folder("/var/lib/nginx")
    return tree
