"""What Block Kit allows, and the words it refuses the rest with."""

from typing import Any

import pytest

from bot.sandbox.slack.blockkit.blocks import attachment_findings, message_findings, option_findings, view_findings

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(*values: str, **more: Any) -> Json:
    return {"type": "static_select", "action_id": "env", "options": [option(v) for v in values], **more}


def option(value: str, text: str = "one") -> Json:
    return {"text": plain(text), "value": value}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Deploy"), "blocks": list(blocks), **more}


def entry() -> Json:
    return {"type": "input", "label": plain("Repository"), "element": {"type": "plain_text_input"}}


GOOD = {
    "a section": [section("*deploying* `acme/api`")],
    "a button with everything": [
        actions(button(style="primary", value="7", url="https://a.test/x", accessibility_label="go on"))
    ],
    "fifty blocks": [section("x")] * 50,
    "the longest section": [section("x" * 3000)],
    "twenty-five elements": [actions(*[button(action_id=f"b{n}") for n in range(25)])],
    "one action id in two blocks": [actions(button()), actions(button())],
    "a menu with its first choice": [actions(select("prod", "dev", initial_option=option("dev")))],
    "context and divider": [{"type": "context", "elements": [plain("hi")]}, {"type": "divider"}],
    "an image": [{"type": "image", "image_url": "https://a.test/x.png", "alt_text": "a graph"}],
    "ten fields": [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    "markdown": [{"type": "markdown", "text": "# done"}],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "hi"}]}],
        }
    ],
    "an asked confirmation": [actions(button(confirm={"text": plain("Sure?"), "confirm": plain("Yes")}))],
}


@pytest.mark.parametrize("blocks", GOOD.values(), ids=GOOD)
def test_these_blocks_are_accepted(blocks: list[Json]) -> None:
    assert message_findings(blocks) == []


