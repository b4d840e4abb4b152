""".NET: which project of a solution is the application, its framework, version and assembly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from bot.inspect.dependencies import matches
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text, line_of
from bot.inspect.languages.common import start_with
from bot.inspect.manifests.pins import Pin, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command
from bot.inspect.paths import parent
from bot.inspect.rules.table import rules

_PROJECT = r"(?:[^/]+/){0,4}[^/]+\.(?:cs|fs|vb)proj"
_LANGUAGES = {"csproj": "csharp", "fsproj": "fsharp", "vbproj": "vb"}
_TARGET = re.compile(r"net(?:coreapp)?(\d+\.\d+)")
_TEST_PACKAGES = ("xunit", "nunit", "mstest", "microsoft.net.test.sdk", "tunit")
_PORTS = (
    r"UseUrls\(\s*\"[^\"]*:(\d{2,5})",
    r"\.Run\(\s*\"https?://[^\":]*:(\d{2,5})",
    r"\"(?:Url|Urls|urls)\"\s*:\s*\"http://[^\":]*:(\d{2,5})",
    r"Environment\.GetEnvironmentVariable\(\"PORT\"\)\s*\?\?\s*\"(\d{2,5})\"",
    r"ListenAnyIP\((\d{2,5})\)",
)


@dataclass(frozen=True)
class Project:
    """One project file: what kind of program it makes, if any."""

    file: str
    sdk: str
    target: str | None
    assembly: str
    output: str | None
    is_test: bool

    @property
    def kind(self) -> str:
        """`web`, `wasm`, `worker`, `exe`, `test` or `library`."""
        if self.is_test:
            return "test"
        sdk = self.sdk.lower()
        if "blazorwebassembly" in sdk:
            return "wasm"
        if "sdk.web" in sdk:
            return "web"
        if "sdk.worker" in sdk:
            return "worker"
        return "exe" if (self.output or "").lower() in ("exe", "winexe") else "library"


_ORDER = ("web", "wasm", "worker", "exe")


def inspect_dotnet(draft: Draft) -> None:
    """Fill the draft from the project that is the application."""
    folder = draft.folder
    draft.family = "dotnet"
    project = _application(draft)
    ending = project.file.rpartition(".")[2] if project else "csproj"
    draft.settle(
        "language",
        _LANGUAGES[ending],
        "dotnet/project",
        "the project file's ending",
        at=project.file if project else None,
    )
    draft.settle("package_manager", "nuget", "dotnet/nuget", ".NET's own")
    settle_runtime(draft, "dotnet", _pins(folder, project))
    if project is None:
        draft.rule_out("framework")
        return
    _settle_framework(draft, project)
    _settle_commands(draft, project)
    _settle_port(draft, project)
    if project.kind == "exe" and _is_referenced(folder, project):
        draft.has_entry = False


def _is_referenced(folder: Folder, project: Project) -> bool:
    """Whether another project of the repository uses this one as a library."""
    name = project.file.rpartition("/")[2]
    reader = folder.reader
    others = [p for p in reader.index.all() if re.fullmatch(_PROJECT, p) and p != folder.path(project.file)][:30]
    pattern = re.compile(rf"ProjectReference\s+Include=\"[^\"]*[\\/]{re.escape(name)}\"")
    return any(pattern.search(reader.text(other) or "") and "Test" not in other for other in others)


def projects(folder: Folder) -> list[Project]:
    """Every readable project, shallow ones first."""
    found = (_read(folder, name) for name in folder.match(_PROJECT)[:30])
    return [project for project in found if project]


def _read(folder: Folder, name: str) -> Project | None:
    root = folder.xml(name)
    if root is None:
        return None
    values = _properties(root)
    packages = [i.get("Include", "").lower() for i in root.iter() if _tag(i) == "PackageReference"]
    stem = name.rpartition("/")[2].rpartition(".")[0]
    is_test = values.get("IsTestProject", "").lower() == "true" or any(p.startswith(_TEST_PACKAGES) for p in packages)
    is_test = is_test or bool(re.search(r"[.-]?(?:Unit|Integration)?Tests?$", stem))
    target = values.get("TargetFramework") or values.get("TargetFrameworks", "").split(";")[-1]
    sdk = root.get("Sdk") or next((i.get("Name", "") for i in root.iter() if _tag(i) == "Sdk"), "")
    return Project(
        name,
        sdk,
        target or _shared_target(folder),
        values.get("AssemblyName") or stem,
        values.get("OutputType"),
        is_test,
    )


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _properties(root: Element) -> dict[str, str]:
    groups = [group for group in root if _tag(group) == "PropertyGroup"]
    return {_tag(item): item.text.strip() for group in groups for item in group if item.text and "$(" not in item.text}


def _shared_target(folder: Folder) -> str | None:
    root = folder.xml("Directory.Build.props")
    return _properties(root).get("TargetFramework") if root is not None else None


def _application(draft: Draft) -> Project | None:
    found = [project for project in projects(draft.folder) if project.kind in _ORDER]
    ordered = sorted(found, key=lambda p: (_ORDER.index(p.kind), p.file.count("/"), p.file))
    if not ordered:
        return None
    rivals = [project for project in ordered if project.kind == ordered[0].kind]
    return rivals[draft.pick_program([parent(project.file) for project in rivals])]


def _pins(folder: Folder, project: Project | None) -> Iterator[Pin]:
    if project and project.target:
        match = _TARGET.match(project.target)
        if match:
            yield Pin(
                match[1],
                folder.path(project.file),
                line_of(folder.text(project.file), "TargetFramework"),
                "TargetFramework",
            )
    version = as_text(as_map(folder.json("global.json").get("sdk")).get("version"))
    if version and not (project and project.target):
        short = ".".join(version.split(".")[:2])
        yield Pin(short, folder.path("global.json"), folder.line("global.json", "version"), "global.json")
    yield from tool_pins(folder, "dotnet", "dotnet-core")


def _settle_framework(draft: Draft, project: Project) -> None:
    framework = {"web": "aspnetcore", "wasm": "blazor-wasm", "worker": "dotnet-worker"}.get(project.kind)
    if framework is None:
        draft.rule_out("framework")
        return
    known = {match.framework.id for match in matches(draft.folder, "csharp", {})} | {framework}
    line = draft.folder.line(project.file, "Sdk")
    if framework in known:
        why = f"{project.file} takes {project.sdk}"
        draft.settle("framework", framework, "framework/sdk", why, at=project.file, line=line)
        draft.raise_certainty(0.9)


def _settle_commands(draft: Draft, project: Project) -> None:
    draft.traits |= {"project": project.file, "assembly": project.assembly, "kind": project.kind}
    folder_of = parent(project.file)
    draft.settle(
        "install",
        f"dotnet restore {project.file}",
        "dotnet/install",
        "restores the project's packages",
        at=project.file,
    )
    draft.settle(
        "build",
        f"dotnet publish {project.file} -c Release -o out",
        "dotnet/build",
        "publishes the project",
        at=project.file,
    )
    if project.kind == "wasm":
        draft.settle(
            "static_output", "out/wwwroot", "blazor/output", "the published site stands there", at=project.file
        )
        draft.rule_out("start")
        draft.has_entry = True
        draft.traits["single_page"] = "yes"
        return
    draft.rule_out("static_output")
    where = f" in {folder_of}" if folder_of else ""
    command = f"dotnet out/{project.assembly}.dll"
    start_with(draft, command, "dotnet/assembly", f"the assembly that {project.file}{where} makes", project.file)


def _settle_port(draft: Draft, project: Project) -> None:
    if project.kind not in ("web", "wasm"):
        return
    settle_port_from_command(draft)
    base = f"{parent(project.file)}/" if parent(project.file) else ""
    sources = [
        f"{base}{n}"
        for n in ("Program.cs", "Program.fs", "Startup.cs", "appsettings.json")
        if draft.folder.has(f"{base}{n}")
    ]
    settle_port_from_code(draft, sources, _PORTS)
    port = rules().frameworks["aspnetcore"].port
    draft.settle("port", port, "port/framework", "aspnetcore listens there in its images")
