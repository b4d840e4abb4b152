"""What a test holds of a running emulator: its address, its faults, what its images do, and what was asked of it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.patience import ENOUGH_S

ROOT = Path(__file__).parents[3]
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Emulator:
    """An AWS of this machine's own, as a process. Time passes in it as `minute_s` says: seconds for a minute's bake."""

    def __init__(self) -> None:
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        argv = [sys.executable, "-m", "tests.aws.emulator"]
        self._process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate()

    def reset(self) -> None:
        """No faults, no notes of calls, nothing runs any more, time as quick as it gets."""
        self._tell("rest", {})
        self.goes_wrong()
        self.is_like(minute_s=0.5, rollbacks_fail=False, lasts_s={})
        self.has_programs("")
        self.takes_builds(100)
        self.has_builds_of_others(0)
        self._tell("forget", {})

    def goes_wrong(self, *rules: dict[str, Any]) -> None:
        """From now on, as these rules say (see `faults.Rule`); calls are counted anew."""
        self._tell("faults", list(rules))

    def fired(self) -> list[int]:
        """How often each rule in force fired."""
        return [rule["fired"] for rule in self._tell("faults", {})]

    def calls(self) -> list[str]:
        """Every attempt that came since `goes_wrong` or `reset`: `ecs.UpdateService`."""
        return list(self._tell("calls", {}))

    def has_image(self, uri: str, does: str) -> None:
        """Tasks of this image do as `application` reads it: `serve hello`."""
        self._tell("images", {uri: does})

    def started(self) -> list[str]:
        """The image of every task that was ever started, in order."""
        return list(self._tell("started", {}))

    def is_like(self, **place: Any) -> None:
        """Change how things are there: `minute_s`, `rollbacks_fail`, `lasts_s`."""
        self._tell("place", place)

    def took(self) -> dict[str, list[float]]:
        """Service → how many seconds each deployment of it that is over took ECS itself, oldest first."""
        seen: dict[str, list[float]] = {}
        for one in self._tell("deployments", {}):
            seen.setdefault(one["service"], []).append(one["own_s"])
        return seen

    def has_source(self, address: str, repository: Path) -> None:
        """Builds of this address clone that local repository."""
        self._tell("sources", {address: str(repository)})

    def has_programs(self, path: str) -> None:
        """Builds that start from now on look for programs there, as PATH has it; empty: where everybody does."""
        self._tell("builds", {"path": path})

    def takes_builds(self, most: int) -> None:
        """So many builds may run at once."""
        self._tell("builds", {"most": most})

    def has_builds_of_others(self, count: int) -> None:
        """So many builds that others began in each project after all there were."""
        self._tell("builds", {"others": count})

    def forgets_tasks(self) -> None:
        """As two hours later: of tasks that have stopped nothing is told any more."""
        self._tell("tasks", {})

    def gives_sessions(self, **how: Any) -> None:
        """From now on as `sessions.Sessions` says: `lasts_s`, `trusts`, `dead_keys`."""
        self._tell("sessions", how)

    def sessions(self) -> list[dict[str, Any]]:
        """What each session was asked for, oldest first: `role`, `tags`, `external_id`."""
        return list(self._tell("sessions", {})["given"])

    def signed_by_sessions(self) -> tuple[list[str], list[str]]:
        """The calls that were signed with a session's key, and those that were signed with another."""
        told = self._tell("sessions", {})
        ours = [call for key, call in told["signed"] if key in told["keys"]]
        return ours, [call for key, call in told["signed"] if key not in told["keys"]]

    def forgets_tokens(self) -> None:
        """As after five minutes: the token of a build that was started says nothing any more."""
        self._tell("builds", {"_tokens": {}})

    def answered(self) -> dict[tuple[str, int], int]:
        """How many requests each target group answered with each status."""
        return {(group, status): count for group, status, count in self._tell("answered", {})}

    def _tell(self, what: str, body: Any) -> Any:
        request = urllib.request.Request(f"{self.url}/_emulator/{what}", data=json.dumps(body).encode(), method="POST")
        with _OPENER.open(request, timeout=ENOUGH_S) as reply:
            return json.loads(reply.read())