BAD = {
    "too many blocks": ([section("x")] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "a block of no kind": ([{"text": "hi"}], "missing required field: type [json-pointer:/blocks/0]"),
    "a block of a strange kind": ([{"type": "sektion"}], "unsupported type: sektion [json-pointer:/blocks/0/type]"),
    "no block at all": (["hi"], "must provide an object [json-pointer:/blocks/0]"),
    "a long section": ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "an empty section": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "a section of nothing": (
        [{"type": "section"}],
        "missing required field: text or fields [json-pointer:/blocks/0]",
    ),
    "a text as a string": (
        [{"type": "section", "text": "hi"}],
        "must provide an object [json-pointer:/blocks/0/text]",
    ),
    "a long field": (
        [{"type": "section", "fields": [plain("x" * 2001)]}],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "eleven fields": (
        [{"type": "section", "fields": [plain("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "a long header": (
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "a header in markdown": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "failed to match all allowed schemas: 'plain_text' was expected [json-pointer:/blocks/0/text/type]",
    ),
    "a long button": (
        [actions(button(text=plain("x" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "a long value": (
        [actions(button(value="x" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "a long action id": (
        [actions(button(action_id="x" * 256))],
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "a strange style": (
        [actions(button(style="warning"))],
        "failed to match all allowed schemas: 'warning' is not one of ['primary', 'danger'] "
        "[json-pointer:/blocks/0/elements/0/style]",
    ),
    "a strange property": (
        [actions(button(colour="red"))],
        "invalid additional property: colour [json-pointer:/blocks/0/elements/0]",
    ),
    "a button without text": (
        [actions({"type": "button", "action_id": "go"})],
        "missing required field: text [json-pointer:/blocks/0/elements/0]",
    ),
    "twenty-six elements": (
        [actions(*[button(action_id=f"b{n}") for n in range(26)])],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "an empty actions block": ([actions()], "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
    "one action id twice in a block": (
        [actions(button(), button())],
        "`action_id` go already exists [json-pointer:/blocks/0]",
    ),
    "one block id twice": (
        [section("x", block_id="a"), section("y", block_id="a")],
        "`block_id` a already exists [json-pointer:/blocks/1/block_id]",
    ),
    "a long block id": (
        [section("x", block_id="a" * 256)],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "a long option value": (
        [actions(select("x" * 151))],
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]",
    ),
    "a hundred and one options": (
        [actions(select(*[str(n) for n in range(101)]))],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "a menu with two sources": (
        [actions(select("a", option_groups=[{"label": plain("g"), "options": [option("a")]}]))],
        "exactly one of options, option_groups is needed [json-pointer:/blocks/0/elements/0]",
    ),
    "a first choice not on offer": (
        [actions(select("a", initial_option=option("b")))],
        "initial option must exactly match one of the options [json-pointer:/blocks/0/elements/0]",
    ),
    "eleven context elements": (
        [{"type": "context", "elements": [plain("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "a button in a context": (
        [{"type": "context", "elements": [button()]}],
        "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
    ),
    "an image with a long address": (
        [{"type": "image", "image_url": "https://a.test/" + "x" * 3000, "alt_text": "a"}],
        "must be less than 3001 characters [json-pointer:/blocks/0/image_url]",
    ),
    "an image from a file": (
        [{"type": "image", "image_url": "file:///etc/passwd", "alt_text": "a"}],
        "must be a valid url [json-pointer:/blocks/0/image_url]",
    ),
    "an image without words": (
        [{"type": "image", "image_url": "https://a.test/x.png"}],
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    "an overflow of six": (
        [actions({"type": "overflow", "action_id": "o", "options": [option(str(n)) for n in range(6)]})],
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "a number for a value": (
        [actions(button(value=7))],
        "must provide a string [json-pointer:/blocks/0/elements/0/value]",
    ),
}


@pytest.mark.parametrize(("blocks", "finding"), BAD.values(), ids=BAD)
def test_these_blocks_are_refused_with_the_place_of_the_fault(blocks: list[Json], finding: str) -> None:
    assert finding in message_findings(blocks)


BAD_VIEWS = {
    "a long title": (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
    "long private metadata": (
        modal(private_metadata="x" * 3001),
        "must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    "a long callback id": (
        modal(callback_id="x" * 256),
        "must be less than 256 characters [json-pointer:/view/callback_id]",
    ),
    "a hundred and one blocks": (
        modal(*[section("x")] * 101),
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    ),
    "an input and no submit": (
        modal(entry()),
        "missing required field: submit, because the modal has an input block [json-pointer:/view]",
    ),
    "no title": ({"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
    "a home": ({"type": "home", "blocks": []}, "unsupported type: home [json-pointer:/view/type]"),
}


@pytest.mark.parametrize(("view", "finding"), BAD_VIEWS.values(), ids=BAD_VIEWS)
def test_these_modals_are_refused(view: Json, finding: str) -> None:
    assert finding in view_findings(view, "modal")


def test_a_modal_with_a_hundred_blocks_and_a_submit_is_accepted() -> None:
    assert view_findings(modal(*[section("x")] * 99, entry(), submit=plain("Deploy")), "modal") == []


def test_blocks_inside_attachments_are_checked_too() -> None:
    assert attachment_findings([{"color": "#ff0000", "blocks": [section("x")], "fallback": "x"}]) == []
    assert attachment_findings([{"blocks": [section("x" * 3001)]}]) == [
        "must be less than 3001 characters [json-pointer:/attachments/0/blocks/0/text/text]"
    ]


def test_suggested_options_come_as_options_or_as_groups_but_not_both() -> None:
    assert option_findings({"options": [option("a")]}) == []
    assert option_findings({"option_groups": [{"label": plain("g"), "options": [option("a")]}]}) == []
    assert option_findings({}) == ["exactly one of options, option_groups is needed [json-pointer:/]"]
    assert option_findings({"options": [option("x" * 151)]}) == [
        "must be less than 151 characters [json-pointer:/options/0/value]"
    ]
