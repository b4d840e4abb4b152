"""The figures gates decide on, the exact weights, and where one websocket frame ends and the next begins."""

from __future__ import annotations

import asyncio
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engines.router.meters import TICK_S, WINDOW_S, Meter
from bot.engines.router.model import Service, Target
from bot.engines.router.switch import Health, LiveService
from bot.engines.router.tunnel import Frames


@given(st.lists(st.floats(0.0001, 100), min_size=1, max_size=200))
def test_percentiles_are_true_to_one_percent(latencies: list[float]) -> None:
    meter = Meter(0)
    for latency_s in latencies:
        meter.answered(latency_s, 200)
    reading = meter.since(None, 1)
    for share, told in ((0.50, reading.p50_ms), (0.95, reading.p95_ms)):
        true_ms = sorted(latencies)[math.ceil(len(latencies) * share) - 1] * 1000
        assert told == pytest.approx(true_ms, rel=0.011)


def test_nothing_measured_is_no_figure_and_not_a_zero() -> None:
    reading = Meter(0).window(1)
    assert (reading.p50_ms, reading.p95_ms, reading.error_rate) == (None, None, None)


def test_the_window_forgets_what_is_older_than_a_minute() -> None:
    meter = Meter(0)
    meter.answered(0.1, 500)
    for tick in range(1, int(WINDOW_S / TICK_S) + 2):
        meter.tick(tick * TICK_S)
    meter.answered(0.2, 200)
    now = WINDOW_S + 2 * TICK_S
    assert (meter.window(now).requests, meter.window(now).errors_5xx) == (1, 0)
    assert meter.since(None, now).requests == 2


def test_a_response_cut_short_is_one_request_and_broken() -> None:
    meter = Meter(0)
    meter.answered(0.1, 200)
    meter.cut_short()
    meter.unanswered()
    meter.unreachable()
    reading = meter.since(None, 1)
    assert (reading.requests, reading.broken, reading.connect_failures) == (2, 2, 1)
    assert reading.error_rate == 1.0


@given(st.integers(0, 100))
async def test_any_hundred_requests_follow_the_percents_exactly(percent: int) -> None:
    weights = {"blue": percent, "green": 100 - percent}
    service = LiveService(Service("s", 1))
    targets = tuple(Target(name, "h", 1, weight=weight) for name, weight in weights.items())
    for live in service.adopt(Service("s", 1, targets=targets), 0):
        service.found(live, Health.HEALTHY)
    chosen = [claim.target.spec.id for claim in (service.claim() for _ in range(100)) if claim]
    assert chosen.count("blue") == percent
    assert len(chosen) == 100


async def test_a_claim_and_a_drain_never_miss_each_other() -> None:
    service = LiveService(Service("s", 1))
    blue = Target("blue", "h", 1, weight=100)
    (live,) = service.adopt(Service("s", 1, targets=(blue,)), 0)
    service.found(live, Health.HEALTHY)
    claim = service.claim()
    assert claim is not None
    service.adopt(Service("s", 1, targets=(Target("blue", "h", 1, weight=100, draining=True),)), 0)
    assert service.claim() is None
    assert live.claims == {claim}
    waiting = asyncio.create_task(live.changed.wait(10))
    await asyncio.sleep(0)
    claim.release()
    await waiting
    assert not live.claims


def frame(payload: bytes, masked: bool) -> bytes:
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", 0x82, mask | len(payload))
    elif len(payload) < 65536:
        head = struct.pack("!BBH", 0x82, mask | 126, len(payload))
    else:
        head = struct.pack("!BBQ", 0x82, mask | 127, len(payload))
    return head + (b"mask" if masked else b"") + payload


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 125, 126, 127, 300, 65536]), st.booleans()), max_size=4),
    st.lists(st.integers(1, 70000), min_size=1, max_size=20),
)
def test_frame_edges_are_found_however_the_bytes_come(frames: list[tuple[int, bool]], cuts: list[int]) -> None:
    built = [frame(bytes(size), masked) for size, masked in frames]
    stream, edges = b"".join(built), []
    followed, at, turn = Frames(), 0, 0
    while at < len(stream):
        piece = stream[at : at + cuts[turn % len(cuts)]]
        turn += 1
        at += followed.follow(piece, to_edge=True)
        if followed.between:
            edges.append(at)
    assert edges == [sum(map(len, built[: count + 1])) for count in range(len(built))]
