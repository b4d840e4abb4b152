"""build.gradle and settings.gradle, read as text: plugins, dependencies, included projects, toolchain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.inspect.dependencies import Dependency
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.paths import join

_COMMENTS = re.compile(r"(?<!:)//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)", re.DOTALL)
_PLUGIN = re.compile(r"\bid\s*\(?\s*['\"]([\w.-]+)['\"]\)?([^\n]*)|\bapply\s*\(?\s*plugin\s*[:=]\s*['\"]([\w.-]+)['\"]")
_KOTLIN_PLUGIN = re.compile(r"\bkotlin\(\s*\"([\w.]+)\"\s*\)")
_BARE_PLUGIN = re.compile(r"^[ \t]*`?(application|war|java|groovy|scala)`?\s*$", re.MULTILINE)
_ALIAS = re.compile(r"\balias\s*\(?\s*libs\.plugins\.([\w.]+)\s*\)?([^\n]*)")
_LIBRARY_ALIAS = re.compile(r"\b(?:implementation|api|runtimeOnly|compileOnly|developmentOnly)\s*\(?\s*libs\.([\w.]+)")
_COORDINATE = re.compile(r"['\"]([\w.-]+):([\w.-]+)(?::([\w.${}+-]*))?(?:@\w+)?['\"]")
_INCLUDE = re.compile(r"^[ \t]*include\s*\(?((?:\s*['\"][:\w./-]+['\"]\s*,?)+)", re.MULTILINE)
_PROJECT_DIR = re.compile(
    r"project\(\s*['\"](:[\w:-]+)['\"]\s*\)\.projectDir\s*=\s*(?:file|new File)\(\s*(?:\w+,\s*)?['\"]([\w./-]+)['\"]"
)
_RUNNABLE = {
    "org.springframework.boot": "boot",
    "io.quarkus": "quarkus",
    "io.micronaut.application": "shadow",
    "io.micronaut.minimal.application": "install",
    "com.github.johnrengelman.shadow": "shadow",
    "com.gradleup.shadow": "shadow",
    "io.ktor.plugin": "fat",
    "application": "install",
    "war": "war",
}
_ORDER = ("boot", "quarkus", "war", "shadow", "fat", "install")


@dataclass(frozen=True)
class Project:
    """One Gradle project: its folder within the application's, its path (`:api`), its build file and text."""

    place: str
    path: str
    file: str
    text: str
    plugins: frozenset[str]

    @property
    def packaging(self) -> str | None:
        """How the build makes something that starts (boot, quarkus, war, shadow, fat, install); None for a library."""
        kinds = {_RUNNABLE[plugin] for plugin in self.plugins if plugin in _RUNNABLE}
        if "boot" in kinds and "war" in kinds:
            return "boot"
        if kinds <= {"install"} and "Main-Class" in self.text and self._fits_one_jar():
            return "jar"
        return next((kind for kind in _ORDER if kind in kinds), None)

    def _fits_one_jar(self) -> bool:
        """Whether the plain jar runs alone: it needs no library, or takes them in."""
        needs = re.search(r"^[ \t]*(?:implementation|compile|api|runtimeOnly)\b", self.text, re.MULTILINE)
        return needs is None or "zipTree" in self.text


def build_file(folder: Folder, place: str = "") -> str | None:
    """The project's build file."""
    return next((n for n in (join(place, "build.gradle.kts"), join(place, "build.gradle")) if folder.has(n)), None)


def projects(folder: Folder) -> list[Project]:
    """The root project and those that the settings include, existing ones only."""
    places = {"": ""}
    settings = _COMMENTS.sub(" ", folder.text("settings.gradle.kts") or folder.text("settings.gradle") or "")
    moved = {m[1]: m[2] for m in _PROJECT_DIR.finditer(settings)}
    for group in _INCLUDE.finditer(settings):
        for name in re.findall(r"['\"]([:\w./-]+)['\"]", group[1])[:40]:
            path = f":{name.lstrip(':')}"
            places.setdefault(moved.get(path) or path.lstrip(":").replace(":", "/"), path)
    found = (_project(folder, place, path) for place, path in places.items())
    return [project for project in found if project]


def _project(folder: Folder, place: str, path: str) -> Project | None:
    file = build_file(folder, place)
    if file is None:
        return None
    text = _COMMENTS.sub(" ", folder.text(file) or "")
    return Project(place, path, file, text, frozenset(_plugins(folder, text)))


def _plugins(folder: Folder, text: str) -> Iterator[str]:
    catalog = as_map(folder.toml("gradle/libs.versions.toml").get("plugins"))
    for match in _PLUGIN.finditer(text):
        if "apply false" not in (match[2] or ""):
            yield match[1] or match[3]
    for match in _KOTLIN_PLUGIN.finditer(text):
        yield f"org.jetbrains.kotlin.{match[1]}"
    yield from _BARE_PLUGIN.findall(text)
    names = {re.sub(r"[-_.]", ".", alias): value for alias, value in catalog.items()}
    for match in _ALIAS.finditer(text):
        if "apply false" not in match[2]:
            value = names.get(match[1])
            plugin = as_text(as_map(value).get("id")) or (as_text(value) or "").partition(":")[0]
            if plugin:
                yield plugin


def dependencies(folder: Folder, found: list[Project]) -> Iterator[Dependency]:
    """`group:artifact` of what the build files name, and plugins by their id."""
    libraries = as_map(folder.toml("gradle/libs.versions.toml").get("libraries"))
    names = {re.sub(r"[-_.]", ".", alias): value for alias, value in libraries.items()}
    for project in found:
        for plugin in project.plugins:
            yield Dependency(plugin, project.file)
        for match in _COORDINATE.finditer(project.text):
            yield Dependency(f"{match[1]}:{match[2]}", project.file, match[3])
        for match in _LIBRARY_ALIAS.finditer(project.text):
            value = names.get(match[1])
            module = as_text(as_map(value).get("module")) or as_text(value)
            group, name = as_text(as_map(value).get("group")), as_text(as_map(value).get("name"))
            module = module or (f"{group}:{name}" if group and name else None)
            if module:
                yield Dependency(module, project.file)


def root_name(folder: Folder) -> str | None:
    """rootProject.name from the settings."""
    text = folder.text("settings.gradle.kts") or folder.text("settings.gradle") or ""
    match = re.search(r"rootProject\.name\s*=\s*['\"]([\w.-]+)['\"]", text)
    return match[1] if match else None
