"""While analyses run, Python looks for unused cycles less often; afterwards as before."""

from __future__ import annotations

import gc

import pytest

from bot.jobs.analysis.runs.collecting import NEW_OBJECTS, rarely_collecting


def test_python_looks_as_often_as_before_once_the_last_analysis_has_ended() -> None:
    before = gc.get_threshold()
    with rarely_collecting():
        with rarely_collecting():
            assert gc.get_threshold()[0] == NEW_OBJECTS
        assert gc.get_threshold()[0] == NEW_OBJECTS
    assert gc.get_threshold() == before


def test_it_does_so_after_an_analysis_that_failed() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="in the middle"), rarely_collecting():
        raise ValueError("in the middle")
    assert gc.get_threshold() == before
