"""Runs the benches, all or those named, and sums up: `python -m bench [NAME…] [--list] [--json FILE]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figure import Figure, table
from bench.report import Measure, busy_sentence, run

BENCHES: Mapping[str, str] = {
    "ingress": "bench.ingress",
    "first-report": "bench.first_report",
    "parsing": "bench.parsing",
    "refused": "bench.refused",
    "deploy": "bench.deploy",
    "aws": "bench.aws",
    "router": "bench.router",
    "idle": "bench.idle",
    "store": "bench.store",
    "audit": "bench.audit",
    "inspection": "bench.inspection",
    "analysis": "bench.analysis",
}


def main() -> int:
    """0 whatever the figures say: they are told, not judged. 1 when a bench itself broke, 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--list", action="store_true", help="say what each measures, and run nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    names = options.names or list(BENCHES)
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no bench {sorted(unknown)[0]!r}; there are {', '.join(BENCHES)}")
    if options.list:
        print("\n".join(f"{name:14} {_purpose(name)}" for name in names))
        return 0
    return _run_all(names, options.json)


def _run_all(names: list[str], file: Path | None) -> int:
    found = {name: run(name, _measure(name)) for name in names}
    figures = [figure for some in found.values() for figure in some or []]
    print(f"\n== summary ==\n{table(figures)}")
    if busy := busy_sentence():
        print(busy)
    broken = [name for name, some in found.items() if some is None]
    if broken:
        print(f"broke: {', '.join(broken)}", file=sys.stderr)
    if file:
        file.write_text(json.dumps(_report(figures, broken), indent=2) + "\n", encoding="utf-8")
    return 1 if broken else 0


def _purpose(name: str) -> str:
    """The first line of the bench's own description."""
    return str(importlib.import_module(BENCHES[name]).__doc__).splitlines()[0]


def _measure(name: str) -> Measure:
    measure: Measure = importlib.import_module(BENCHES[name]).measure
    return measure


def _report(figures: list[Figure], broken: list[str]) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "load": os.getloadavg(),
        },
        "figures": [figure.to_json() for figure in figures],
        "broken": broken,
    }


if __name__ == "__main__":
    sys.exit(main())
