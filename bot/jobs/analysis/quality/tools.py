"""Runs the static-analysis tools over a folder of sources: lizard for complexity, ruff for findings in Python."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.errors import Permanent
from bot.jobs.analysis.quality.snapshot import ComplexFunction, Complexity, Finding, Findings
from bot.jobs.analysis.quality.sources import Sources

COMPLEXITY_LIMIT = 15  # lizard's own default, above which it warns
_SHOWN = 20
_LONGEST_NAME = 200
_LINES, _COMPLEXITY, _FILE, _NAME, _START = 4, 1, 6, 7, 9  # columns of lizard's CSV


async def measure_complexity(sources: Sources, limit_s: float) -> Complexity:
    """Cyclomatic complexity of every function. Raises Permanent("tool_failed") or Permanent("tool_too_slow")."""
    told = await _run("lizard", ["--csv", "-i", "-1"], sources.folder, limit_s)
    with _understanding("lizard"):
        functions = sorted(
            (_function(row, sources) for row in csv.reader(io.StringIO(told.decode("utf-8", "replace"))) if row),
            key=lambda entry: (-entry.complexity, entry.path, entry.line),
        )
    total = sum(entry.complexity for entry in functions)
    return Complexity(
        functions=len(functions),
        average=round(total / len(functions), 2) if functions else 0.0,
        above_limit=sum(entry.complexity > COMPLEXITY_LIMIT for entry in functions),
        worst=functions[:_SHOWN],
    )


async def find_in_python(sources: Sources, limit_s: float) -> Findings:
    """What ruff's default rules find, whatever the repository configures. Raises as `measure_complexity`."""
    options = ["check", "--isolated", "--no-cache", "--exit-zero", "--output-format=json"]
    told = await _run("ruff", options, sources.folder, limit_s)
    with _understanding("ruff"):
        findings = [
            Finding(
                path=sources.path(entry["filename"]),
                line=int(entry["location"]["row"]),
                rule=entry["code"] or "syntax",
                text=entry["message"][:_LONGEST_NAME],
            )
            for entry in json.loads(told)
        ]
    findings.sort(key=lambda finding: (finding.path, finding.line))
    by_rule = Counter(finding.rule for finding in findings)
    return Findings(len(findings), dict(by_rule.most_common()), findings[:_SHOWN])


def _function(row: Sequence[str], sources: Sources) -> ComplexFunction:
    return ComplexFunction(
        path=sources.path(row[_FILE]),
        line=int(row[_START]),
        name=row[_NAME][:_LONGEST_NAME],
        complexity=int(row[_COMPLEXITY]),
        lines=int(row[_LINES]),
    )


@contextmanager
def _understanding(tool: str) -> Iterator[None]:
    """What a tool says of sources that were made to confuse it may make no sense."""
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, csv.Error, RecursionError) as error:
        raise Permanent("tool_failed", tool=tool, detail="its answer was not understood") from error


async def _run(name: str, options: Sequence[str], folder: Path, limit_s: float) -> bytes:
    """A tool's output; it is killed when it takes too long or the task is cancelled.

    It gets nothing of our environment, and imports nothing (`-P`) from the folder it looks at.
    """
    tool = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", name, *options, str(folder)),
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, complained = await asyncio.wait_for(tool.communicate(), limit_s)
    except TimeoutError as error:
        raise Permanent("tool_too_slow", tool=name, limit_s=limit_s) from error
    finally:
        if tool.returncode is None:
            tool.kill()
            await tool.wait()
    if tool.returncode:
        detail = complained.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Permanent("tool_failed", tool=name, detail="".join(detail))
    return told
