"""A base image with this machine's Python: its interpreter, standard library and pip."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from bot.engines.standin.tree import ImageTree, put_libraries, put_programs, put_system

_TELL = (
    "import json, site, sys, sysconfig; print(json.dumps(dict(program=sys.executable,"
    " version='.'.join(map(str, sys.version_info[:3])), library=sysconfig.get_path('stdlib'),"
    " packages=site.getsitepackages()[0])))"
)
_LEFT_OUT = frozenset(
    {
        *("test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "pydoc_data"),
        *("site-packages", "dist-packages", "EXTERNALLY-MANAGED"),
    }
)
_NOT_NEEDED = re.compile(r"\.opt-[12]\.pyc$|^config-\d|\.a$|\.exe$|^_test|^_ctypes_test|^_tkinter")
_DEBIAN_WHEELS = Path("/usr/share/python-wheels")
"""Where Debian's own interpreter finds what it puts into a new virtual environment."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The interpreter behind the one that runs now, outside any virtual environment."""

    program: Path
    version: str
    library: Path
    packages: Path


def interpreter() -> Interpreter:
    """Ask it where it lives."""
    base = str(getattr(sys, "_base_executable", sys.executable))
    found = json.loads(subprocess.run([base, "-I", "-c", _TELL], capture_output=True, check=True).stdout)
    return Interpreter(Path(found["program"]), found["version"], Path(found["library"]), Path(found["packages"]))


def gather_python(found: Interpreter) -> ImageTree:
    """The tree of the image. The interpreter stays at its own path, by which it finds its library."""
    tree = ImageTree()
    put_system(tree)
    program = str(found.program.resolve())
    put_programs(tree, [(found.program, program)])
    tree.copy(found.library, str(found.library), _is_left_out)
    put_libraries(tree, (path for path in found.library.rglob("*.so") if not _is_left_out(path)))
    _put_packages(tree, found)
    for name in ("python", "python3", f"python{found.version.rpartition('.')[0]}"):
        tree.link(f"/usr/local/bin/{name}", program)
    for name in ("pip", "pip3"):
        tree.text(f"/usr/local/bin/{name}", '#!/bin/sh\nexec python3 -m pip "$@"\n', 0o755)
    if _DEBIAN_WHEELS.is_dir() and found.program.is_relative_to("/usr/bin"):
        tree.copy(_DEBIAN_WHEELS, str(_DEBIAN_WHEELS), lambda path: False)
    return tree


def _is_left_out(path: Path) -> bool:
    return path.name in _LEFT_OUT or _NOT_NEEDED.search(path.name) is not None or "site-packages" in path.parts


def _put_packages(tree: ImageTree, found: Interpreter) -> None:
    """pip, from beside us or beside the interpreter."""
    for place in (Path(sysconfig.get_path("purelib")), found.packages):
        if (place / "pip").is_dir():
            for folder in (place / "pip", *place.glob("pip-*.dist-info")):
                tree.copy(folder, f"{found.packages}/{folder.name}", _is_not_needed)
            return


def _is_not_needed(path: Path) -> bool:
    return _NOT_NEEDED.search(path.name) is not None or path.name in ("tests", "__pycache__")
