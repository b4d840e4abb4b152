"""Sample applications of other builders' repositories, with the truth their own tests state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.inspect.listing import inspect_lines
from tests.inspect.scoring import prediction, public_samples, wrong_fields

_SAMPLES = {sample["name"]: sample for sample in public_samples()}


def _inspected(sample: dict[str, Any]) -> dict[str, Any]:
    line = json.dumps({key: sample[key] for key in ("name", "paths", "files")})
    return next(iter(inspect_lines([line])))


@pytest.mark.parametrize("name", _SAMPLES)
def test_a_public_sample_is_right_in_every_field(name: str) -> None:
    assert wrong_fields(_SAMPLES[name]["expect"], prediction(_inspected(_SAMPLES[name]))) == []


def test_the_scoring_notices_a_wrong_answer() -> None:
    sample = _SAMPLES["railpack-python-uv"]
    found = prediction(_inspected(sample)) | {"framework": "django", "port": 1, "static_output": "dist"}
    assert wrong_fields(sample["expect"], found) == ["framework", "port", "static"]


def test_every_listing_line_gets_one_answer_of_the_published_form() -> None:
    lines = [json.dumps({"name": s["name"], "paths": s["paths"], "files": s["files"]}) for s in _SAMPLES.values()]
    answers = list(inspect_lines(lines))
    assert [answer["name"] for answer in answers] == list(_SAMPLES)
    assert all(set(answer) == {"name", "apps", "warnings"} for answer in answers)
    keys = set(answers[0]["apps"][0])
    assert keys == {
        "path", "language", "framework", "packageManager", "packageManagerVersion", "runtimeVersion", "installCommand",
        "buildCommand", "startCommand", "port", "staticOutput", "dockerfile", "dockerContext", "confidence", "evidence",
    }  # fmt: skip
