"""package.json and the lock files next to it: scripts, dependencies, package manager."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text

PACKAGE_MANAGERS = ("npm", "pnpm", "yarn", "bun")
LOCK_FILES = {
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "yarn.lock": "yarn",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
_PNPM_BY_LOCK = {"5": "7", "6": "8", "7": "9", "9": "10"}
_NPM_BY_LOCK = {"1": "6"}
DEV_SERVER = re.compile(
    r"\bnext\s+dev\b|\bng\s+(?:serve|s)\b|\bgatsby\s+develop\b|--serve\b|\bnodemon\b|"
    r"^[ \t]*vite(?:\s+(?:dev|serve|-|$)|$)|"
    r"\bvite\s+(?:dev|serve)\b|\breact-scripts\s+start\b|\bcraco\s+start\b|\breact-app-rewired\s+start\b|"
    r"\bnest\s+start\b(?!.*\bnode\b)|--watch\b|--reload\b|\bnuxt\s+dev\b|\bnuxi\s+dev\b|\bastro\s+dev\b|"
    r"^[ \t]*astro\s*$|\bvue-cli-service\s+serve\b|\bdocusaurus\s+start\b|\bvitepress\s+dev\b|\bexpo\s+start\b|"
    r"\bember\s+(?:serve|s)\b|\bhexo\s+server\b|\bremix\s+(?:vite:)?dev\b|\breact-router\s+dev\b|"
    r"\bwebpack(?:-dev-server|\s+serve)\b|\bparcel\b(?!\s+build)|\bts-node-dev\b|\btsnd\b|\bstrapi\s+dev|"
    r"\bnode\s+ace\s+serve\b|\bvinxi\s+dev\b|\bnitro(?:pack)?\s+dev\b|\bturbo\b.*\bdev\b|\bbrowser-sync\b|"
    r"\blive-server\b|\bgatsby\s+start\b|\brsbuild\s+dev\b|\bsnowpack\s+dev\b|\bfarm\s+start\b|\bwmr\s*$|"
    r"\brw\s+dev\b|\bservor\b|\bconcurrently\b.*\bdev\b"
)


@dataclass(frozen=True)
class Manager:
    """The package manager, its version where something names it, the lock file's path, and what decided."""

    name: str
    version: str | None = None
    lock: str | None = None
    rule: str = "package-manager/default"
    why: str = "nothing names a package manager, and npm comes with node"
    path: str | None = None
    line: int | None = None
    berry: bool = False


