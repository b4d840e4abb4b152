"""The state file: what is believed of it, and what never is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engines.router.model import RouterState, Service, Target, with_service, without_service
from bot.engines.router.settings import PortRange, RouterSettings, parse_arguments, to_arguments
from bot.engines.router.statefile import StateFile

BLUE = Target("blue", "127.0.0.1", 8001, probe_path="/health", weight=100)
SERVICE = Service("acme/api production", 18001, hosts=("api.test",), targets=(BLUE,))
FIRST = with_service(RouterState(), Service("first", 18000))
SECOND = with_service(FIRST, SERVICE)


def saved(folder: Path) -> StateFile:
    """A state file that was saved twice."""
    file = StateFile(folder)
    file.save(FIRST)
    file.save(SECOND)
    return file


def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    saved(tmp_path)
    assert StateFile(tmp_path).load() == SECOND


def test_where_nothing_was_saved_there_is_nothing(tmp_path: Path) -> None:
    assert StateFile(tmp_path).load() == RouterState()


def test_cut_anywhere_the_file_is_not_believed(tmp_path: Path) -> None:
    file = saved(tmp_path)
    whole = file.current.read_bytes()
    for length in range(len(whole) - 1):
        file.current.write_bytes(whole[:length])
        assert file.load() == FIRST


@settings(max_examples=200)
@given(position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_with_any_byte_changed_the_file_is_not_believed(
    tmp_path_factory: pytest.TempPathFactory, position: int, flip: int
) -> None:
    file = saved(tmp_path_factory.mktemp("state"))
    content = bytearray(file.current.read_bytes())
    content[position % (len(content) - 1)] ^= flip
    file.current.write_bytes(content)
    assert file.load() == FIRST


def test_a_save_that_died_half_way_leaves_the_state_before_it(tmp_path: Path) -> None:
    file = saved(tmp_path)
    file.current.with_suffix(".new").write_bytes(b"half of it")
    assert file.load() == SECOND


def test_both_torn_is_nothing_and_both_are_kept_for_looking(tmp_path: Path) -> None:
    file = saved(tmp_path)
    file.current.write_bytes(b"")
    file.previous.write_bytes(b"")
    assert file.load() == RouterState()
    assert len(list(tmp_path.glob("*.torn"))) == 2


def test_a_save_that_cannot_be_made_changes_nothing(tmp_path: Path) -> None:
    file = saved(tmp_path)
    file.current.with_suffix(".new").mkdir()
    with pytest.raises(OSError, match="directory"):
        file.save(without_service(SECOND, SERVICE.name))
    assert file.load() == SECOND


def test_settings_survive_the_command_line() -> None:
    told = RouterSettings(
        state_dir=Path("/var/lib/s m"),
        socket=Path("/run/r.sock"),
        host="0.0.0.0",  # noqa: S104
        ports=PortRange(18000, 18999),
        shared_port=80,
        trust_forwarded=True,
        stall_s=0.5,
    )
    assert parse_arguments(to_arguments(told)) == told
    assert told.url_host == "127.0.0.1"


@pytest.mark.parametrize("text", ["", "a-b", "9-8", "0-9", "1-70000"])
def test_a_range_of_ports_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|invalid"):
        PortRange.parse(text)
