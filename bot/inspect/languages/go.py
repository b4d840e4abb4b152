"""Go: which package is the program, framework, version, port."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather, matches
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command
from bot.inspect.paths import parent, shown

_REQUIRE = re.compile(r"^[ \t]*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+v(\S+)(\s*//\s*indirect)?", re.MULTILINE)
_MAIN = re.compile(r"^package\s+main\b", re.MULTILINE)
_PORTS = (
    r"(?:Getenv|LookupEnv)\(\"PORT\"\)[^\"]{0,120}?\"\:?(\d{2,5})\"",
    r"\bport\s*:?=\s*\"\:?(\d{2,5})\"",
    r"(?:ListenAndServe(?:TLS)?|\.Run|\.Listen|\.Start|net\.Listen)\(\s*(?:\"tcp\",\s*)?\"[^\":]*:(\d{2,5})\"",
    r"\bAddr:\s*\"[^\":]*:(\d{2,5})\"",
    r"flag\.(?:Int|String)\(\"(?:port|addr|listen)\"\s*,\s*\"?:?(\d{2,5})",
    r"(?i)\b(?:const|var)\s+\w*(?:port|addr)\w*\s*(?:\w+\s*)?=\s*\"?:?(\d{2,5})",
)


def inspect_go(draft: Draft) -> None:
    """Fill the draft from go.mod, go.work and the packages named main."""
    folder = draft.folder
    draft.family = "go"
    draft.settle(
        "language", "go", "go/manifest", "its manifests are Go's", at=folder.first("go.mod", "go.work", "main.go")
    )
    draft.settle("package_manager", "go", "go/modules", "Go's own modules")
    settle_runtime(draft, "go", _pins(folder))
    vendored = folder.has("vendor/modules.txt")
    if folder.has("go.mod") and not vendored:
        draft.settle("install", "go mod download", "go/install", "go.mod lists the modules", at="go.mod")
    _settle_context(draft)
    _settle_framework(draft)
    _settle_program(draft)
    settle_port_from_command(draft)
    settle_port_from_code(draft, _sources(draft), _PORTS)
    _settle_default_port(draft)
    draft.rule_out("static_output")


def _settle_context(draft: Draft) -> None:
    """A module that a go.work lists, or that replaces another by `../it`, is built from above both."""
    folder = draft.folder
    above = [level for level in list(folder.upwards())[1:] if level.has("go.work")]
    if above:
        place = shown(above[0].root)
        draft.settle("docker_context", place, "go/workspace", "go.work lists it", path=above[0].path("go.work"))
    elif folder.root and re.search(r"=>\s*\.\./", folder.text("go.mod") or ""):
        draft.settle(
            "docker_context", shown(parent(folder.root)), "go/replace", "it uses a module beside it", at="go.mod"
        )


def _pins(folder: Folder) -> Iterator[Pin]:
    yield from tool_pins(folder, "go", "golang")
    yield from file_pins(folder, ".go-version", prefix="go")
    for pattern, rule, least in ((r"^go\s+(\d[\d.]*)", "go", ""), (r"^toolchain\s+go(\d[\d.]*)", "toolchain", ">=")):
        compiled = re.compile(pattern, re.MULTILINE)
        for level in folder.upwards():
            for name in ("go.work", "go.mod"):
                match = compiled.search(level.text(name) or "")
                if match:
                    yield Pin(f"{least}{match[1]}", level.path(name), level.line(name, compiled), f"{name} {rule}")


def _dependencies(folder: Folder) -> Iterator[Dependency]:
    for module in ["go.mod", *folder.match(r"[\w-]+(?:/[\w-]+)?/go\.mod")[:6]]:
        for match in _REQUIRE.finditer(folder.text(module) or ""):
            if not match[3]:
                name = re.sub(r"/v\d+$", "", match[1])
                yield Dependency(name, module, match[2])


def _settle_framework(draft: Draft) -> None:
    found = matches(draft.folder, "go", gather(_dependencies(draft.folder)))
    chosen = found[0] if found else None
    if chosen is None:
        draft.rule_out("framework")
        return
    draft.settle("framework", chosen.framework.id, "framework/dependency", chosen.why, at=chosen.at, line=chosen.line)
    draft.raise_certainty(0.9)


def _settle_default_port(draft: Draft) -> None:
    from_rule = {
        match.framework.id: match.framework.port
        for match in matches(draft.folder, "go", gather(_dependencies(draft.folder)))
    }
    framework = draft.text("framework")
    draft.settle("port", from_rule.get(framework or ""), "port/framework", f"{framework} listens there by default")


def program_packages(folder: Folder) -> list[str]:
    """The folders of packages named main: the root alone when it is one, else cmd/*, else wherever they stand."""
    if _is_main(folder, ""):
        return ["."]
    cmd = sorted({parent(n) for n in folder.match(r"cmd/(?:[\w.-]+/)?[\w.-]+\.go")})
    programs = [place for place in cmd if _is_main(folder, place)]
    if programs:
        return [f"./{place}" for place in programs]
    rest = sorted({parent(n) for n in folder.match(r"(?:[\w.-]+/){1,3}main\.go")}, key=lambda p: (p.count("/"), p))
    return [f"./{place}" for place in rest if _is_main(folder, place)][:8]


def _is_main(folder: Folder, place: str) -> bool:
    base = f"{place}/" if place else ""
    files = [n for n in folder.names if n.startswith(base) and n.endswith(".go") and "/" not in n[len(base) :]]
    plain = sorted((n for n in files if not n.endswith("_test.go")), key=lambda n: (not n.endswith("main.go"), n))
    return any(_MAIN.search(folder.text(name) or "") for name in plain[:3])


def _settle_program(draft: Draft) -> None:
    programs = program_packages(draft.folder)
    if not programs:
        return
    chosen = _likeliest(draft.folder, programs)
    draft.has_entry = True
    draft.traits["package"] = chosen
    if len(programs) > 1 and not _is_clear(draft.folder, programs, chosen):
        chosen = programs[draft.pick_program([place.removeprefix("./") for place in programs])]
        draft.traits["package"] = chosen
        draft.certainty = min(draft.certainty, 0.7)
    draft.settle("build", f"go build -o out {chosen}", "go/package", f"{chosen} is the package named main")
    draft.settle("start", "./out", "go/program", "the program that go build writes")


def _module_name(folder: Folder) -> str:
    match = re.search(r"^module\s+(\S+)", folder.text("go.mod") or "", re.MULTILINE)
    return re.sub(r"/v\d+$", "", match[1]).rpartition("/")[2] if match else ""


def _is_clear(folder: Folder, programs: list[str], chosen: str) -> bool:
    return chosen.rpartition("/")[2] in (_module_name(folder), "server", "web", "api", "app")


def _likeliest(folder: Folder, programs: list[str]) -> str:
    names = {place.rpartition("/")[2]: place for place in reversed(programs)}
    wanted = (_module_name(folder), "server", "web", "api", "app", "main")
    return next((names[name] for name in wanted if name in names), programs[0])


def _sources(draft: Draft) -> list[str]:
    base = draft.traits.get("package", ".").removeprefix(".").removeprefix("/")
    inside = [n for n in draft.folder.names if n.endswith(".go") and not n.endswith("_test.go")]
    own = [n for n in inside if parent(n) == base]
    near = [n for n in inside if re.search(r"(?:^|/)(?:server|http|config|router|app|api)\w*\.go$", n)]
    return list(dict.fromkeys([*sorted(own, key=lambda n: not n.endswith("main.go")), *near]))[:8]
