"""What people do reaches a real Bolt app, signed, and what it answers is shown to them."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.refusals import Impossible
from bot.sandbox.slack.sandbox import SlackSandbox
from tests.sandbox.slack.conftest import Receiver, eventually

Json = dict[str, Any]
DEPLOYS, ALICE, BORA = "C0DEPLOYS", "U0ALICE", "U0BORA"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str, value: str = "") -> Json:
    return {"type": "button", "text": plain(action_id), "action_id": action_id, "value": value or action_id}


def menu(action_id: str, *values: str) -> Json:
    options = [{"text": plain(value), "value": value} for value in values]
    return {"type": "static_select", "action_id": action_id, "options": options}


def field(block_id: str, element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(block_id.title()), "element": element, **more}


def dialog(*extra: Json, **more: Any) -> Json:
    repo = field("repository", {"type": "plain_text_input", "action_id": "repo", "max_length": 20})
    env = field("environment", menu("env", "staging", "production"))
    note = field("note", {"type": "plain_text_input", "action_id": "note"}, optional=True)
    return {
        "type": "modal",
        "callback_id": "deploy",
        "title": plain("Deploy"),
        "submit": plain("Deploy"),
        "blocks": [repo, env, note, *extra],
        **more,
    }


async def test_a_command_carries_what_slack_sends_and_its_answer_is_seen_by_the_asker(
    slack: SlackSandbox, bolt: AsyncApp
) -> None:
    heard: list[Json] = []

    @bolt.command("/shipmate")
    async def deploy(ack: Any, command: Json) -> None:
        heard.append(command)
        await ack("on it")

    delivery = await slack.say_command("/shipmate", "deploy acme/api to production", user=BORA)
    assert delivery.answered
    assert {name: heard[0][name] for name in ("command", "text", "user_id", "user_name", "channel_id")} == {
        "command": "/shipmate",
        "text": "deploy acme/api to production",
        "user_id": BORA,
        "user_name": "bora",
        "channel_id": DEPLOYS,
    }
    assert [m["text"] for m in slack.ephemeral(BORA)] == ["on it"]
    assert slack.ephemeral(ALICE) == slack.messages() == []


async def test_a_command_that_is_not_answered_in_time_fails_before_the_person_and_is_not_retried(
    slack: SlackSandbox,
) -> None:
    async def sleepy(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    slack.courier.ack_timeout_s = 0.05
    async with Receiver(sleepy) as receiver:
        slack.request_url = receiver.url
        delivery = await slack.say_command("/shipmate", "deploy")
        await slack.settle()
    assert [a.outcome.reason for a in delivery.attempts] == ["http_timeout"]
    assert [m["text"] for m in slack.ephemeral()] == ['/shipmate failed with the error "operation_timeout"']


async def test_a_command_that_is_refused_or_finds_nobody_fails_before_the_person(slack: SlackSandbox) -> None:
    slack.request_url = "http://127.0.0.1:9/slack/events"
    await slack.say_command("/shipmate", "deploy")
    assert [m["text"] for m in slack.ephemeral()] == ['/shipmate failed with the error "dispatch_failed"']


async def test_an_answer_with_bad_blocks_is_not_shown(slack: SlackSandbox, bolt: AsyncApp) -> None:
    @bolt.command("/shipmate")
    async def deploy(ack: Any) -> None:
        await ack(text="x", blocks=[{"type": "section"}])

    await slack.say_command("/shipmate")
    assert [m["text"] for m in slack.ephemeral()] == ['/shipmate failed with the error "invalid_blocks"']


async def test_a_response_url_takes_five_answers_within_half_an_hour(slack: SlackSandbox, bolt: AsyncApp) -> None:
    urls: list[str] = []

    @bolt.command("/shipmate")
    async def deploy(ack: Any, command: Json) -> None:
        urls.append(command["response_url"])
        await ack()

    await slack.say_command("/shipmate")
    async with aiohttp.ClientSession() as http:
        for number in range(5):
            kind = "in_channel" if number == 0 else "ephemeral"
            async with http.post(urls[0], json={"text": f"{number}", "response_type": kind}) as answer:
                assert (answer.status, await answer.text()) == (200, "ok")
        async with http.post(urls[0], json={"text": "6"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "used_url")
        await slack.say_command("/shipmate")
        slack.clock.advance(30 * 60 + 1)
        async with http.post(urls[1], json={"text": "late"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")
        async with http.post(urls[0] + "x", json={"text": "guessed"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "invalid_url")
    assert [m["text"] for m in slack.messages()] == ["0"]
    assert [m["text"] for m in slack.ephemeral()] == ["1", "2", "3", "4"]


async def test_a_click_tells_who_clicked_what_and_its_answer_replaces_the_message(
    slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient
) -> None:
    clicks: list[Json] = []

    @bolt.action("approve")
    async def approve(ack: Any, body: Json, respond: Any) -> None:
        clicks.append(body)
        await ack()
        await respond(text=f"approved by {body['user']['id']}", replace_original=True)

    blocks = [{"type": "actions", "block_id": "b", "elements": [button("approve", "job-7"), button("cancel")]}]
    ts = (await client.chat_postMessage(channel=DEPLOYS, text="approve?", blocks=blocks))["ts"]
    await slack.click(ts, "approve", user=BORA)
    await eventually(lambda: slack.messages()[0]["text"] == "approved by U0BORA")
    action = clicks[0]["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "b", "job-7")
    assert clicks[0]["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": DEPLOYS,
        "is_ephemeral": False,
    }


async def test_equal_buttons_are_told_apart_by_their_value(
    slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient
) -> None:
    values: list[str] = []

    @bolt.action("unlock")
    async def unlock(ack: Any, action: Json) -> None:
        values.append(action["value"])
        await ack()

    rows = [{"type": "actions", "elements": [button("unlock", name)]} for name in ("staging", "production")]
    ts = (await client.chat_postMessage(channel=DEPLOYS, text="locks", blocks=rows))["ts"]
    await slack.click(ts, "unlock", value="production")
    assert values == ["production"]


async def test_nobody_clicks_what_is_not_there(slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient) -> None:
    blocks = [{"type": "actions", "elements": [button("go"), menu("env", "staging")]}]
    ts = (await client.chat_postMessage(channel=DEPLOYS, text="x", blocks=blocks))["ts"]
    whisper = (await client.chat_postEphemeral(channel=DEPLOYS, user=ALICE, text="x", blocks=blocks))["message_ts"]
    for act, reason in (
        (slack.click(ts, "stop"), "nothing to click called 'stop'"),
        (slack.click(ts, "env", value="moon"), "doesn't offer 'moon'"),
        (slack.click("1.1", "go"), "sees no message"),
        (slack.click(whisper, "go", user=BORA), "sees no message"),
        (slack.click(ts, "go", user="U0DANA"), "deactivated"),
        (slack.say_command("/shipmate", channel="C0OLD"), "can't write in old-deploys"),
        (slack.say_command("/shipmate", user=BORA, channel="C0SECRET"), "can't write in secret-ops"),
        (slack.mention("hi", channel="C0RANDOM"), "the app isn't in random"),
        (slack.submit_view(ALICE), "sees no such view"),
    ):
        with pytest.raises(Impossible, match=reason):
            await act


async def test_an_ephemeral_message_is_replaced_and_removed_through_its_click(
    slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient
) -> None:
    bodies: list[Json] = []

    @bolt.action("go")
    async def go(ack: Any, body: Json, respond: Any) -> None:
        bodies.append(body)
        await ack()
        await respond(text="gone", replace_original=True)
        await respond(delete_original=True)

    blocks = [{"type": "actions", "elements": [button("go")]}]
    posted = await client.chat_postEphemeral(channel=DEPLOYS, user=ALICE, text="x", blocks=blocks)
    await slack.click(posted["message_ts"], "go")
    await eventually(lambda: slack.ephemeral() == [])
    assert "message" not in bodies[0]
    assert bodies[0]["container"]["is_ephemeral"] is True


async def open_dialog(slack: SlackSandbox, bolt: AsyncApp, view: Json) -> None:
    """Have the app open a modal when asked by command."""

    @bolt.command("/shipmate")
    async def ask(ack: Any, command: Json, client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=command["trigger_id"], view=view)
        await ack()

    await slack.say_command("/shipmate", "deploy")


def errors_shown(slack: SlackSandbox) -> Json:
    view = slack.view_of()
    assert view is not None
    errors: Json = view["errors"]
    return errors


async def test_a_filled_in_modal_arrives_with_its_values_and_closes(slack: SlackSandbox, bolt: AsyncApp) -> None:
    states: list[Json] = []

    @bolt.view("deploy")
    async def submitted(ack: Any, view: Json) -> None:
        states.append(view["state"]["values"])
        await ack()

    await open_dialog(slack, bolt, dialog())
    await slack.submit_view(ALICE, {"repo": "acme/api", "environment": "production"})
    assert slack.view_of() is None
    assert states[0]["repository"]["repo"] == {"type": "plain_text_input", "value": "acme/api"}
    assert states[0]["environment"]["env"]["selected_option"]["value"] == "production"
    assert states[0]["note"]["note"]["value"] is None


async def test_a_modal_can_not_be_submitted_incomplete(slack: SlackSandbox, bolt: AsyncApp) -> None:
    await open_dialog(slack, bolt, dialog())
    for values, reason in (
        ({"repo": "acme/api"}, "'Environment' is empty"),
        ({"repo": "x" * 21, "env": "staging"}, "doesn't take a text of 21 characters"),
        ({"repo": "acme/api", "env": "moon"}, "doesn't offer 'moon'"),
        ({"colour": "red"}, "the view has no field colour"),
    ):
        with pytest.raises(Impossible, match=reason):
            await slack.submit_view(ALICE, values)


ANSWERS = {
    "errors on a field": (
        {"response_action": "errors", "errors": {"repository": "no such repository"}},
        {"repository": "no such repository"},
    ),
    "errors on a field that isn't there": (
        {"response_action": "errors", "errors": {"colour": "no"}},
        {
            "": "We had some trouble connecting. Try again? "
            "(invalid_response; errors must name input blocks: environment, note, repository)"
        },
    ),
    "a view that isn't one": (
        {"response_action": "update", "view": {"type": "modal", "blocks": []}},
        {
            "": "We had some trouble connecting. Try again? "
            "(invalid_arguments; missing required field: title [json-pointer:/view])"
        },
    ),
}


@pytest.mark.parametrize(("answer", "errors"), ANSWERS.values(), ids=ANSWERS)
async def test_a_modal_that_is_answered_with_trouble_stays_open_and_shows_it(
    slack: SlackSandbox, bolt: AsyncApp, answer: Json, errors: Json
) -> None:
    @bolt.view("deploy")
    async def submitted(ack: Any) -> None:
        await ack(**answer)

    await open_dialog(slack, bolt, dialog())
    await slack.submit_view(ALICE, {"repo": "acme/api", "env": "staging"})
    assert errors_shown(slack) == errors


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ({"response_action": "update", "view": dialog(title=plain("Deploying"))}, ["Deploying"]),
        ({"response_action": "push", "view": dialog(title=plain("Sure?"))}, ["Sure?", "Deploy"]),
        ({"response_action": "clear"}, []),
    ],
    ids=["update", "push", "clear"],
)
async def test_an_answer_to_a_submission_changes_what_is_seen(
    slack: SlackSandbox, bolt: AsyncApp, answer: Json, titles: list[str]
) -> None:
    @bolt.view("deploy")
    async def submitted(ack: Any) -> None:
        await ack(**answer)

    await open_dialog(slack, bolt, dialog())
    await slack.submit_view(ALICE, {"repo": "acme/api", "env": "staging"})
    seen: list[str] = []
    while view := slack.view_of():
        seen.append(view["title"]["text"])
        await slack.close_view(ALICE)
    assert seen == titles


async def test_a_submission_nobody_answers_leaves_the_modal_open(slack: SlackSandbox, bolt: AsyncApp) -> None:
    await open_dialog(slack, bolt, dialog())
    slack.request_url = "http://127.0.0.1:9/slack/events"
    await slack.submit_view(ALICE, {"repo": "acme/api", "env": "staging"})
    assert errors_shown(slack)[""].startswith("We had some trouble connecting.")


async def test_boxes_dates_and_people_are_reported_as_slack_does(slack: SlackSandbox, bolt: AsyncApp) -> None:
    states: list[Json] = []

    @bolt.view("deploy")
    async def submitted(ack: Any, view: Json) -> None:
        states.append(view["state"]["values"])
        await ack()

    boxes = {**menu("flags", "noop", "canary"), "type": "checkboxes"}
    extra = [
        field("flags", boxes, optional=True),
        field("day", {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-02"}),
        field("who", {"type": "multi_users_select", "action_id": "who"}),
    ]
    await open_dialog(slack, bolt, dialog(*extra))
    await slack.submit_view(ALICE, {"repo": "a", "env": "staging", "flags": ["noop"], "who": [BORA]})
    assert [option["value"] for option in states[0]["flags"]["flags"]["selected_options"]] == ["noop"]
    assert states[0]["day"]["day"] == {"type": "datepicker", "selected_date": "2026-01-02"}
    assert states[0]["who"]["who"]["selected_users"] == [BORA]


async def test_modals_stack_three_high_and_close_from_the_top(
    slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient
) -> None:
    codes: list[str] = []

    @bolt.action("more")
    async def more(ack: Any, body: Json) -> None:
        try:
            await client.views_push(trigger_id=body["trigger_id"], view=deeper)
        except SlackApiError as error:
            codes.append(error.response["error"])
        await ack()

    deeper = dialog({"type": "actions", "elements": [button("more")]}, notify_on_close=True)
    await open_dialog(slack, bolt, deeper)
    for _ in range(3):
        await slack.click_in_view(ALICE, "more")
    assert codes == ["push_limit_reached"]
    top = slack.view_of()
    assert top is not None
    closed: list[Json] = []

    @bolt.view_closed("deploy")
    async def was_closed(ack: Any, view: Json) -> None:
        closed.append(view)
        await ack()

    await slack.close_view(ALICE)
    below = slack.view_of()
    assert below is not None
    assert (closed[0]["id"], below["id"]) == (top["id"], top["previous_view_id"])


async def test_a_modal_is_updated_while_it_is_open(slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient) -> None:
    await open_dialog(slack, bolt, dialog(external_id="deploy-1"))
    view = slack.view_of()
    assert view is not None
    fresh = dialog(title=plain("Deploying"))
    await client.views_update(view_id=view["id"], hash=view["hash"], view=fresh)
    for wrong, error in (
        ({"view_id": view["id"], "hash": view["hash"]}, "hash_conflict"),
        ({"view_id": "V0NONE"}, "not_found"),
        ({}, "invalid_arguments"),
    ):
        with pytest.raises(SlackApiError) as caught:
            await client.api_call("views.update", json={"view": fresh, **wrong})
        assert caught.value.response["error"] == error
    shown = slack.view_of()
    assert shown is not None
    assert shown["title"]["text"] == "Deploying"


async def test_a_trigger_opens_one_modal_within_three_seconds(
    slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient
) -> None:
    triggers: list[str] = []

    @bolt.command("/shipmate")
    async def ask(ack: Any, command: Json) -> None:
        triggers.append(command["trigger_id"])
        await ack()

    async def error_of(trigger: str) -> str:
        with pytest.raises(SlackApiError) as caught:
            await client.views_open(trigger_id=trigger, view=dialog())
        return str(caught.value.response["error"])

    await slack.say_command("/shipmate")
    await client.views_open(trigger_id=triggers[0], view=dialog())
    assert await error_of(triggers[0]) == "exchanged_trigger_id"
    assert await error_of("1.2.nonsense") == "invalid_trigger_id"
    await slack.say_command("/shipmate")
    slack.clock.advance(3.5)
    assert await error_of(triggers[1]) == "expired_trigger_id"


async def test_a_menu_filled_by_the_app_offers_what_it_suggests(slack: SlackSandbox, bolt: AsyncApp) -> None:
    chosen: list[Json] = []

    @bolt.options("pick")
    async def suggest(ack: Any, payload: Json) -> None:
        await ack(options=[{"text": plain(payload["value"] + "pi"), "value": "acme/api"}])

    @bolt.view("deploy")
    async def submitted(ack: Any, view: Json) -> None:
        chosen.append(view["state"]["values"]["repository2"]["pick"]["selected_option"])
        await ack()

    search = field("repository2", {"type": "external_select", "action_id": "pick"})
    await open_dialog(slack, bolt, dialog(search))
    [option] = await slack.suggest(ALICE, "pick", "a")
    assert option == {"text": plain("api"), "value": "acme/api"}
    await slack.submit_view(ALICE, {"repo": "x", "env": "staging", "pick": option})
    assert chosen == [option]


async def test_a_mention_is_told_once_and_answered_in_its_thread(slack: SlackSandbox, bolt: AsyncApp) -> None:
    events: list[Json] = []

    @bolt.event("app_mention")
    async def mentioned(event: Json, say: Any) -> None:
        events.append(event)
        await say(text="hello", thread_ts=event["ts"])

    await slack.mention("deploy acme/api", user=BORA)
    await eventually(lambda: len(slack.thread(DEPLOYS, events[0]["ts"])) == 2 if events else None)
    assert (events[0]["text"], events[0]["user"]) == ("<@U0SHIPMATE> deploy acme/api", BORA)
    assert [m["text"] for m in slack.messages()] == ["<@U0SHIPMATE> deploy acme/api"]


async def test_messages_are_told_only_where_the_app_listens(slack: SlackSandbox, bolt: AsyncApp) -> None:
    heard: list[str] = []

    @bolt.event("message")
    async def message(event: Json) -> None:
        heard.append(event["text"])

    slack.say("not for the app")
    slack.people.subscriptions.add("message.channels")
    slack.say("for everyone")
    slack.say("elsewhere", channel="C0RANDOM")
    await slack.settle()
    await eventually(lambda: heard)
    assert heard == ["for everyone"]


async def test_the_app_hears_itself_and_other_bots_with_their_bot_ids(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    heard: list[Json] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((await request.json())["event"])
        return web.Response()

    slack.people.subscriptions.add("message.channels")
    bot = slack.add_bot("ci")
    async with Receiver(hear) as receiver:
        slack.request_url = receiver.url
        await client.chat_postMessage(channel=DEPLOYS, text="/shipmate deploy")
        await slack.settle()
        await slack.mention("deploy acme/api", user=bot)
        await slack.settle()
        with pytest.raises(Impossible, match="can only say things"):
            await slack.say_command("/shipmate", user=bot)
    own, *others = heard
    assert (own["bot_id"], own["user"]) == ("B0SHIPMATE", "U0SHIPMATE")
    assert sorted(event["type"] for event in others) == ["app_mention", "message"]
    assert {event["bot_id"] for event in others} == {slack.workspace.users[bot].bot_id}


async def test_opening_the_home_tells_the_app_who_is_looking(
    slack: SlackSandbox, bolt: AsyncApp, client: AsyncWebClient
) -> None:
    @bolt.event("app_home_opened")
    async def opened(event: Json) -> None:
        view = {"type": "home", "blocks": [{"type": "header", "text": plain(f"for {event['user']}")}]}
        await client.views_publish(user_id=event["user"], view=view)

    await slack.open_home(BORA)
    home = await eventually(lambda: slack.home_of(BORA))
    assert home["blocks"][0]["text"]["text"] == "for U0BORA"
    assert slack.home_of(ALICE) is None


async def test_shortcuts_are_told_with_and_without_a_message(slack: SlackSandbox, bolt: AsyncApp) -> None:
    seen: list[tuple[str, str]] = []

    @bolt.shortcut("deploy_this")
    async def deploy_this(ack: Any, body: Json) -> None:
        seen.append((body["type"], body.get("message", {}).get("text", "")))
        await ack()

    await slack.shortcut("deploy_this")
    await slack.shortcut("deploy_this", message_ts=slack.say("ship v7")["ts"])
    assert seen == [("shortcut", ""), ("message_action", "ship v7")]


async def test_the_request_url_is_verified_by_its_echo(slack: SlackSandbox, bolt: AsyncApp) -> None:
    assert await slack.verify_url()

    async def deaf(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with Receiver(deaf) as receiver:
        slack.request_url = receiver.url
        assert not await slack.verify_url()


async def test_without_an_app_to_tell_nobody_can_command_it(slack: SlackSandbox) -> None:
    with pytest.raises(Impossible, match="can't be reached"):
        await slack.say_command("/shipmate")
