"""CodeBuild that really builds: a checkout of the asked commit, the buildspec's phases in a shell, its lines in Logs.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from moto.codebuild.exceptions import InvalidInputException, ResourceNotFoundException
from moto.codebuild.models import CodeBuild as Project
from moto.codebuild.models import codebuild_backends
from moto.codebuild.responses import CodeBuildResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.logs.models import logs_backends

from tests.aws.emulator.account import ACCOUNT, REGION
from tests.aws.emulator.shell import Shell

BEFORE = ("install", "pre_build")
ERROR = "COMMAND_EXECUTION_ERROR"
OTHERS = "others-"
PAGE = 100
"""https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuildsForProject.html"""


@dataclass
class Running:
    """One build: `told` is what BatchGetBuilds answers, and grows while it runs."""

    told: dict[str, Any]
    buildspec: str
    repository: str
    variables: dict[str, str]
    shell: Shell | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """From SUBMITTED to COMPLETED; what the stand-in itself does wrong is a FAULT."""
        for name in ("SUBMITTED", "QUEUED", "PROVISIONING"):
            self._phase(name)
        try:
            with tempfile.TemporaryDirectory() as folder:
                status = self._build(Path(folder))
        except Exception as error:  # noqa: BLE001 - a build must come to an end whatever happens
            self._phase("FINALIZING", [f"{type(error).__name__}: {error}"])
            status = "FAULT"
        status = "STOPPED" if self.stopped.is_set() else status
        self.told["phases"].append({"phaseType": "COMPLETED", "startTime": time.time()})
        self.told |= {"currentPhase": "COMPLETED", "endTime": time.time(), "buildStatus": status, "buildComplete": True}

    def stop(self) -> None:
        """Kill what runs; `run` comes to its end by itself."""
        self.stopped.set()
        if self.shell is not None:
            self.shell.kill()

    def _build(self, folder: Path) -> str:
        failed = _checkout(self.repository, self.told["sourceVersion"], folder)
        self._phase("DOWNLOAD_SOURCE", failed)
        if failed:
            return "FAILED"
        spec = yaml.safe_load(self.buildspec)
        env = spec.get("env") or {}
        self.shell = Shell(env.get("shell", "sh"), folder, self._environment(env, folder), self._write)
        if self.stopped.is_set():
            self.shell.kill()
        try:
            succeeded = self._phases(self.shell, spec["phases"])
            exported = [{"name": name, "value": self.shell.value(name)} for name in env.get("exported-variables", [])]
        finally:
            self.shell.close()
        self.told["exportedEnvironmentVariables"] = exported
        self._phase("UPLOAD_ARTIFACTS")
        self._phase("FINALIZING")
        return "SUCCEEDED" if succeeded else "FAILED"

    def _phases(self, shell: Shell, phases: dict[str, Any]) -> bool:
        """install or pre_build failed: the end. build failed: post_build still runs, and is told so."""
        for name in BEFORE:
            if not self._commands(shell, name, phases.get(name)):
                return False
        built = self._commands(shell, "build", phases.get("build"))
        if not built:
            shell.export("CODEBUILD_BUILD_SUCCEEDING", "0")
        return self._commands(shell, "post_build", phases.get("post_build")) and built

    def _commands(self, shell: Shell, name: str, phase: dict[str, Any] | None) -> bool:
        """The first command that fails skips the rest; `finally` runs all the same."""
        if self.stopped.is_set():
            return False
        began, failures = time.time(), list[str]()
        self.told["currentPhase"] = name.upper()
        for part in ("commands", "finally"):
            for command in (phase or {}).get(part, []):
                self._write(f"[Container] Running command {command}")
                code = shell.run(command)
                if code:
                    failures.append(f"Error while executing command: {command}. Reason: exit status {code}")
                    break
        self._phase(name.upper(), failures, began)
        return not failures

    def _environment(self, env: dict[str, Any], folder: Path) -> dict[str, str]:
        """What is asked for with the build goes before what the buildspec says."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_REGION": REGION,
            **{name: str(value) for name, value in env.get("variables", {}).items()},
            **self.variables,
            "CODEBUILD_BUILD_ID": self.told["id"],
            "CODEBUILD_SRC_DIR": str(folder),
            "CODEBUILD_RESOLVED_SOURCE_VERSION": self.told["sourceVersion"],
            "CODEBUILD_BUILD_SUCCEEDING": "1",
        }

    def _phase(self, name: str, failures: list[str] | None = None, began: float | None = None) -> None:
        now = time.time()
        status = "STOPPED" if self.stopped.is_set() else "FAILED" if failures else "SUCCEEDED"
        contexts = [{"statusCode": ERROR, "message": failure} for failure in failures or []]
        self.told["phases"].append(
            {
                "phaseType": name,
                "phaseStatus": status,
                "startTime": began or now,
                "endTime": now,
                "durationInSeconds": int(now - (began or now)),
                "contexts": contexts or [{"statusCode": "", "message": ""}],
            }
        )

    def _write(self, line: str) -> None:
        logs, where = logs_backends[ACCOUNT][REGION], self.told["logs"]
        event = {"timestamp": int(time.time() * 1000), "message": line + "\n"}
        logs.groups[where["groupName"]].streams[where["streamName"]].put_log_events([event])