class PackageJson:
    """One folder's package.json; whatever is not of the documented form counts as absent."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.file = folder.first("package.json", "package.json5") or "package.json"
        self.data = folder.json(self.file)

    @cached_property
    def scripts(self) -> Mapping[str, str]:
        """The scripts that are text."""
        entries = as_map(self.data.get("scripts")).items()
        return {name: text for name, value in entries if (text := as_text(value))}

    @cached_property
    def dependencies(self) -> Mapping[str, Dependency]:
        """Production, optional and development dependencies."""
        return gather(self._dependencies())

    def _dependencies(self) -> Iterator[Dependency]:
        groups = (("dependencies", False), ("optionalDependencies", False), ("devDependencies", True))
        for group, dev in groups:
            for name, version in as_map(self.data.get(group)).items():
                yield Dependency(name, self.file, as_text(version), dev)

    @property
    def engines(self) -> Mapping[str, str]:
        """engines, where it is text."""
        entries = as_map(self.data.get("engines")).items()
        return {name: text for name, value in entries if (text := as_text(value))}

    @property
    def main(self) -> str | None:
        """The main file."""
        return as_text(self.data.get("main"))

    def line(self, key: str) -> int | None:
        """The line that holds `"key":`."""
        return self.folder.line(self.file, re.compile(rf'"{re.escape(key)}"\s*:'))

    def workspaces(self) -> list[str]:
        """The globs of its workspaces, in either spelling."""
        value = self.data.get("workspaces")
        listed = as_map(value).get("packages") if isinstance(value, dict) else value
        return [glob for item in listed if (glob := as_text(item))] if isinstance(listed, list) else []


def is_dev_server(command: str) -> bool:
    """Whether a script starts a development server, which must not run in production."""
    return DEV_SERVER.search(command) is not None


def find_manager(folder: Folder) -> Manager:
    """packageManager field, lock file, engines; each in the folder first, then above it."""
    levels = [level for level in folder.upwards() if level is folder or level.has("package.json") or _locks(level)]
    for ask in (_from_field, _from_lock, _from_engines):
        for level in levels:
            found = ask(level)
            if found:
                return found
    return Manager("npm")


def _from_field(level: Folder) -> Manager | None:
    package = PackageJson(level)
    field = as_text(package.data.get("packageManager"))
    key = "packageManager"
    if not field:
        wanted = as_map(as_map(package.data.get("devEngines")).get("packageManager"))
        field, key = as_text(wanted.get("name")), "devEngines"
    name, _, version = (field or "").partition("@")
    if name not in PACKAGE_MANAGERS:
        return None
    version = version.partition("+")[0]
    return Manager(
        name,
        version or None,
        _lock_of(level, name),
        "package-manager/field",
        f"{key} says {field}",
        level.path("package.json"),
        package.line(key),
        berry=name == "yarn" and not version.startswith("1.") and bool(version),
    )


def _locks(level: Folder) -> list[str]:
    return [name for name in LOCK_FILES if level.has(name)]


def _lock_of(level: Folder, manager: str) -> str | None:
    for above in level.upwards():
        name = next((lock for lock in _locks(above) if LOCK_FILES[lock] == manager), None)
        if name:
            return above.path(name)
    return None


def _from_lock(level: Folder) -> Manager | None:
    locks = _locks(level)
    if not locks:
        return None
    name = locks[0]
    manager = LOCK_FILES[name]
    others = sorted({LOCK_FILES[lock] for lock in locks[1:]} - {manager})
    if others:
        text = f"lock files of {', '.join([manager, *others])} lie side by side; {name} is used, delete the others"
        level.reader.notice("several_locks", text, level.path(name))
    version = _engine_version(level, manager) or _version_from_lock(level, name)
    berry = manager == "yarn" and _is_berry(level)
    path = level.path(name)
    return Manager(manager, version, path, "package-manager/lock", f"{name} is {manager}'s", path, None, berry)


def _is_berry(level: Folder) -> bool:
    return level.has(".yarnrc.yml") or "__metadata:" in (level.text("yarn.lock") or "")[:2000]


def _engine_version(level: Folder, manager: str) -> str | None:
    match = re.search(r"\d+(?:\.\d+)*", PackageJson(level).engines.get(manager, ""))
    return match[0] if match else None


def _version_from_lock(level: Folder, name: str) -> str | None:
    if name == "pnpm-lock.yaml":
        match = re.search(r"lockfileVersion:\s*'?\"?(\d+)", (level.text(name) or "")[:500])
        return _PNPM_BY_LOCK.get(match[1]) if match else None
    if name == "yarn.lock":
        rc = re.search(r"yarn-(\d+(?:\.\d+)*)", level.text(".yarnrc.yml") or "")
        return rc[1] if rc else "4" if _is_berry(level) else "1"
    return None


def _from_engines(level: Folder) -> Manager | None:
    package = PackageJson(level)
    for name in ("pnpm", "bun", "yarn"):
        if name in package.engines:
            version = _engine_version(level, name)
            why = f"engines names {name}"
            path = level.path("package.json")
            return Manager(name, version, None, "package-manager/engines", why, path, package.line(name))
    return None


def settle_manager(draft: Draft, manager: Manager) -> None:
    """Settle the package manager and its version with what decided them."""
    draft.settle("package_manager", manager.name, manager.rule, manager.why, path=manager.path, line=manager.line)
    if manager.version:
        why = f"{manager.name} {manager.version} follows from it"
        draft.settle(
            "package_manager_version", manager.version, manager.rule, why, path=manager.path, line=manager.line
        )
    if manager.lock is None and not draft.settled("install"):
        at = draft.folder.path("package.json")
        draft.folder.reader.notice("no_lock", "no lock file: each install may resolve other versions", at)


def install_command(manager: Manager) -> str:
    """The install that takes exactly what the lock file holds, where there is one."""
    frozen = {
        "npm": "npm ci",
        "pnpm": "pnpm install --frozen-lockfile",
        "yarn": "yarn install --immutable" if manager.berry else "yarn install --frozen-lockfile",
        "bun": "bun install --frozen-lockfile",
    }
    return frozen[manager.name] if manager.lock else f"{manager.name} install"
