"""No secret leaves, in whatever form it hides."""

from __future__ import annotations

import base64
import io
import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.masking import MASK, Masker, MaskingFilter
from bot.process.logs import JsonFormatter

SECRET = "s3cr3t/välue+with&signs"


@pytest.fixture
def masker() -> Masker:
    known = Masker()
    known.register(SECRET)
    return known


@pytest.mark.parametrize("shown", [SECRET, quote(SECRET, safe=""), f"https://x:{SECRET}@host/"])
def test_a_registered_secret_is_masked_in_every_form(masker: Masker, shown: str) -> None:
    assert masker.mask(f"before {shown} after").count(MASK) == 1
    assert SECRET not in masker.mask(shown)


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_a_secret_inside_longer_base64_is_masked(before: bytes, after: bytes) -> None:
    known = Masker()
    known.register(SECRET)
    encoded = base64.b64encode(before + SECRET.encode() + after).decode()
    assert MASK in known.mask(encoded)


@pytest.mark.parametrize(
    "token",
    [
        "ghs_" + "a1B2" * 9,
        "ghs_" + "x" * 400,
        "github_pat_" + "A1" * 20,
        "xoxb-123456789012-abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJlLWhlcmU",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_has_the_shape_of_a_token_is_masked_though_nobody_registered_it(token: str) -> None:
    assert Masker().mask(f"x {token} y") == f"x {MASK} y"


def test_each_line_of_a_key_is_masked(masker: Masker) -> None:
    masker.register("first-line-of-a-key\nsecond-line-of-a-key")
    assert masker.mask("got second-line-of-a-key here") == f"got {MASK} here"


def test_short_and_empty_values_do_not_blot_out_the_text(masker: Masker) -> None:
    masker.register("")
    masker.register("ab")
    assert masker.mask("about a cab") == "about a cab"


def test_values_deep_in_json_are_masked(masker: Masker) -> None:
    assert masker.mask_value({"a": [SECRET, {"b": SECRET}], "n": 1}) == {"a": [MASK, {"b": MASK}], "n": 1}


def test_no_log_line_holds_a_secret(masker: Masker) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(MaskingFilter(masker))
    handler.setFormatter(JsonFormatter(masker))
    logger = logging.Logger("t")
    logger.addHandler(handler)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("failed with %s", SECRET, extra={"url": f"https://{SECRET}@x"})
    line = json.loads(out.getvalue())
    assert SECRET not in out.getvalue()
    assert line["message"] == f"failed with {MASK}"
    assert "ValueError" in line["traceback"]


def test_tokens_come_and_go_without_the_masker_growing() -> None:
    known = Masker(tokens_kept=3)
    tokens = [f"ghs_{number:036d}" for number in range(10)]
    for token in tokens:
        known.register(token)
    newest = base64.b64encode(tokens[-1].encode()).decode()
    masked = known.mask(f"{tokens[0]} {newest}")
    assert masked.startswith(f"{MASK} {MASK}")
    assert newest[:40] not in masked
