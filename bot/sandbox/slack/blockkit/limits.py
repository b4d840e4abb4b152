"""The documented lengths and counts of Block Kit, as data, and how they are laid over the schema of Slack's types.

Sources: https://docs.slack.dev/reference/block-kit (each block's, element's and object's page) and, where those are
silent, the validators of slack_sdk's models.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

MESSAGE_BLOCKS = 50
MESSAGE_ATTACHMENTS = 100
MESSAGE_TEXT = 40_000
UPDATE_TEXT = 4_000
BLOCKS_TEXT = 13_200
"""Characters in all blocks of one message together; undocumented, reported by users (slackapi/bolt-js 2509)."""
VIEW_BYTES = 250_000
VIEW_STACK = 3
WEB_ADDRESS = "^https?://[^\\s]+$"


class Limit(NamedTuple):
    """From `least` to `most` characters of a text, items of a list, or the value of a number."""

    least: int
    most: int


LIMITS = {
    "ActionsBlock.elements": Limit(1, 25),
    "Button.accessibility_label": Limit(1, 75),
    "Button.text": Limit(1, 75),
    "Button.url": Limit(1, 3000),
    "Button.value": Limit(0, 2000),
    "Checkboxes.options": Limit(1, 10),
    "ConfirmationDialog.confirm": Limit(1, 30),
    "ConfirmationDialog.deny": Limit(1, 30),
    "ConfirmationDialog.text": Limit(1, 300),
    "ConfirmationDialog.title": Limit(1, 100),
    "ContextBlock.elements": Limit(1, 10),
    "ContextActionsBlock.elements": Limit(1, 5),
    "ChannelsSelect.placeholder": Limit(1, 150),
    "ConversationsSelect.placeholder": Limit(1, 150),
    "Datepicker.placeholder": Limit(1, 150),
    "EmailInput.placeholder": Limit(1, 150),
    "ExternalSelect.placeholder": Limit(1, 150),
    "HeaderBlock.text": Limit(1, 150),
    "HomeView.blocks": Limit(0, 100),
    "HomeView.private_metadata": Limit(0, 3000),
    "ImageBlock.alt_text": Limit(1, 2000),
    "ImageBlock.image_url": Limit(1, 3000),
    "ImageBlock.title": Limit(1, 2000),
    "ImageElement.alt_text": Limit(1, 2000),
    "ImageElement.image_url": Limit(1, 3000),
    "InputBlock.hint": Limit(1, 2000),
    "InputBlock.label": Limit(1, 2000),
    "MarkdownBlock.text": Limit(1, 12_000),
    "ModalView.blocks": Limit(0, 100),
    "ModalView.close": Limit(1, 24),
    "ModalView.private_metadata": Limit(0, 3000),
    "ModalView.submit": Limit(1, 24),
    "ModalView.title": Limit(1, 24),
    "MrkdwnElement.text": Limit(1, 3000),
    "MrkdwnOption.description": Limit(1, 75),
    "MrkdwnOption.text": Limit(1, 75),
    "MrkdwnOption.url": Limit(1, 3000),
    "MrkdwnOption.value": Limit(0, 150),
    "MultiChannelsSelect.placeholder": Limit(1, 150),
    "MultiConversationsSelect.placeholder": Limit(1, 150),
    "MultiExternalSelect.placeholder": Limit(1, 150),
    "MultiStaticSelect.option_groups": Limit(1, 100),
    "MultiStaticSelect.options": Limit(1, 100),
    "MultiStaticSelect.placeholder": Limit(1, 150),
    "MultiUsersSelect.placeholder": Limit(1, 150),
    "NumberInput.placeholder": Limit(1, 150),
    "Overflow.options": Limit(1, 5),
    "PlainTextElement.text": Limit(1, 3000),
    "PlainTextInput.initial_value": Limit(0, 3000),
    "PlainTextInput.max_length": Limit(1, 3000),
    "PlainTextInput.min_length": Limit(0, 3000),
    "PlainTextInput.placeholder": Limit(1, 150),
    "PlainTextOption.description": Limit(1, 75),
    "PlainTextOption.text": Limit(1, 75),
    "PlainTextOption.url": Limit(1, 3000),
    "PlainTextOption.value": Limit(0, 150),
    "RadioButtons.options": Limit(1, 10),
    "SectionBlock.fields": Limit(1, 10),
    "SectionBlock.fields[]": Limit(1, 2000),
    "SectionBlock.text": Limit(1, 3000),
    "StaticSelect.option_groups": Limit(1, 100),
    "StaticSelect.options": Limit(1, 100),
    "StaticSelect.placeholder": Limit(1, 150),
    "TableBlock.rows": Limit(1, 100),
    "Timepicker.placeholder": Limit(1, 150),
    "URLInput.placeholder": Limit(1, 150),
    "UsersSelect.placeholder": Limit(1, 150),
    "VideoBlock.author_name": Limit(1, 49),
    "VideoBlock.title": Limit(1, 199),
    "WorkflowButton.text": Limit(1, 75),
}
EVERYWHERE = {
    "action_id": Limit(1, 255),
    "block_id": Limit(0, 255),
    "callback_id": Limit(0, 255),
    "external_id": Limit(0, 255),
}
KEYWORDS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "number": ("minimum", "maximum"),
}


def lay_over(definitions: dict[str, Schema]) -> None:
    """Write every limit into the schema's definitions, in place. KeyError: a limit names what the types don't have."""
    for place, limit in LIMITS.items():
        name, _, path = place.partition(".")
        for owner in shapes_of(definitions[name]):
            _bound(owner["properties"], path, limit)
    for definition in definitions.values():
        for owner in shapes_of(definition):
            _bound_everywhere(owner.get("properties", {}))


def shapes_of(definition: Schema) -> Iterator[Schema]:
    """The object schemas written out in a definition: itself, or each inline alternative of a union."""
    for shape in definition.get("anyOf", [definition]):
        if "$ref" not in shape:
            yield shape


def _bound(properties: dict[str, Schema], path: str, limit: Limit) -> None:
    """Limit one property of one shape; an alternative without that property is left alone."""
    name = path.removesuffix("[]")
    if name not in properties:
        return
    if path.endswith("[]"):
        properties[name]["items"] = _limited(properties[name]["items"], limit)
    else:
        properties[name] = _limited(properties[name], limit)


def _limited(schema: Schema, limit: Limit) -> Schema:
    """The schema with the limit on it; for a text object, on its `text`."""
    if schema.get("type") in KEYWORDS:
        return {**schema, **dict(zip(KEYWORDS[schema["type"]], limit, strict=True))}
    text = {"text": dict(zip(KEYWORDS["string"], limit, strict=True))}
    return {"allOf": [schema, {"properties": text}]}


def _bound_everywhere(properties: dict[str, Schema]) -> None:
    """The limits that hold for a property of that name wherever it stands, and the form of web addresses."""
    for name, limit in EVERYWHERE.items():
        if name in properties:
            properties[name] = _limited(properties[name], limit)
    for name in ("image_url", "thumbnail_url"):
        if name in properties:
            properties[name] = {**properties[name], "pattern": WEB_ADDRESS}
