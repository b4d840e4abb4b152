"""Runs the static-analysis tools over a folder of sources: lizard for complexity, ruff for findings in Python."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.errors import Permanent
from bot.jobs.analysis.quality.snapshot import ComplexFunction, Complexity, Finding, Findings
from bot.jobs.analysis.quality.sources import Sources

COMPLEXITY_LIMIT = 15  # lizard's own default, above which it warns
_SHOWN = 20
_LINES, _COMPLEXITY, _FILE, _NAME, _START = 4, 1, 6, 7, 9  # columns of lizard's CSV


async def measure_complexity(sources: Sources, limit_s: float) -> Complexity:
    """Cyclomatic complexity of every function. Raises Permanent("tool_failed") or Permanent("tool_too_slow")."""
    told = await _run([sys.executable, "-m", "lizard", "--csv", "-i", "-1", str(sources.folder)], limit_s)
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
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--exit-zero"]
    told = await _run([*command, "--output-format=json", str(sources.folder)], limit_s)
    findings = [
        Finding(sources.path(entry["filename"]), entry["location"]["row"], entry["code"] or "syntax", entry["message"])
        for entry in json.loads(told)
    ]
    findings.sort(key=lambda finding: (finding.path, finding.line))
    by_rule = Counter(finding.rule for finding in findings)
    return Findings(len(findings), dict(by_rule.most_common()), findings[:_SHOWN])


def _function(row: Sequence[str], sources: Sources) -> ComplexFunction:
    return ComplexFunction(
        path=sources.path(row[_FILE]),
        line=int(row[_START]),
        name=row[_NAME],
        complexity=int(row[_COMPLEXITY]),
        lines=int(row[_LINES]),
    )


async def _run(command: Sequence[str], limit_s: float) -> bytes:
    """A tool's output; it is killed when it takes too long or the task is cancelled."""
    tool = await asyncio.create_subprocess_exec(
        *command, cwd=Path(command[-1]), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        told, complained = await asyncio.wait_for(tool.communicate(), limit_s)
    except TimeoutError as error:
        raise Permanent("tool_too_slow", tool=command[2], limit_s=limit_s) from error
    finally:
        if tool.returncode is None:
            tool.kill()
            await tool.wait()
    if tool.returncode:
        detail = complained.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Permanent("tool_failed", tool=command[2], detail="".join(detail))
    return told
