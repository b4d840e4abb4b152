"""Finds what a Python server runs: the application object by syntax tree, Django's module, or a script."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.inspect.folder import Folder
from bot.inspect.paths import parent

_STEMS = ("main", "app", "server", "index", "wsgi", "asgi", "application", "api", "run", "web", "__init__")
_SCRIPTS = ("main", "app", "start", "bot", "server", "run", "hello", "index", "web", "web/server")
_FACTORIES = ("create_app", "make_app", "get_app", "build_app", "app_factory", "create_application", "get_application")
_NOT_AN_ENTRY = re.compile(
    r"(?:^|/)(?:tests?|migrations|scripts|docs|examples?|alembic)/|(?:^|/)(?:test_|conftest|setup)"
)
_MAX_FILES = 24


@dataclass(frozen=True)
class Entry:
    """An application object: module path, its name there, and where it stands. `app_dir` must be on the path."""

    module: str
    name: str
    file: str
    line: int
    why: str
    factory: bool = False
    app_dir: str | None = None


def find_object(folder: Folder, classes: Sequence[str]) -> Entry | None:
    """The assignment of one of these classes, or a function that returns one, in the likeliest file first."""
    factories: list[Entry] = []
    for file in candidate_files(folder):
        entry = _object_in(folder, file, classes)
        if entry and not entry.factory:
            return entry
        if entry:
            factories.append(entry)
    return factories[0] if factories else None


def candidate_files(folder: Folder) -> list[str]:
    """Python files that may hold the entry: conventional names near the root before others."""
    files = [name for name in folder.names if name.endswith(".py") and name.count("/") <= 3]
    usable = [name for name in files if not _NOT_AN_ENTRY.search(name)]
    return sorted(usable, key=_likeliness)[:_MAX_FILES]


def _likeliness(name: str) -> tuple[int, int, str]:
    stem = name.rpartition("/")[2].removesuffix(".py")
    rank = _STEMS.index(stem) if stem in _STEMS else len(_STEMS)
    known = 0 if stem in _STEMS else 1
    return known * 10 + name.count("/"), rank, name


def _object_in(folder: Folder, file: str, classes: Sequence[str]) -> Entry | None:
    text = folder.text(file) or ""
    if not any(name in text for name in classes):
        return None
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _object_by_pattern(folder, file, text, classes)
    return _assigned(folder, file, body, classes) or _factory(folder, file, body, classes)


def _entry(folder: Folder, file: str, name: str, line: int, why: str, factory: bool = False) -> Entry:
    path = file.removesuffix(".py").removesuffix("/__init__")
    app_dir = None
    if path.startswith("src/") and not folder.has("src/__init__.py"):
        path, app_dir = path.removeprefix("src/"), "src"
    return Entry(path.replace("/", "."), name, file, line, why, factory, app_dir)


def _assigned(folder: Folder, file: str, body: list[ast.stmt], classes: Sequence[str]) -> Entry | None:
    makers = {
        function.name for function in body if isinstance(function, ast.FunctionDef) and _builds(function, classes)
    }
    makers |= set(_FACTORIES)
    for statement in _top_level(body):
        target, value = _assignment(statement)
        if target and isinstance(value, ast.Call) and _called(value) in {*classes, *makers}:
            why = f"{target} is made by {_called(value)}() there"
            return _entry(folder, file, target, statement.lineno, why)
    return None


def _top_level(body: list[ast.stmt]) -> Iterable[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, (ast.With, ast.Try)):
            yield from statement.body


def _assignment(statement: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and statement.targets:
        target = statement.targets[0]
        if isinstance(target, ast.Tuple) and target.elts:  # `app, rt = fast_app()`
            target = target.elts[0]
        return (target.id if isinstance(target, ast.Name) else None), statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    return None, None


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _builds(function: ast.AST, classes: Sequence[str]) -> bool:
    return any(isinstance(node, ast.Call) and _called(node) in classes for node in ast.walk(function))


def _factory(folder: Folder, file: str, body: list[ast.stmt], classes: Sequence[str]) -> Entry | None:
    for function in body:
        if not isinstance(function, ast.FunctionDef) or function.args.args or not _builds(function, classes):
            continue
        if function.name in _FACTORIES or "app" in function.name:
            why = f"{function.name}() makes the application there"
            return _entry(folder, file, function.name, function.lineno, why, factory=True)
    return None


def _object_by_pattern(folder: Folder, file: str, text: str, classes: Sequence[str]) -> Entry | None:
    """For sources this interpreter cannot parse."""
    names = "|".join(map(re.escape, classes))
    match = re.search(rf"^(\w+)(?:\s*,\s*\w+)?\s*(?::\s*[\w.]+\s*)?=\s*(?:\w+\.)*(?:{names})\(", text, re.MULTILINE)
    if match is None:
        return None
    return _entry(folder, file, match[1], text.count("\n", 0, match.start()) + 1, f"{match[1]} is made there")


def imports_any(folder: Folder, modules: Sequence[str]) -> bool:
    """Whether a likely entry imports or names one of these modules (`aiohttp.web`)."""
    return any(_imports(folder.text(file) or "", modules) for file in candidate_files(folder)[:12])


def _imports(text: str, modules: Sequence[str]) -> bool:
    for module in modules:
        head, _, tail = module.rpartition(".")
        if re.search(rf"^[ \t]*(?:import|from)\s+{re.escape(module)}\b", text, re.MULTILINE):
            return True
        if head and re.search(rf"^[ \t]*from\s+{re.escape(head)}\s+import\s+.*\b{tail}\b", text, re.MULTILINE):
            return True
        if head and re.search(rf"\b{re.escape(module)}\.", text):
            return True
    return False


def find_script(folder: Folder, modules: Sequence[str]) -> str | None:
    """The script to run: a conventional name that imports one of `modules`, else any that does, else by name."""
    named = [f"{base}{stem}.py" for base in ("", "src/", "app/") for stem in _SCRIPTS]
    present = [name for name in named if folder.has(name)]
    importing = [n for n in [*present, *candidate_files(folder)] if modules and _imports(folder.text(n) or "", modules)]
    if importing:
        return importing[0]
    if present:
        return present[0]
    package = folder.match(r"(?:src/)?[\w-]+/__main__\.py")
    lone = [n for n in folder.match(r"[\w-]+\.py") if not _NOT_AN_ENTRY.search(n) and n != "manage.py"]
    return package[0] if package else lone[0] if len(lone) == 1 else None


@dataclass(frozen=True)
class DjangoModule:
    """The package that holds wsgi.py and asgi.py; `base` is manage.py's folder when it is not the application's."""

    name: str
    base: str
    asgi_file: str | None
    file: str
    line: int | None
    why: str


def package_dir(folder: Folder) -> str:
    """manage.py's folder with its slash, empty at the top."""
    manage = next(iter(folder.match(r"(?:[\w-]+/)?manage\.py")), "manage.py")
    return manage.removesuffix("manage.py")


def django_module(folder: Folder) -> DjangoModule | None:
    """From WSGI_APPLICATION or ASGI_APPLICATION in the settings, else from where wsgi.py stands."""
    base = package_dir(folder).rstrip("/")
    settings = [n for n in folder.match(r"(?:[\w-]+/)*settings(?:/\w+)?\.py") if "test" not in n][:6]
    asgi = next(iter(folder.match(r"(?:[\w-]+/){1,3}asgi\.py")), None)
    for name, match in folder.search(
        r"^(?:WSGI|ASGI)_APPLICATION\s*=\s*['\"]([\w.]+)\.(?:wsgi|asgi)\.\w+['\"]", settings
    ):
        line = folder.line(name, "_APPLICATION")
        return DjangoModule(match[1], base, asgi, name, line, f"{name} names {match[1]} as the application")
    for server in ("wsgi", "asgi"):
        found = next(iter(folder.match(rf"(?:[\w-]+/){{1,3}}{server}\.py")), None)
        if found:
            module = parent(found).removeprefix(f"{base}/" if base else "").replace("/", ".")
            return DjangoModule(module, base, asgi, found, None, f"{found} holds the application")
    return None
