"""Python's manifests: dependencies, package manager, and every place that names an interpreter's version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.inspect.dependencies import Dependency
from bot.inspect.folder import Folder, as_list, as_map, as_text
from bot.inspect.manifests.pins import Pin, file_pins, listed, tool_pins

_REQUIREMENT = re.compile(r"^[ \t]*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*([^;#]*)")
_INCLUDE = re.compile(r"^[ \t]*(?:-r|--requirement)[ =]+(\S+)")
_REQUIREMENTS_FILES = (
    "requirements.txt",
    "requirements.in",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements/requirements.txt",
)
_MANAGERS_BY_FILE = (
    ("uv.lock", "uv"),
    ("poetry.lock", "poetry"),
    ("pdm.lock", "pdm"),
    ("Pipfile.lock", "pipenv"),
    ("Pipfile", "pipenv"),
    ("requirements.txt", "pip"),
    ("environment.yml", "conda"),
    ("environment.yaml", "conda"),
)


def normal(name: str) -> str:
    """A distribution's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies(folder: Folder) -> Iterator[Dependency]:
    """Everything the folder's manifests require, production and development."""
    name = requirements_file(folder)
    if name:
        yield from _requirements(folder, name)
    yield from _pyproject(folder)
    yield from _pipfile(folder)
    yield from _conda(folder)
    yield from _setup(folder)


def requirements_file(folder: Folder) -> str | None:
    """The requirements file that production is installed from."""
    return folder.first(*_REQUIREMENTS_FILES)


def _requirements(folder: Folder, name: str, seen: frozenset[str] = frozenset()) -> Iterator[Dependency]:
    for line in (folder.text(name) or "").splitlines():
        include = _INCLUDE.match(line)
        match = _REQUIREMENT.match(line)
        if include and len(seen) < 8:
            base = name.rpartition("/")[0]
            target = f"{base}/{include[1]}" if base else include[1].removeprefix("./")
            if target not in seen:
                yield from _requirements(folder, target, seen | {name})
        elif match:
            yield Dependency(normal(match[1]), name, match[2].strip() or None)


def _named(text: str, at: str, dev: bool = False) -> Iterator[Dependency]:
    match = _REQUIREMENT.match(text)
    if match:
        yield Dependency(normal(match[1]), at, match[2].strip() or None, dev)


def _pyproject(folder: Folder) -> Iterator[Dependency]:
    data = folder.toml("pyproject.toml")
    project, tool = as_map(data.get("project")), as_map(data.get("tool"))
    for text in listed(project.get("dependencies")):
        yield from _named(text, "pyproject.toml")
    for extra in as_map(project.get("optional-dependencies")).values():
        for text in listed(extra):
            yield from _named(text, "pyproject.toml", dev=True)
    for group in as_map(data.get("dependency-groups")).values():
        for text in listed(group):
            yield from _named(text, "pyproject.toml", dev=True)
    for text in listed(as_map(tool.get("uv")).get("dev-dependencies")):
        yield from _named(text, "pyproject.toml", dev=True)
    yield from _poetry(as_map(tool.get("poetry")))


def _poetry(poetry: dict[str, Any]) -> Iterator[Dependency]:
    for name, value in as_map(poetry.get("dependencies")).items():
        if name != "python":
            yield Dependency(normal(name), "pyproject.toml", as_text(value))
    groups = as_map(poetry.get("group"))
    developer = [as_map(poetry.get("dev-dependencies"))]
    developer += [as_map(as_map(group).get("dependencies")) for group in groups.values()]
    for table in developer:
        for name in table:
            yield Dependency(normal(name), "pyproject.toml", dev=True)


def _pipfile(folder: Folder) -> Iterator[Dependency]:
    data = folder.toml("Pipfile")
    for group, dev in (("packages", False), ("dev-packages", True)):
        for name, value in as_map(data.get(group)).items():
            yield Dependency(normal(name), "Pipfile", as_text(value), dev)


def conda_file(folder: Folder) -> str | None:
    """conda's environment file."""
    return folder.first("environment.yml", "environment.yaml")


def _conda(folder: Folder) -> Iterator[Dependency]:
    name = conda_file(folder)
    for item in as_list(folder.yaml(name).get("dependencies")) if name else ():
        if isinstance(item, dict):
            for text in listed(item.get("pip")):
                yield from _named(text, name or "")
        elif package := as_text(item):
            yield Dependency(normal(re.split(r"[=<> ]", package.rpartition("::")[2])[0]), name or "")


def _setup(folder: Folder) -> Iterator[Dependency]:
    for text in _install_requires(folder.text("setup.py") or ""):
        yield from _named(text, "setup.py")
    section = re.search(
        r"^install_requires\s*=((?:\n?[ \t]+.*|.*)(?:\n[ \t]+.*)*)", folder.text("setup.cfg") or "", re.M
    )
    for text in section[1].split("\n") if section else ():
        yield from _named(text, "setup.cfg")


