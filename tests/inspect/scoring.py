"""Scores inspections against samples whose truth is known, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PUBLIC_SAMPLES = Path(__file__).parent / "data" / "public.jsonl"
Prediction = Mapping[str, Any]


def public_samples() -> list[dict[str, Any]]:
    """The sample applications: their paths, contents and expectations."""
    return [json.loads(line) for line in PUBLIC_SAMPLES.read_text("utf-8").splitlines() if line.strip()]


def prediction(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A listing's answer in the form that is scored: the likeliest application's fields, and all folders."""
    apps = answer["apps"]
    first: Mapping[str, Any] = apps[0] if apps else {}
    return {
        "name": answer["name"],
        "language": first.get("language"),
        "framework": first.get("framework"),
        "package_manager": first.get("packageManager"),
        "runtime_version": first.get("runtimeVersion"),
        "start_command": first.get("startCommand"),
        "port": first.get("port"),
        "dockerfile": first.get("dockerfile"),
        "static_output": first.get("staticOutput"),
        "apps": [app["path"] for app in apps],
    }


def wrong_fields(expected: Mapping[str, Any], found: Prediction) -> list[str]:
    """The fields that are asked of a sample and not right; an answer where none belongs is wrong too."""
    verdicts = {
        "language": _among(expected, found, "language"),
        "framework": _among(expected, found, "framework"),
        "package_manager": expected["package_manager"] is None or _among(expected, found, "package_manager"),
        "runtime": _runtime_fits(expected, found["runtime_version"]),
        "start": _start_fits(expected, re.sub(r"\s+", " ", found["start_command"] or "")),
        "port": _port_fits(expected, found["port"]),
        "dockerfile": found["dockerfile"] in (expected.get("dockerfile_any") or [expected["dockerfile"]]),
        "static": _static_fits(expected["static_output"], found["static_output"]),
        "apps": set(expected["monorepo_apps"] or ()) <= set(found["apps"]),
    }
    return [field for field, right in verdicts.items() if not right]


def _among(expected: Mapping[str, Any], found: Prediction, field: str) -> bool:
    return found[field] in (expected.get(f"{field}_any") or [expected[field]])


def _runtime_fits(expected: Mapping[str, Any], version: str | None) -> bool:
    major = expected["runtime_version_major"]
    wanted = expected.get("runtime_any") or ([major] if major else [])
    return not wanted or any(version == want or (version or "").startswith(f"{want}.") for want in wanted)


def _start_fits(expected: Mapping[str, Any], start: str) -> bool:
    any_of, none_of = expected.get("start_any_of"), expected.get("start_none_of") or []
    refused = any(all(token in start for token in tokens) for tokens in none_of)
    return not refused and (not any_of or any(all(token in start for token in tokens) for tokens in any_of))


def _port_fits(expected: Mapping[str, Any], port: int | None) -> bool:
    wanted = expected.get("port_any") or ([expected["port"]] if expected["port"] else [])
    return not wanted or port in wanted


def _static_fits(expected: str | None, static: str | None) -> bool:
    if not expected:
        return not static
    return static is not None and static.strip("./") == expected.strip("./")
