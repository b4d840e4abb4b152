"""How fast webhooks are verified, on disk and answered, beside a minimal Probot app that stores nothing.

Run: python -m bench.ingress [--pairs 5] [--seconds 8]. Needs node, npm, wrk and taskset. The servers take turns on the
first core (wrk has the second), each pair in the other order; medians and the ratio of each pair are printed. Exit 1
when the goal is missed: 1.5 times the rate, p99 under 20 ms, and every acknowledged delivery in the file.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.peer import CACHE, Run, measure, prepare, probot, shipmate

RATIO_GOAL = 1.5
P99_GOAL_MS = 20.0
TOOLS = ("node", "npm", "wrk", "taskset")


def main() -> int:
    """Run the pairs, print the table; 0 when the goal is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    options = parser.parse_args()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"needs {', '.join(missing)}: apt-get install nodejs npm wrk util-linux", file=sys.stderr)
        return 2
    peer = prepare()
    return _report([_pair(peer, index, options.seconds) for index in range(options.pairs)])


def _pair(peer: Path, index: int, seconds: int) -> tuple[Run, Run]:
    """(Probot, Shipmate), run one after the other, the order changing from pair to pair."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        file = Path(folder) / "bench.db"
        servers = [probot(peer), shipmate(file)]
        order = servers if index % 2 == 0 else servers[::-1]
        runs = {server.name: measure(server, peer, seconds) for server in order}
        theirs, ours = runs[servers[0].name], runs[servers[1].name]
        _require_kept(file, ours.requests)
    print(f"pair {index + 1}: {theirs.rate:,.0f}/s and {ours.rate:,.0f}/s, ratio {ours.rate / theirs.rate:.2f}")
    return theirs, ours


def _require_kept(file: Path, answered: int) -> None:
    """The warm-up is in the file too, hence at least."""
    with sqlite3.connect(file) as connection:
        kept = connection.execute("SELECT COUNT(*) FROM deliveries").fetchone()[0]
    if kept < answered:
        raise SystemExit(f"{answered} deliveries were acknowledged and {kept} are on disk")


def _report(pairs: Sequence[tuple[Run, Run]]) -> int:
    print(f"\n{'':10} {'per second':>12} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} {'MB':>6} {'not 2xx':>8}")
    for name, runs in (("Probot 14", [pair[0] for pair in pairs]), ("Shipmate", [pair[1] for pair in pairs])):
        print(
            f"{name:10} {median(run.rate for run in runs):12,.0f} {median(run.p50_ms for run in runs):8.1f}"
            f" {median(run.p99_ms for run in runs):8.1f} {median(run.cpu_us for run in runs):8.0f}"
            f" {median(run.memory_mb for run in runs):6.0f} {sum(run.bad for run in runs):8}"
        )
    ratio = median(ours.rate / theirs.rate for theirs, ours in pairs)
    p99_ms = median(ours.p99_ms for _, ours in pairs)
    reached = ratio >= RATIO_GOAL and p99_ms < P99_GOAL_MS and not any(ours.bad for _, ours in pairs)
    per_cpu = median(theirs.cpu_us / ours.cpu_us for theirs, ours in pairs)
    print(f"\nratio {ratio:.2f} (goal {RATIO_GOAL}), for the same processor time {per_cpu:.2f}")
    print(f"p99 {p99_ms:.1f} ms (goal {P99_GOAL_MS:.0f})")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