def _install_requires(script: str) -> Iterator[str]:
    """The texts of setup.py's list, up to the bracket that closes it (`requests[socks]` has some of its own)."""
    start = re.search(r"install_requires\s*=\s*\[", script)
    for item in re.finditer(r"['\"]([^'\"\n]+)['\"]|\]", script[start.end() :]) if start else ():
        if item[1] is None:
            return
        yield item[1]


def manager(folder: Folder) -> tuple[str, str, str]:
    """The package manager, the file that decides it, and why; a lock file above counts for a workspace's member."""
    for name, tool in _MANAGERS_BY_FILE:
        if folder.has(name):
            return tool, folder.path(name), f"{name} is there"
    tools = as_map(folder.toml("pyproject.toml").get("tool"))
    for named in ("poetry", "pdm", "uv"):
        if named in tools:
            return named, folder.path("pyproject.toml"), f"pyproject.toml has [tool.{named}]"
    for level in list(folder.upwards())[1:]:
        for name, tool in _MANAGERS_BY_FILE[:3]:
            if level.has(name):
                return tool, level.path(name), f"the workspace above has {name}"
    deciding = folder.first("pyproject.toml", "setup.py", "requirements.in", *_REQUIREMENTS_FILES)
    why = f"{deciding} is installed with pip" if deciding else "pip comes with python"
    return "pip", folder.path(deciding or ""), why


def manager_version(folder: Folder, tool: str) -> str | None:
    """The package manager's own version, where a manifest requires one."""
    tools = as_map(folder.toml("pyproject.toml").get("tool"))
    text = as_text(as_map(tools.get(tool)).get("required-version" if tool == "uv" else "requires-poetry"))
    match = re.search(r"\d+(?:\.\d+)*", text or "")
    if match:
        return match[0]
    header = re.search(r"generated by Poetry (\d[\d.]*)", (folder.text("poetry.lock") or "")[:300])
    return header[1] if header and tool == "poetry" else None


def version_pins(folder: Folder) -> Iterator[Pin]:
    """Every place that names the interpreter, the surest first."""
    yield from _without_build(file_pins(folder, ".python-version"))
    yield from _runtime_txt(folder)
    yield from _without_build(tool_pins(folder, "python"))
    yield from _pipfile_pins(folder)
    yield from _conda_pins(folder)
    yield from _pyproject_pins(folder)
    text = folder.text("setup.cfg") or folder.text("setup.py") or ""
    match = re.search(r"python_requires\s*=\s*['\"]?([^'\"\n,]+(?:,[^'\"\n]+)?)", text)
    if match:
        yield Pin(match[1].strip(), folder.path("setup.cfg" if folder.has("setup.cfg") else "setup.py"), None, "setup")


def _without_build(pins: Iterator[Pin]) -> Iterator[Pin]:
    """`pypy3.10`, `3.13t`, `cpython-3.12` and environment names say no plain release unless a number stands there."""
    for pin in pins:
        match = re.match(r"(?:cpython[-@])?(\d+(?:\.\d+)*)", pin.text)
        if match:
            yield Pin(match[1], pin.path, pin.line, pin.rule)


def _runtime_txt(folder: Folder) -> Iterator[Pin]:
    for pin in file_pins(folder, "runtime.txt", prefix="python-"):
        if re.match(r"\d", pin.text):
            yield pin


def _pipfile_pins(folder: Folder) -> Iterator[Pin]:
    requires = as_map(folder.toml("Pipfile").get("requires"))
    locked = as_map(as_map(folder.json("Pipfile.lock").get("_meta")).get("requires"))
    for table, name in ((requires, "Pipfile"), (locked, "Pipfile.lock")):
        text = as_text(table.get("python_full_version")) or as_text(table.get("python_version"))
        if text and text != "*":
            yield Pin(text, folder.path(name), folder.line(name, "python_"), name)


def _conda_pins(folder: Folder) -> Iterator[Pin]:
    name = conda_file(folder)
    for text in listed(folder.yaml(name).get("dependencies")) if name else ():
        match = re.match(r"python\s*=+\s*(\d+(?:\.\d+)*)", text)
        if match and name:
            yield Pin(match[1], folder.path(name), folder.line(name, "python"), "conda")


def _pyproject_pins(folder: Folder) -> Iterator[Pin]:
    data = folder.toml("pyproject.toml")
    poetry = as_map(as_map(data.get("tool")).get("poetry"))
    wanted = as_text(as_map(data.get("project")).get("requires-python"))
    locked = as_text(as_map(poetry.get("dependencies")).get("python"))
    path = folder.path("pyproject.toml")
    if wanted:
        yield Pin(wanted, path, folder.line("pyproject.toml", "requires-python"), "requires-python")
    if locked and locked != "*":
        yield Pin(locked, path, folder.line("pyproject.toml", re.compile(r"^python\s*=", re.M)), "tool.poetry")
