"""Every framework of the rules is recognised, and its fields come out right."""

from __future__ import annotations

import pytest

from bot.inspect.inspection import inspect_tree
from bot.inspect.rules.table import rules
from tests.inspect.samples import SAMPLES, WITHOUT_FRAMEWORK


def test_there_is_a_sample_for_every_framework_of_the_rules() -> None:
    assert set(SAMPLES) == set(rules().frameworks)
    assert len(SAMPLES) == 99


@pytest.mark.parametrize("name", SAMPLES)
def test_the_framework_and_its_commands_are_recognised(name: str) -> None:
    sample = SAMPLES[name]
    app = inspect_tree(sample.tree()).apps[0]
    expected = None if name in WITHOUT_FRAMEWORK else name
    found = (app.framework, app.language, app.package_manager, app.start, app.port, app.static_output)
    assert found == (expected, sample.language, sample.manager, sample.start, sample.port, sample.static)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_that_has_a_value_has_evidence_for_it(name: str) -> None:
    app = inspect_tree(SAMPLES[name].tree()).apps[0]
    values = {key: value for key, value in app.to_json().items() if key not in ("path", "confidence", "evidence")}
    explained = {item.field: item.value for item in app.evidence}
    assert explained == {key: value for key, value in values.items() if value is not None}
    assert all(item.rule and item.why for item in app.evidence)
