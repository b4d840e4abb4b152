"""Haskell: stack or cabal, the compiler that a resolver means, the executable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_list, as_map, as_text
from bot.inspect.languages.common import begin, settle_framework, settle_ports, start_with
from bot.inspect.manifests.pins import Pin, settle_runtime, tool_pins

_HASKELL_PORTS = (
    r"\b(?:scotty|run|runEnv|warp|runSettings)\s+(\d{2,5})",
    r"\bport\s*=\s*(\d{2,5})",
    r"^port:\s*\"?_env:\w*PORT:(\d{2,5})",
)


_GHC_BY_LTS = {18: "8.10", 19: "9.0", 20: "9.2", 21: "9.4", 22: "9.6", 23: "9.8", 24: "9.10"}


def inspect_haskell(draft: Draft) -> None:
    """Fill the draft from stack.yaml and package.yaml, or a .cabal file."""
    folder = draft.folder
    cabal = folder.first_match(r"[\w.-]+\.cabal")
    stack = folder.has("stack.yaml")
    at = "stack.yaml" if stack else cabal
    begin(draft, "haskell", "haskell", "stack" if stack else "cabal", at)
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
