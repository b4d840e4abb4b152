"""Languages that compile to one program and have one way to do it: Dart, Swift, Crystal, Zig, Haskell, C++."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_list, as_map, as_text
from bot.inspect.languages.common import settle_framework, settle_ports, start_with
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins

_DART_PORTS = (
    r"environment\['PORT'\]\s*\?\?\s*'(\d{2,5})'",
    r"\bport\s*=\s*(\d{2,5})",
    r"serve\([^)]*,\s*(\d{2,5})\s*\)",
)
_SWIFT_PORTS = (r"\bport\s*[:=]\s*(\d{2,5})", r"\.port\s*=\s*(\d{2,5})", r"port:\s*(\d{2,5})")
_CRYSTAL_PORTS = (r"Kemal\.run\s*\(?\s*(\d{2,5})", r"\bport\s*=\s*(\d{2,5})", r"bind_tcp\([^)]*?(\d{2,5})")
_HASKELL_PORTS = (
    r"\b(?:scotty|run|runEnv|warp|runSettings)\s+(\d{2,5})",
    r"\bport\s*=\s*(\d{2,5})",
    r"^port:\s*\"?_env:\w*PORT:(\d{2,5})",
)
_CPP_PORTS = (
    r"\.port\(\s*(\d{2,5})",
    r"addListener\([^,]*,\s*(\d{2,5})",
    r"\.listen\([^)]*?(\d{2,5})",
    r"\bport\b\s*=\s*(\d{2,5})",
)


def _begin(draft: Draft, family: str, language: str, manager: str, at: str | None) -> None:
    draft.family = family
    draft.settle("language", language, f"{family}/manifest", f"{at} is there", at=at)
    draft.settle("package_manager", manager, f"{family}/{manager}", f"{at} is {manager}'s", at=at)
    draft.rule_out("static_output")


def inspect_dart(draft: Draft) -> None:
    """Fill the draft from pubspec.yaml; a Flutter project is a web site."""
    folder = draft.folder
    data = folder.yaml("pubspec.yaml")
    found = as_map(data.get("dependencies"))
    if "flutter" in found:
        _inspect_flutter(draft)
        return
    _begin(draft, "dart", "dart", "pub", "pubspec.yaml")
    settle_runtime(draft, "dart", _dart_pins(folder))
    dependencies = gather(Dependency(n, "pubspec.yaml", as_text(v)) for n, v in found.items())
    match = settle_framework(draft, ("dart",), dependencies)
    draft.settle("install", "dart pub get", "dart/install", "takes what pubspec.lock holds")
    name = as_text(data.get("name")) or "app"
    if match and match.framework.id == "dart-frog":
        draft.settle("build", "dart_frog build", "dart-frog/build", "dart_frog builds so")
        start_with(
            draft, "dart build/bin/server.dart", "dart-frog/start", "what dart_frog build leaves", "pubspec.yaml"
        )
        draft.traits["entry"] = "build/bin/server.dart"
    else:
        _settle_dart_entry(draft, name)
    settle_ports(draft, match, folder.match(r"(?:bin|lib)/[\w/]+\.dart")[:6], _DART_PORTS)


def _dart_pins(folder: Folder) -> Iterator[Pin]:
    yield from tool_pins(folder, "dart")
    text = as_text(as_map(folder.yaml("pubspec.yaml").get("environment")).get("sdk"))
    if text and text != "any":
        yield Pin(text, folder.path("pubspec.yaml"), folder.line("pubspec.yaml", "sdk:"), "pubspec.yaml")


def _settle_dart_entry(draft: Draft, name: str) -> None:
    folder = draft.folder
    entry = folder.first("bin/server.dart", "bin/main.dart", f"bin/{name}.dart") or next(
        iter(folder.match(r"bin/\w+\.dart")), None
    )
    if entry is None:
        return
    draft.traits["entry"] = entry
    draft.settle("build", f"dart compile exe {entry}", "dart/build", f"{entry} is the program", at=entry)
    start_with(draft, f"./{entry.removesuffix('.dart')}.exe", "dart/program", "what dart compile exe leaves", entry)


def _inspect_flutter(draft: Draft) -> None:
    draft.family = "flutter"
    draft.settle("language", "dart", "dart/manifest", "pubspec.yaml is there", at="pubspec.yaml")
    draft.settle("package_manager", "pub", "dart/pub", "pubspec.yaml is pub's", at="pubspec.yaml")
    settle_runtime(draft, "dart", _dart_pins(draft.folder))
    draft.rule_out("framework")
    draft.settle("build", "flutter build web", "flutter/build", "it depends on flutter", at="pubspec.yaml")
    draft.settle("static_output", "build/web", "flutter/output", "flutter builds the web version there")
    draft.rule_out("start")
    draft.settle("port", 8080, "port/static", "static files are served on 8080")
    draft.has_entry = draft.folder.any(r"web/index\.html|lib/main\.dart")


def inspect_swift(draft: Draft) -> None:
    """Fill the draft from Package.swift."""
    folder = draft.folder
    text = folder.text("Package.swift") or ""
    _begin(draft, "swift", "swift", "swiftpm", "Package.swift")
    settle_runtime(draft, "swift", _swift_pins(folder, text))
    names = re.findall(r"url:\s*\"[^\"]*/([\w.-]+?)(?:\.git)?\"", text)
    match = settle_framework(draft, ("swift",), gather(Dependency(name, "Package.swift") for name in names))
    program = _swift_program(folder, text)
    if program:
        draft.traits["program"] = program
        command = "swift build -c release --static-swift-stdlib"
        draft.settle("build", command, "swift/build", f"{program} is the executable", at="Package.swift")
        options = {
            "vapor": " serve --env production --hostname 0.0.0.0 --port $PORT",
            "hummingbird": " --hostname 0.0.0.0 --port $PORT",
        }.get(match.framework.id if match else "", "")
        start_with(
            draft, f"./.build/release/{program}{options}", "swift/program", "what swift build leaves", "Package.swift"
        )
    settle_ports(
        draft, match, folder.match(r"Sources/.*(?:main|configure|entrypoint|App|Server)\w*\.swift")[:6], _SWIFT_PORTS
    )


def _swift_pins(folder: Folder, text: str) -> Iterator[Pin]:
    yield from file_pins(folder, ".swift-version")
    yield from tool_pins(folder, "swift")
    match = re.match(r"\s*//\s*swift-tools-version:\s*(\d[\d.]*)", text)
    if match:
        yield Pin(f">={match[1]}", folder.path("Package.swift"), 1, "swift-tools-version")


def _swift_program(folder: Folder, text: str) -> str | None:
    named = re.findall(r"\.executable(?:Target)?\(\s*name:\s*\"([^\"]+)\"", text)
    if named:
        return str(named[-1] if "Run" in named else named[0])
    mains = folder.match(r"Sources/[\w-]+/main\.swift")
    if mains:
        return mains[0].split("/")[1]
    package = re.search(r"name:\s*\"([^\"]+)\"", text)
    return package[1] if package and folder.has("Sources/main.swift") else None


def inspect_crystal(draft: Draft) -> None:
    """Fill the draft from shard.yml."""
    folder = draft.folder
    data = folder.yaml("shard.yml")
    _begin(draft, "crystal", "crystal", "shards", "shard.yml")
    settle_runtime(draft, "crystal", _crystal_pins(folder))
    found = (Dependency(name, "shard.yml") for name in as_map(data.get("dependencies")))
    match = settle_framework(draft, ("crystal",), gather(found))
    name = as_text(data.get("name")) or "app"
    targets = list(as_map(data.get("targets")))
    program = next((t for t in targets if t in (name, "server", "app")), targets[0] if targets else name)
    frozen = " --frozen" if folder.has("shard.lock") else ""
    draft.traits["program"] = program
    draft.settle("install", f"shards install --production{frozen}", "crystal/install", "takes what shard.lock holds")
    command = f"shards build --release --production {program}"
    draft.settle("build", command, "crystal/build", f"{program} is the target", at="shard.yml")
    start_with(
        draft, f"./bin/{program}", "crystal/program", "what shards build leaves", "shard.yml", guessed=not targets
    )
    settle_ports(draft, match, folder.match(r"src/.*\.cr|config/.*\.cr")[:6], _CRYSTAL_PORTS)


def _crystal_pins(folder: Folder) -> Iterator[Pin]:
    yield from file_pins(folder, ".crystal-version")
    yield from tool_pins(folder, "crystal")
    text = as_text(folder.yaml("shard.yml").get("crystal"))
    if text:
        yield Pin(text, folder.path("shard.yml"), folder.line("shard.yml", "crystal:"), "shard.yml")


def inspect_zig(draft: Draft) -> None:
    """Fill the draft from build.zig."""
    folder = draft.folder
    text = folder.text("build.zig") or ""
    _begin(draft, "zig", "zig", "zig", "build.zig")
    settle_runtime(draft, "zig", _zig_pins(folder))
    draft.rule_out("framework")
    match = re.search(r"addExecutable\(\s*(?:\.\{[^}]{0,500}?\.name\s*=\s*)?\"([^\"]+)\"", text, re.DOTALL)
    if match:
        draft.traits["program"] = match[1]
        draft.settle(
            "build", "zig build -Doptimize=ReleaseSafe", "zig/build", f"{match[1]} is the executable", at="build.zig"
        )
        start_with(draft, f"./zig-out/bin/{match[1]}", "zig/program", "what zig build leaves", "build.zig")
    settle_ports(
        draft, None, folder.match(r"src/.*\.zig")[:4], (r"\bport\s*[:=]\s*(\d{2,5})", r"parseIp\([^,]*,\s*(\d{2,5})")
    )


def _zig_pins(folder: Folder) -> Iterator[Pin]:
    match = re.search(r"\.minimum_zig_version\s*=\s*\"([^\"]+)\"", folder.text("build.zig.zon") or "")
    if match:
        yield Pin(match[1], folder.path("build.zig.zon"), folder.line("build.zig.zon", "minimum_zig"), "build.zig.zon")
    yield from file_pins(folder, ".zigversion", ".zig-version")
    yield from tool_pins(folder, "zig")


_GHC_BY_LTS = {18: "8.10", 19: "9.0", 20: "9.2", 21: "9.4", 22: "9.6", 23: "9.8", 24: "9.10"}


def inspect_haskell(draft: Draft) -> None:
    """Fill the draft from stack.yaml and package.yaml, or a .cabal file."""
    folder = draft.folder
    cabal = folder.first_match(r"[\w.-]+\.cabal")
    stack = folder.has("stack.yaml")
    at = "stack.yaml" if stack else cabal
    _begin(draft, "haskell", "haskell", "stack" if stack else "cabal", at)
    settle_runtime(draft, "haskell", _haskell_pins(folder, cabal))
    match = settle_framework(draft, ("haskell",), gather(_haskell_dependencies(folder, cabal)))
    program = _haskell_program(folder, cabal)
    if program:
        draft.traits["program"] = program
        build = (
            "stack build --copy-bins --local-bin-path bin"
            if stack
            else "cabal install --install-method=copy --installdir=bin"
        )
        draft.settle("build", build, "haskell/build", f"{program} is the executable", at=at)
        start_with(draft, f"./bin/{program}", "haskell/program", "what the build copies there", at)
    sources = [*folder.match(r"config/settings\.ya?ml"), *folder.match(r"(?:app|src|exe)/[\w/]*\.hs")[:5]]
    settle_ports(draft, match, sources, _HASKELL_PORTS)


def _haskell_pins(folder: Folder, cabal: str | None) -> Iterator[Pin]:
    named = re.search(r"\blts[-/](\d+)", (folder.text("stack.yaml") or "").partition("resolver:")[2][:300])
    compiler = _GHC_BY_LTS.get(int(named[1])) if named else None
    if compiler:
        yield Pin(compiler, folder.path("stack.yaml"), folder.line("stack.yaml", "resolver:"), "resolver")
    text = folder.text(cabal) if cabal else None
    match = re.search(r"^tested-with:\s*GHC\s*==\s*([\d.]+)", text or "", re.MULTILINE | re.IGNORECASE)
    if match and cabal:
        yield Pin(match[1], folder.path(cabal), folder.line(cabal, "tested-with"), "tested-with")
    yield from tool_pins(folder, "ghc", "haskell")


def _haskell_dependencies(folder: Folder, cabal: str | None) -> Iterator[Dependency]:
    data = folder.yaml("package.yaml")
    tables = [data, as_map(data.get("library")), *(as_map(v) for v in as_map(data.get("executables")).values())]
    for table in tables:
        for item in as_list(table.get("dependencies")):
            name = as_text(item) or as_text(as_map(item).get("name")) or ""
            yield Dependency(re.split(r"[\s<>=^]", name)[0], "package.yaml")
    for block in re.findall(
        r"build-depends:((?:.*)(?:\n[ \t]+[^:\n]*$)*)", (folder.text(cabal) if cabal else "") or "", re.MULTILINE
    ):
        for name in re.findall(r"(?:^|,)\s*([A-Za-z][\w-]*)", block.replace("\n", " ")):
            yield Dependency(name, cabal or "")


def _haskell_program(folder: Folder, cabal: str | None) -> str | None:
    executables = list(as_map(folder.yaml("package.yaml").get("executables")))
    if not executables and cabal:
        executables = re.findall(r"^executable\s+([\w.-]+)", folder.text(cabal) or "", re.MULTILINE)
    return str(executables[0]) if executables else None


def inspect_cpp(draft: Draft) -> None:
    """Fill the draft from CMakeLists.txt or meson.build."""
    folder = draft.folder
    meson = folder.has("meson.build") and not folder.has("CMakeLists.txt")
    at = "meson.build" if meson else "CMakeLists.txt"
    tool = (
        "conan"
        if folder.first("conanfile.txt", "conanfile.py")
        else "vcpkg"
        if folder.has("vcpkg.json")
        else "meson"
        if meson
        else "cmake"
    )
    language = (
        "c"
        if folder.any(r"(?:[\w-]+/)*[\w.-]+\.c") and not folder.any(r"(?:[\w-]+/)*[\w.-]+\.(?:cc|cpp|cxx)")
        else "cpp"
    )
    _begin(draft, "cpp", language, tool, at)
    match = settle_framework(draft, ("cpp",), {})
    program = _cpp_program(folder.text(at) or "", meson)
    if program:
        draft.traits |= {"program": program, "build_tool": "meson" if meson else "cmake"}
        build = (
            "meson setup build && meson compile -C build"
            if meson
            else "cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build build"
        )
        draft.settle("build", build, "cpp/build", f"{program} is the executable", at=at)
        start_with(draft, f"./build/{program}", "cpp/program", "what the build leaves", at)
    settle_ports(
        draft,
        match,
        folder.match(r"(?:src/|app/)?[\w-]+\.(?:cc|cpp|cxx|c)")[:5] + folder.match(r"config\.json")[:1],
        _CPP_PORTS,
    )


def _cpp_program(text: str, meson: bool) -> str | None:
    project = re.search(r"\bproject\s*\(\s*['\"]?([\w.-]+)", text, re.IGNORECASE)
    found = re.search(
        r"\bexecutable\s*\(\s*'?([\w.${}-]+)" if meson else r"\badd_executable\s*\(\s*([\w.${}-]+)", text, re.IGNORECASE
    )
    if found is None:
        return None
    name = found[1]
    return (project[1] if project else "app") if "$" in name or name == "meson" else name


def inspect_shell(draft: Draft) -> None:
    """A start script alone: its first line says which shell runs it."""
    folder = draft.folder
    script = folder.first("start.sh", "run.sh", "entrypoint.sh")
    draft.family = "shell"
    draft.settle("language", "shell", "shell/script", f"{script} is all there is", at=script)
    draft.rule_out("framework")
    draft.rule_out("static_output")
    first = (folder.text(script or "") or "").partition("\n")[0]
    match = re.match(r"#!\s*(?:/usr/bin/env\s+)?\S*?(bash|zsh|dash|ash|ksh|sh)\b", first)
    interpreter = match[1] if match else "sh"
    if script:
        start_with(draft, f"{interpreter} {script}", "shell/script", "its first line names the shell", script)
