"""What a person enters into an interactive element, as Slack reports it: actions of a click, state of a view."""

from typing import Any

from bot.sandbox.slack.blockkit.rules import elements_of, options_of
from bot.sandbox.slack.refusals import Impossible
from bot.sandbox.slack.workspace import View

Json = dict[str, Any]
PLAIN = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
ONE_OF = {"static_select", "radio_buttons", "overflow", "external_select"}
SOME_OF = {"checkboxes", "multi_static_select", "multi_external_select"}


def entered(element: Json, value: Any) -> Json:
    """The field Slack reports for `value` in this element, `{"selected_option": …}` or the like.

    For menus the value of an option is enough; a whole option is wanted of those the app fills (`external_select`).
    Raises Impossible when nobody could enter that.
    """
    kind = element["type"]
    if kind in ONE_OF:
        return {"selected_option": None if value is None else _option(element, value)}
    if kind in SOME_OF:
        return {"selected_options": [_option(element, one) for one in value or []]}
    if kind not in PLAIN:
        return {}
    _require_fitting(element, value)
    return {PLAIN[kind]: value}


def initial(element: Json) -> Any:
    """What an element holds before anyone touches it, in the form `entered` takes."""
    for name, value in element.items():
        if name.startswith("initial_"):
            return value
    return None


def state_of(view: View, values: Json) -> Json:
    """`state.values` of a view: `values` by action id or block id, else what the elements held at first."""
    state: Json = {}
    for block in view.body["blocks"]:
        for element in elements_of(block):
            raw = values.get(element["action_id"], values.get(block["block_id"], initial(element)))
            field = entered(element, raw)
            if field:
                state.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], **field}
    return state


def require_complete(view: View, state: Json) -> None:
    """Slack's client sends no modal whose needed inputs are empty. Raises Impossible naming the first."""
    for block in view.body["blocks"]:
        if block["type"] != "input" or block.get("optional"):
            continue
        held = state.get(block["block_id"], {}).get(block["element"]["action_id"], {})
        if not any(value for name, value in held.items() if name != "type"):
            raise Impossible(f"the modal can't be submitted: {block['label']['text']!r} is empty")


def require_known(view: View, values: Json) -> None:
    """Raises Impossible when a value is for a field the view doesn't have."""
    names = {name for b in view.body["blocks"] for name in (b["block_id"], *(e["action_id"] for e in elements_of(b)))}
    strange = [name for name in values if name not in names]
    if strange:
        raise Impossible(f"the view has no field {', '.join(strange)}; it has {', '.join(sorted(names))}")


def _option(element: Json, value: Any) -> Json:
    """The offered option of that value. Raises Impossible."""
    offered = options_of(element)
    if isinstance(value, dict) and (not offered or value in offered):
        return value
    for option in offered:
        if option.get("value") == value:
            return dict(option)
    choices = ", ".join(str(option.get("value")) for option in offered)
    raise Impossible(f"{element['action_id']} doesn't offer {value!r}; it offers {choices or 'what the app suggests'}")


def _require_fitting(element: Json, value: Any) -> None:
    """A text within the lengths its element sets. Raises Impossible."""
    if not isinstance(value, str) or element["type"] != "plain_text_input":
        return
    if len(value) > element.get("max_length", 3000) or len(value) < element.get("min_length", 0):
        raise Impossible(f"{element['action_id']} doesn't take a text of {len(value)} characters")