@dataclass
class Builds:
    """Every build by its id, oldest first; `sources` says which local repository stands for an address."""

    sources: dict[str, str] = field(default_factory=dict)
    path: str = ""
    """Where builds look for programs, as PATH has it; empty: where everybody does."""
    most: int = 100
    others: int = 0
    """Builds that others began in each project since, which are over."""
    _known: dict[str, Running] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self) -> None:
        """Put the operations into moto, in place of its own."""
        operations = {
            "start_build": self._start,
            "batch_get_builds": self._describe,
            "list_builds_for_project": self._list,
            "stop_build": self._stop,
        }
        for name, operation in operations.items():
            setattr(CodeBuildResponse, name, lambda response, does=operation: does(response))

    def stop_everything(self) -> None:
        """No process stays behind."""
        for build in self._known.values():
            build.stop()

    def _start(self, asked: Any) -> ActionResult:
        project = codebuild_backends[ACCOUNT][REGION].codebuild_projects.get(asked._get_param("projectName"))
        if project is None:
            raise ResourceNotFoundException("Project cannot be found")
        with self._lock:
            token = asked._get_param("idempotencyToken") or str(uuid.uuid4())
            if token not in self._tokens:
                self._require_room()
                build = self._made(project, asked)
                self._tokens[token] = build.told["id"]
                self._known[build.told["id"]] = build
                threading.Thread(target=build.run, daemon=True).start()
            return ActionResult({"build": dict(self._known[self._tokens[token]].told)})

    def _require_room(self) -> None:
        if sum(not build.told["buildComplete"] for build in self._known.values()) >= self.most:
            raise JsonRESTError("AccountLimitExceededException", f"Cannot have more than {self.most} builds in queue")

    def _made(self, project: Project, asked: Any) -> Running:
        given = project.project_metadata
        stream = str(uuid.uuid4())
        group = f"/aws/codebuild/{given['name']}"
        logs = logs_backends[ACCOUNT][REGION]
        if group not in logs.groups:
            logs.create_log_group(group, {})
        logs.create_log_stream(group, stream)
        variables = asked._get_param("environmentVariablesOverride") or []
        told = {
            "id": f"{given['name']}:{stream}",
            "arn": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:build/{given['name']}:{stream}",
            "projectName": given["name"],
            "sourceVersion": asked._get_param("sourceVersion"),
            "buildStatus": "IN_PROGRESS",
            "buildComplete": False,
            "currentPhase": "SUBMITTED",
            "startTime": time.time(),
            "phases": [],
            "environment": {**given["environment"], "environmentVariables": variables},
            "logs": {"groupName": group, "streamName": stream, "deepLink": f"https://console.test/{stream}"},
        }
        named = {one["name"]: one["value"] for one in variables} | ({"PATH": self.path} if self.path else {})
        buildspec = asked._get_param("buildspecOverride") or given["source"]["buildspec"]
        return Running(told, buildspec, self.sources[given["source"]["location"]], named)

    def _describe(self, asked: Any) -> ActionResult:
        ids = asked._get_param("ids")
        found = [self._known[one].told for one in ids if one in self._known]
        found += [_of_others(one) for one in ids if OTHERS in one]
        return ActionResult({"builds": [{**told, "phases": list(told["phases"])} for told in found]})

    def _list(self, asked: Any) -> ActionResult:
        project = asked._get_param("projectName")
        ids = [name for name, build in self._known.items() if build.told["projectName"] == project]
        ids += [f"{project}:{OTHERS}{number}" for number in range(self.others)]
        order, begin = asked._get_param("sortOrder"), int(asked._get_param("nextToken") or 0)
        if order and len(ids) > PAGE:
            raise InvalidInputException("sortOrder is not supported for projects with more than 100 builds")
        page = (ids if order == "ASCENDING" else ids[::-1])[begin : begin + PAGE]
        more = {"nextToken": str(begin + PAGE)} if begin + PAGE < len(ids) else {}
        return ActionResult({"ids": page, **more})

    def _stop(self, asked: Any) -> ActionResult:
        build = self._known.get(asked._get_param("id"))
        if build is None:
            raise InvalidInputException("Invalid build ID provided")
        build.stop()
        return ActionResult({"build": dict(build.told)})


def _of_others(build_id: str) -> dict[str, Any]:
    """A build that somebody else began just now, and that is over."""
    return {
        "id": build_id,
        "buildStatus": "SUCCEEDED",
        "buildComplete": True,
        "startTime": time.time(),
        "phases": [],
        "environment": {"environmentVariables": []},
        "logs": {},
    }


def _checkout(repository: str, sha: str, folder: Path) -> list[str]:
    """Leave the commit's tree there; what git says where it cannot."""
    for words in (["clone", "--quiet", "--no-checkout", repository, "."], ["checkout", "--quiet", sha]):
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            return [done.stderr.strip()]
    return []
