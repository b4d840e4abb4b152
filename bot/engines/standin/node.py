"""A base image with this machine's Node.js and npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.engines.standin.tree import ImageTree, put_programs, put_system
from bot.errors import Permanent

_NOT_NEEDED = ("docs", "man")
_TELL = "console.log(JSON.stringify({program: process.execPath, version: process.versions.node}))"


@dataclass(frozen=True, slots=True)
class Node:
    """The program behind `node`, and npm's folder where there is one."""

    program: Path
    version: str
    npm: Path | None


def node() -> Node:
    """Ask it where it lives. Raises Permanent("standin_missing", program) where this machine has none."""
    found = shutil.which("node")
    if found is None:
        raise Permanent("standin_missing", program="node")
    told = json.loads(subprocess.run([found, "-e", _TELL], capture_output=True, check=True).stdout)
    return Node(Path(told["program"]), told["version"], _npm())


def _npm() -> Path | None:
    """npm's own folder: npm-cli.js stands in its `bin`."""
    found = shutil.which("npm")
    folder = Path(found).resolve().parent.parent if found else None
    return folder if folder and (folder / "bin" / "npm-cli.js").is_file() else None


def gather_node(found: Node) -> ImageTree:
    """The tree of the image, laid out as the official one: `/usr/local/bin`, `/usr/local/lib/node_modules`."""
    tree = ImageTree()
    put_system(tree)
    put_programs(tree, [(found.program, "/usr/local/bin/node")])
    if found.npm is not None:
        inside = "/usr/local/lib/node_modules/npm"
        tree.copy(found.npm, inside, lambda path: path.parent == found.npm and path.name in _NOT_NEEDED)
        for name in ("npm", "npx"):
            tree.link(f"/usr/local/bin/{name}", f"../lib/node_modules/npm/bin/{name}-cli.js")
    return tree
