"""pom.xml: modules, dependencies, plugins, properties, and the jar or war that comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from xml.etree.ElementTree import Element

from bot.inspect.dependencies import Dependency
from bot.inspect.folder import Folder
from bot.inspect.paths import join

_PLACEHOLDER = re.compile(r"\$\{([\w.-]+)\}")
_RUNNABLE_PLUGINS = (
    "spring-boot-maven-plugin",
    "quarkus-maven-plugin",
    "micronaut-maven-plugin",
    "maven-shade-plugin",
    "maven-assembly-plugin",
    "appassembler-maven-plugin",
    "vertx-maven-plugin",
    "jib-maven-plugin",
)


def _children(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [child for child in element if _local(child) == name]


def _child(element: Element | None, *names: str) -> Element | None:
    for name in names:
        element = next(iter(_children(element, name)), None)
    return element


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class Pom:
    """One module's pom; `place` is its folder within the application's folder, `""` at the top."""

    def __init__(self, folder: Folder, place: str = "") -> None:
        self.folder = folder
        self.place = place
        self.file = join(place, "pom.xml")
        self.root = folder.xml(self.file)

    def text(self, *names: str) -> str | None:
        """A value by its path below the project, placeholders filled in."""
        element = _child(self.root, *names)
        value = (element.text or "").strip() if element is not None else ""
        return self._filled(value) or None

    def _filled(self, value: str) -> str:
        for _ in range(4):
            filled = _PLACEHOLDER.sub(lambda m: self.properties.get(m[1], m[0]), value)
            if filled == value or len(filled) > 500:
                break
            value = filled
        return value if "${" not in value else ""

    @cached_property
    def properties(self) -> Mapping[str, str]:
        """The properties, with the project's own coordinates among them."""
        values = {
            _local(item): (item.text or "").strip()
            for item in (_child(self.root, "properties") if self.root is not None else None) or ()
        }
        for name in ("artifactId", "version", "groupId"):
            element = _child(self.root, name) if self.root is not None else None
            inherited = _child(self.root, "parent", name) if element is None else element
            if inherited is not None and inherited.text:
                values.setdefault(f"project.{name}", inherited.text.strip())
        return values

    @property
    def packaging(self) -> str:
        """jar, war or pom."""
        return self.text("packaging") or "jar"

    @property
    def artifact(self) -> str:
        """The artifact's id."""
        return self.text("artifactId") or "app"

    def modules(self) -> list[str]:
        """The modules' folders, those of profiles left out."""
        found = [(m.text or "").strip() for m in _children(_child(self.root, "modules"), "module")]
        return [join(self.place, name.strip("/")) for name in found if name and ".." not in name]

    def dependencies(self) -> Iterator[Dependency]:
        """`group:artifact` of dependencies, plugins and the parent."""
        for item in _children(_child(self.root, "dependencies"), "dependency"):
            yield self._dependency(item)
        for plugin in self._plugins():
            yield self._dependency(plugin)
        parent = _child(self.root, "parent")
        if parent is not None:
            yield self._dependency(parent)

    def _dependency(self, item: Element) -> Dependency:
        group, artifact, scope = (_child(item, name) for name in ("groupId", "artifactId", "scope"))
        name = ":".join((part.text or "").strip() if part is not None else "" for part in (group, artifact))
        return Dependency(self._filled(name) or name, self.file, None, scope is not None and scope.text == "test")

    def _plugins(self) -> list[Element]:
        return _children(_child(self.root, "build", "plugins"), "plugin")

    def plugins(self) -> list[str]:
        """The artifact ids of the build's plugins."""
        names = (_child(plugin, "artifactId") for plugin in self._plugins())
        return [(name.text or "").strip() for name in names if name is not None]

    def is_runnable(self) -> bool:
        """Whether the build makes something that starts: a plugin that repackages, or a manifest's main class."""
        if self.packaging == "war":
            return True
        return any(plugin in _RUNNABLE_PLUGINS for plugin in self.plugins()) or "mainClass" in (
            self.folder.text(self.file) or ""
        )

    def artifact_glob(self) -> str:
        """The file the build leaves in target/, from the final name where it is set."""
        final = self.text("build", "finalName")
        version = self.properties.get("project.version", "")
        plugins = self.plugins()
        ending = "-jar-with-dependencies" if "maven-assembly-plugin" in plugins and not final else ""
        stem = final or (f"{self.artifact}-{version}{ending}" if version and "$" not in version else "*")
        return join(self.place, f"target/{stem}.{'war' if self.packaging == 'war' else 'jar'}")


def all_poms(folder: Folder) -> list[Pom]:
    """The top pom and its modules, two levels deep."""
    top = Pom(folder)
    found = [top]
    for place in top.modules()[:30]:
        module = Pom(folder, place)
        found.append(module)
        found += [Pom(folder, deeper) for deeper in module.modules()[:10]]
    return [pom for pom in found if pom.root is not None]
