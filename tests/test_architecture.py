"""The house keeps its shape: imports go one way, and the environment is read in one place."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "handlers", "storage", "aws")

COMPOSITION = {"bot.app", "bot.composition", "bot.cli", "bot.shell", "bot.demo", "bot.__main__"}
"""The one place that puts the rooms together, and the shell in front of it."""

LAMBDAS = "aws.lambdas"
"""A door and a composition root of its own, in AWS: it stands under `aws` and puts rooms together."""

MAY_IMPORT = {
    "handlers": {"bot"},
    "storage": {"bot.approvals", "bot.audit", "bot.errors", "bot.locks", "bot.model", "bot.store"},
    "storage.engine": {"bot.errors", "storage.schema"},
    "aws": {"bot.asked", "bot.errors", "bot.model", "bot.ports"},
    LAMBDAS: {"aws", "bot"},
    "bot.sandbox": {"bot.sandbox"},
    "bot.inspect": {"bot.inspect"},
    "bot.annotations": {"bot.annotations"},
}
"""Rooms with a closed door: what they may import beside themselves."""

DECIDING = {"bot.deliveries", "bot.desk", "bot.gates", "bot.reconcile"}
"""Where it is decided what is done."""

WORKING = {"bot.engines", "bot.jobs", "bot.ports", "bot.tenure", "bot.worker", "aws"}
"""Where it is done."""

FLOORS = {
    "bot.jobs.analysis": ("repositories", "blame", "people", "languages", "reports", "runs", "quality", "faces"),
    "bot.jobs.deploy": ("image", "watching", "stages"),
}
"""The rooms of a kind of job, from the lowest up: none imports one above it."""

LEAVES = {"bot.model", "bot.errors", "bot.clock", "bot.commands", "bot.masking"}
"""Modules at the bottom: they import nothing of the house but each other."""


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


@cache
def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.partition(".")[0] in ROOMS}


def within(name: str, places: set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize(("room", "allowed"), MAY_IMPORT.items())
def test_a_room_imports_only_what_the_table_allows(room: str, allowed: set[str]) -> None:
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, {room}) and (room == LAMBDAS or not within(name, {LAMBDAS}))
        for used in imports(path)
        if used not in {"bot", "storage", "aws"} and not within(used, allowed | {room})
    ]
    assert wrong == []


def test_bot_imports_no_other_room_except_where_it_is_put_together() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if name.startswith("bot") and not within(name, COMPOSITION)
        for used in imports(path)
        if used.partition(".")[0] != "bot"
    ]
    assert wrong == []


def test_no_module_needs_itself_in_the_end() -> None:
    known = {name for name, _ in modules()}
    graphlib.TopologicalSorter({name: (imports(path) & known) - {name} for name, path in modules()}).prepare()


def test_nobody_imports_the_lambdas() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if not within(name, {LAMBDAS})
        for used in imports(path)
        if within(used, {LAMBDAS})
    ]
    assert wrong == []


def test_the_work_never_reaches_for_those_who_report_it() -> None:
    above = {
        "bot.reporters",
        "bot.deliveries.intake",
        "bot.desk",
        "bot.gates",
        "bot.tenure",
        "bot.worker",
        "bot.app",
        "bot.composition",
        "bot.cli",
        "bot.web",
    }
    below = {"bot.jobs", "bot.engines", "bot.github", "bot.inspect"}
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, below)
        for used in imports(path)
        if within(used, above)
    ]
    assert wrong == []


def test_the_gates_know_nothing_of_those_who_ask_at_them() -> None:
    asking = {"bot.desk", "bot.deliveries.intake", "bot.reconcile", "bot.reporters", "bot.slack", "bot.worker"}
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, {"bot.gates"})
        for used in imports(path)
        if within(used, asking)
    ]
    assert wrong == []


def test_the_desk_knows_no_face_by_name() -> None:
    """It words answers as reports are worded, and asks nothing of where they are said."""
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, {"bot.desk"})
        for used in imports(path)
        if within(used, {"bot.slack", "bot.web", "bot.api"})
    ]
    assert wrong == []


def test_nobody_knows_a_reporter_but_who_puts_the_house_together() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if not within(name, COMPOSITION | {"bot.reporters"})
        for used in imports(path)
        if within(used, {"bot.reporters"})
    ]
    assert wrong == []


def test_a_reporter_tells_and_reaches_for_nothing_that_decides_or_works() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, {"bot.reporters"})
        for used in imports(path)
        if within(used, DECIDING | WORKING) and not within(used, {"bot.jobs.analysis.faces"})
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("rooms", "reads"),
    [
        ({"bot.reporters", "bot.shown"}, {"get", "log_tail", "story"}),
        ({"handlers"}, {"called", "events", "find", "get", "last_seq", "named_now", "story"}),
    ],
)
def test_who_tells_and_who_asks_only_read_jobs(rooms: set[str], reads: set[str]) -> None:
    asked = re.compile(r"\bjobs\.(\w+)\(")
    calls = {
        call
        for name, path in modules()
        if within(name, rooms)
        for call in asked.findall(path.read_text(encoding="utf-8"))
    }
    assert calls == reads


def test_a_job_in_words_knows_nothing_of_those_who_say_it() -> None:
    saying = {"bot.github", "bot.reporters", "bot.slack", "bot.web", "handlers"}
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, {"bot.shown"})
        for used in imports(path)
        if within(used, DECIDING | saying)
    ]
    assert wrong == []


def test_a_handler_asks_and_neither_decides_nor_works() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, path in modules()
        if within(name, {"handlers"})
        for used in imports(path)
        if within(used, {"bot.gates", "bot.reconcile"} | (WORKING - {"bot.jobs"}) | {"bot.jobs.deploy"})
    ]
    assert wrong == []


def test_who_decides_and_who_remembers_speak_no_http() -> None:
    quiet = {"bot.store", "bot.shown", "bot.reporters", "storage"} | DECIDING
    wrong = [
        name
        for name, path in modules()
        if within(name, quiet)
        and re.search(r"^(import|from) (aiohttp|http|urllib\.request|yarl)\b", path.read_text(), re.M)
    ]
    assert wrong == []


@pytest.mark.parametrize(("home", "floors"), FLOORS.items())
def test_the_rooms_of_a_job_stand_one_above_another(home: str, floors: tuple[str, ...]) -> None:
    wrong = [
        f"{name} imports {used}"
        for floor, room in enumerate(floors)
        for name, path in modules()
        if within(name, {f"{home}.{room}"})
        for used in imports(path)
        if within(used, {home}) and within(used, {f"{home}.{above}" for above in floors[floor + 1 :]})
    ]
    assert wrong == []


@pytest.mark.parametrize("leaf", sorted(LEAVES))
def test_the_words_at_the_bottom_import_nothing_above_them(leaf: str) -> None:
    path = ROOT / (leaf.replace(".", "/") + ".py")
    assert {used for used in imports(path) if not within(used, LEAVES | {"bot"})} == set()


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name for name, path in modules() if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    assert {name for name in readers if not within(name, {"bot.sandbox", "bot.jobs.analysis"})} <= {
        "bot.config",
        "bot.cli",
        "bot.demo.server",
        "aws.lambdas.settings",
    }


def test_sql_lives_in_storage_only() -> None:
    statement = re.compile(r"\b(SELECT\s+.+\s+FROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b")
    wrong = [
        name
        for name, path in modules()
        if not within(name, {"storage"}) and statement.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_package_files_stay_empty() -> None:
    assert [str(path) for name, path in modules() if path.name == "__init__.py" and path.read_text().strip()] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name
        for name, path in modules()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_log_line_spreads_facts_over_its_own_fields() -> None:
    """A fact may be called `name` or `message`, which logging refuses with a KeyError, in the middle of a request."""
    spread = re.compile(r"extra=\{[^}]*\*\*\w+\.facts")
    assert [name for name, path in modules() if spread.search(path.read_text(encoding="utf-8"))] == []
