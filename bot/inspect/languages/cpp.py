"""C and C++: CMake or Meson, and the executable they declare."""

from __future__ import annotations

import re

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.common import begin, settle_framework, settle_ports, start_with

_CPP_PORTS = (
    r"\.port\(\s*(\d{2,5})",
    r"addListener\([^,\n]{0,120},\s*(\d{2,5})",
    r"\.listen\([^)\n]{0,120}?(\d{2,5})",
    r"\bport\b\s*=\s*(\d{2,5})",
)
_MESON_BUILD = "meson setup build && meson compile -C build"
_CMAKE_BUILD = "cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build build"


def inspect_cpp(draft: Draft) -> None:
    """Fill the draft from CMakeLists.txt or meson.build."""
    folder = draft.folder
    meson = folder.has("meson.build") and not folder.has("CMakeLists.txt")
    at = "meson.build" if meson else "CMakeLists.txt"
    begin(draft, "cpp", _language(folder), _package_manager(folder, meson), at)
    match = settle_framework(draft, ("cpp",), {})
    program = _cpp_program(folder.text(at) or "", meson)
    if program:
        draft.traits |= {"program": program, "build_tool": "meson" if meson else "cmake"}
        build = _MESON_BUILD if meson else _CMAKE_BUILD
        draft.settle("build", build, "cpp/build", f"{program} is the executable", at=at)
        start_with(draft, f"./build/{program}", "cpp/program", "what the build leaves", at)
    sources = folder.match(r"(?:src/|app/)?[\w-]+\.(?:cc|cpp|cxx|c)")[:5]
    settle_ports(draft, match, sources + folder.match(r"config\.json")[:1], _CPP_PORTS)


def _package_manager(folder: Folder, meson: bool) -> str:
    if folder.first("conanfile.txt", "conanfile.py"):
        return "conan"
    if folder.has("vcpkg.json"):
        return "vcpkg"
    return "meson" if meson else "cmake"


def _language(folder: Folder) -> str:
    """C only where there is no C++ beside it."""
    has_c = folder.any(r"(?:[\w-]+/)*[\w.-]+\.c")
    return "c" if has_c and not folder.any(r"(?:[\w-]+/)*[\w.-]+\.(?:cc|cpp|cxx)") else "cpp"


def _cpp_program(text: str, meson: bool) -> str | None:
    project = re.search(r"\bproject\s*\(\s*['\"]?([\w.-]+)", text, re.IGNORECASE)
    found = re.search(
        r"\bexecutable\s*\(\s*'?([\w.${}-]+)" if meson else r"\badd_executable\s*\(\s*([\w.${}-]+)", text, re.IGNORECASE
    )
    if found is None:
        return None
    name = found[1]
    return (project[1] if project else "app") if "$" in name or name == "meson" else name
