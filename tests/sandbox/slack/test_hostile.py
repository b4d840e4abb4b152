"""Whatever is sent, the simulated Slack refuses it in Slack's words and never breaks."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.access import Grant, Limiter
from bot.sandbox.slack.blockkit.blocks import attachment_findings, message_findings, view_findings
from bot.sandbox.slack.bodies import Body
from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.methods.catalogue import METHODS
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.webapi import WebApi
from bot.sandbox.slack.workspace import acme

WORDS = st.sampled_from(
    [
        *("C0DEPLOYS", "U0ALICE", "#general", "", "1.000001", "-1", "null", "\x00", "é한", "a" * 300),
        *("[]", "[{}]", "[[]]", "{}", "[1]"),
    ]
)
KEYS = st.sampled_from(
    [
        *("type", "text", "blocks", "elements", "fields", "title", "options", "value", "action_id", "block_id"),
        *("accessory", "element", "label", "id"),
    ]
)
KINDS = st.sampled_from(
    [
        *("section", "actions", "header", "input", "image", "modal", "home", "button", "static_select"),
        *("plain_text", "mrkdwn", "rich_text"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
FITTING = {
    "text": WORDS,
    "json": st.lists(JSON, max_size=3) | st.dictionaries(KEYS, JSON, max_size=4) | WORDS,
    "flag": st.booleans() | WORDS,
    "int": st.integers(-1, 1000) | WORDS,
    "ts": st.sampled_from(["1.000001", "0", "99999999999.5"]) | WORDS,
}


def arguments_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments that get past the first check as often as not: the needed ones there, most of the right type."""
    known = METHODS[name].arguments.values()
    needed = {a.name: FITTING[a.kind] for a in known if a.required}
    return st.fixed_dictionaries(needed, optional={a.name: FITTING[a.kind] for a in known if not a.required})


CALLS = st.sampled_from(sorted(METHODS)).flatmap(lambda name: st.tuples(st.just(name), arguments_of(name)))


def web_api() -> WebApi:
    clock = Clock()
    desk = Desk(acme(clock), Tickets(clock), lambda: "http://slack.test", lambda _: None)
    every = frozenset(scope for method in METHODS.values() for scope in method.scopes)
    grants = {kind: Grant(kind, kind, every) for kind in ("bot", "app")}
    return WebApi(desk, Limiter(clock, enabled=False), Faults(), grants)


@settings(max_examples=600)
@given(CALLS, st.booleans())
def test_any_arguments_get_an_answer_in_slacks_form(call: tuple[str, dict[str, Any]], is_json: bool) -> None:
    name, args = call
    answer = web_api().answer(name, Body(args, args, METHODS[name].tokens[0], is_json=is_json))
    assert answer.body is not None
    assert answer.body["ok"] is (answer.error is None)


@settings(max_examples=400)
@given(JSON)
def test_any_value_can_be_asked_for_findings(value: Any) -> None:
    for findings in (message_findings([value]), attachment_findings([value]), view_findings({"type": value}, "modal")):
        assert all("[json-pointer:/" in line for line in findings)
