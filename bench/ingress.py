"""How fast webhooks are verified, on disk and answered, beside a minimal Probot app that stores nothing.

Run: python -m bench.ingress [--pairs 5] [--seconds 8]. Needs node, npm, wrk and taskset. The servers take turns on the
first core (wrk has the second), each pair in the other order. Goals: 1.5 times the rate (the median of the pairs'
ratios), p99 under 20 ms, and every acknowledged delivery in the file.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.figure import CannotMeasure, Figure, beside, none, under
from bench.peer import CACHE, PROBOT, Run, measure_server, prepare, probot, shipmate
from bench.report import main

BENCH = "ingress"
RATIO_GOAL = 1.5
P99_LIMIT_MS = 20.0
TOOLS = ("node", "npm", "wrk", "taskset")


def measure(arguments: list[str]) -> list[Figure]:
    """Run the pairs, print the table. Raises CannotMeasure where a tool is missing or the peer cannot be installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    options = parser.parse_args(arguments)
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotMeasure(f"{', '.join(missing)} cannot be found: apt-get install nodejs npm wrk util-linux")
    peer = prepare()
    return _figures([_pair(peer, index, options.seconds) for index in range(options.pairs)])


def _pair(peer: Path, index: int, seconds: int) -> tuple[Run, Run]:
    """(Probot, Shipmate), run one after the other, the order changing from pair to pair."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        file = Path(folder) / "bench.db"
        servers = [probot(peer), shipmate(file)]
        order = servers if index % 2 == 0 else servers[::-1]
        runs = {server.name: measure_server(server, peer, seconds) for server in order}
        theirs, ours = runs[servers[0].name], runs[servers[1].name]
        _require_kept(file, ours.requests)
    print(
        f"pair {index + 1}: {theirs.rate:,.0f}/s and {ours.rate:,.0f}/s, ratio {ours.rate / theirs.rate:.2f}", end="; "
    )
    print(f"p99 {theirs.p99_ms:.1f} and {ours.p99_ms:.1f} ms")
    return theirs, ours


def _require_kept(file: Path, answered: int) -> None:
    """The warm-up is in the file too, hence at least."""
    with sqlite3.connect(file) as connection:
        kept = connection.execute("SELECT COUNT(*) FROM deliveries").fetchone()[0]
    if kept < answered:
        raise RuntimeError(f"{answered} deliveries were acknowledged and {kept} are on disk")


def _figures(pairs: Sequence[tuple[Run, Run]]) -> list[Figure]:
    print(f"\n{'':10} {'per second':>12} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} {'MB':>6} {'not 2xx':>8}")
    for name, runs in ((PROBOT, [pair[0] for pair in pairs]), ("Shipmate", [pair[1] for pair in pairs])):
        print(
            f"{name:10} {median(run.rate for run in runs):12,.0f} {median(run.p50_ms for run in runs):8.1f}"
            f" {median(run.p99_ms for run in runs):8.1f} {median(run.cpu_us for run in runs):8.0f}"
            f" {median(run.memory_mb for run in runs):6.0f} {sum(run.bad for run in runs):8}"
        )
    theirs, ours = (median(run.rate for run in side) for side in zip(*pairs, strict=True))
    ratio = median(our.rate / their.rate for their, our in pairs)
    per_cpu = median(their.cpu_us / our.cpu_us for their, our in pairs)
    print(f"for the same processor time {per_cpu:.2f} times as many")
    return [
        beside(BENCH, "verified, on disk, answered", ours, "/s", PROBOT, theirs, least=RATIO_GOAL, ratio=ratio),
        under(BENCH, "the same, p99", median(our.p99_ms for _, our in pairs), "ms", P99_LIMIT_MS),
        none(BENCH, "not answered 2xx", sum(our.bad for _, our in pairs), "deliveries"),
    ]


if __name__ == "__main__":
    main(measure)
