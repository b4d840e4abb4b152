"""The Web API as Slack's own SDK sees it."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.access import Rate
from bot.sandbox.slack.methods.catalogue import METHODS
from bot.sandbox.slack.sandbox import SlackSandbox

DEPLOYS, ALICE = "C0DEPLOYS", "U0ALICE"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*deploying*"}}


async def refusal(call: Any) -> dict[str, Any]:
    """The body of the refusal a call must end in."""
    with pytest.raises(SlackApiError) as caught:
        await call
    data: dict[str, Any] = caught.value.response.data
    return data


async def error_of(call: Any) -> str:
    return str((await refusal(call))["error"])


async def post(slack: SlackSandbox, path: str, token: bool = True, **request: Any) -> dict[str, Any]:
    """A call by hand, for what the SDK never sends."""
    headers = {"Authorization": f"Bearer {slack.credentials.bot_token}"} if token else {}
    headers |= request.pop("headers", {})
    async with aiohttp.ClientSession() as http, http.post(slack.url + path, headers=headers, **request) as answer:
        body: dict[str, Any] = await answer.json()
        return body


async def test_a_bot_learns_who_it_is(client: AsyncWebClient) -> None:
    who = await client.auth_test()
    assert (who["user_id"], who["bot_id"], who["team_id"]) == ("U0SHIPMATE", "B0SHIPMATE", "T0ACME")
    assert (await client.team_info())["team"]["name"] == "Acme"
    assert (await client.bots_info(bot="B0SHIPMATE"))["bot"]["user_id"] == "U0SHIPMATE"
    assert await error_of(client.bots_info(bot="B0OTHER")) == "bot_not_found"


async def test_every_way_a_token_can_be_wrong_has_its_own_error(slack: SlackSandbox, client: AsyncWebClient) -> None:
    assert (await post(slack, "auth.test", token=False))["error"] == "not_authed"
    assert await error_of(AsyncWebClient("xoxb-unknown", base_url=slack.url).auth_test()) == "invalid_auth"
    wrong_kind = AsyncWebClient(slack.credentials.app_token, base_url=slack.url)
    assert await error_of(wrong_kind.chat_postMessage(channel=DEPLOYS, text="hi")) == "not_allowed_token_type"
    for state, error in (
        ("revoked", "token_revoked"),
        ("expired", "token_expired"),
        ("inactive", "account_inactive"),
    ):
        slack.set_token(state)
        assert await error_of(client.auth_test()) == error


async def test_a_token_in_a_form_counts_and_one_in_a_json_body_does_not(slack: SlackSandbox) -> None:
    token = {"token": slack.credentials.bot_token}
    assert (await post(slack, "auth.test", token=False, data=token))["ok"]
    assert (await post(slack, "auth.test", token=False, json=token))["error"] == "not_authed"


async def test_a_missing_scope_is_named_with_those_there_are(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.set_token(scopes=["channels:read", "groups:history"])
    assert await refusal(client.chat_postMessage(channel=DEPLOYS, text="hi")) == {
        "ok": False,
        "error": "missing_scope",
        "needed": "chat:write",
        "provided": "channels:read,groups:history",
    }
    assert (await refusal(client.conversations_history(channel=DEPLOYS)))["needed"] == "channels:history"
    assert (await client.conversations_info(channel=DEPLOYS))["channel"]["name"] == "deploys"


async def test_the_answer_tells_the_scopes_in_its_headers(client: AsyncWebClient) -> None:
    answer = await client.users_info(user=ALICE)
    assert answer.headers["X-Accepted-OAuth-Scopes"] == "users:read"
    assert "chat:write" in answer.headers["X-OAuth-Scopes"].split(",")


async def test_an_unknown_method_is_refused(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.shout")) == "unknown_method"


async def test_arguments_are_checked_by_name_and_type(slack: SlackSandbox, client: AsyncWebClient) -> None:
    missing = await refusal(client.api_call("chat.update", json={"channel": DEPLOYS, "text": "hi"}))
    assert missing["error"] == "invalid_arguments"
    assert missing["response_metadata"]["messages"] == ["[ERROR] missing required field: ts"]
    strange = await refusal(client.chat_postMessage(channel=DEPLOYS, text="hi", colour="red"))
    assert strange["response_metadata"]["messages"] == ["[ERROR] unknown argument: colour"]
    number = await post(slack, "chat.postMessage", json={"channel": DEPLOYS, "text": 7})
    assert number["response_metadata"]["messages"] == ["[ERROR] must provide a string [json-pointer:/text]"]
    flag = await refusal(client.api_call("users.info", params={"user": ALICE, "include_locale": "maybe"}))
    assert flag["response_metadata"]["messages"] == ["[ERROR] must provide a boolean [json-pointer:/include_locale]"]
    assert await error_of(client.api_call("conversations.list", params={"limit": "many"})) == "invalid_arguments"


async def test_each_form_of_body_is_read_as_slack_reads_it(slack: SlackSandbox) -> None:
    said = {"channel": DEPLOYS, "text": "hi"}
    bare = await post(slack, "chat.postMessage", json=said)
    assert (bare["ok"], bare["warning"]) == (True, "missing_charset")
    assert bare["response_metadata"]["warnings"] == ["missing_charset"]
    assert "warning" not in await post(slack, "chat.postMessage", data=said)
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await post(slack, "auth.test", data="a=1", headers=form))["warning"] == "superfluous_charset"
    as_json = {"Content-Type": "application/json; charset=utf-8"}
    assert (await post(slack, "auth.test", data="{", headers=as_json))["error"] == "invalid_json"
    assert (await post(slack, "auth.test", data="[]", headers=as_json))["error"] == "json_not_object"
    xml = {"Content-Type": "application/xml"}
    assert (await post(slack, "auth.test", data="<a/>", headers=xml))["error"] == "invalid_post_type"
    klingon = {"Content-Type": "application/json; charset=klingon"}
    assert (await post(slack, "auth.test", data="{}", headers=klingon))["error"] == "invalid_charset"
    assert (await post(slack, "chat.delete", data={"channel[]": "x"}))["error"] == "invalid_array_arg"


async def test_reading_methods_do_not_see_a_json_body(slack: SlackSandbox) -> None:
    answer = await post(slack, "users.info", json={"user": ALICE})
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: user"]


async def test_a_message_is_posted_edited_and_deleted(slack: SlackSandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="#deploys", text="deploying", blocks=[SECTION])
    ts = posted["ts"]
    assert (posted["channel"], posted["message"]["bot_id"]) == (DEPLOYS, "B0SHIPMATE")
    await client.chat_update(channel=DEPLOYS, ts=ts, text="deployed")
    [message] = slack.messages()
    assert (message["text"], message["blocks"][0]["text"]["text"]) == ("deployed", "*deploying*")
    assert message["edited"]["user"] == "U0SHIPMATE"
    await client.chat_update(channel=DEPLOYS, ts=ts, text="deployed", blocks=[])
    assert "blocks" not in slack.messages()[0]
    link = (await client.chat_getPermalink(channel=DEPLOYS, message_ts=ts))["permalink"]
    assert link == f"https://acme.slack.com/archives/C0DEPLOYS/p{ts.replace('.', '')}"
    await client.chat_delete(channel=DEPLOYS, ts=ts)
    assert slack.messages() == []
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=ts, text="x")) == "message_not_found"
    assert await error_of(client.chat_delete(channel=DEPLOYS, ts=ts)) == "message_not_found"


async def test_timestamps_are_unique_and_rise(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.limiter.enabled = False
    stamps = [(await client.chat_postMessage(channel=DEPLOYS, text=str(n)))["ts"] for n in range(20)]
    assert stamps == sorted(set(stamps), key=float)
    assert [m["ts"] for m in slack.messages()] == stamps


async def test_replies_stand_in_their_thread(slack: SlackSandbox, client: AsyncWebClient) -> None:
    head = (await client.chat_postMessage(channel=DEPLOYS, text="deploy"))["ts"]
    reply = (await client.chat_postMessage(channel=DEPLOYS, text="built", thread_ts=head))["ts"]
    await client.chat_postMessage(channel=DEPLOYS, text="live", thread_ts=head, reply_broadcast=True)
    assert [m["text"] for m in slack.messages()] == ["deploy", "live"]
    assert [m["text"] for m in slack.thread(DEPLOYS, head)] == ["deploy", "built", "live"]
    told = (await client.conversations_replies(channel=DEPLOYS, ts=head))["messages"]
    assert (told[0]["reply_count"], told[1]["parent_user_id"]) == (2, "U0SHIPMATE")
    nested = client.chat_postMessage(channel=DEPLOYS, text="x", thread_ts=reply)
    assert await error_of(nested) == "cannot_reply_to_message"
    nowhere = client.chat_postMessage(channel=DEPLOYS, text="x", thread_ts="1.000001")
    assert await error_of(nowhere) == "thread_not_found"


WRONG_PLACES = {
    "a channel that never was": ("C0NOWHERE", "channel_not_found"),
    "a private one without the bot": ("C0SECRET", "channel_not_found"),
    "a public one without the bot": ("C0RANDOM", "not_in_channel"),
    "an archived one": ("C0OLD", "is_archived"),
}


@pytest.mark.parametrize(("channel", "error"), WRONG_PLACES.values(), ids=WRONG_PLACES)
async def test_a_message_to_the_wrong_place_is_refused(client: AsyncWebClient, channel: str, error: str) -> None:
    assert await error_of(client.chat_postMessage(channel=channel, text="hi")) == error


async def test_a_deleted_channel_takes_its_messages_along(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=DEPLOYS, text="hi"))["ts"]
    slack.delete_channel(DEPLOYS)
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=ts, text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=DEPLOYS, text="hi")) == "channel_not_found"


async def test_public_channels_are_written_without_joining_when_the_scope_allows(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    slack.set_token(scopes=["chat:write", "chat:write.public"])
    assert (await client.chat_postMessage(channel="C0RANDOM", text="hi"))["ok"]


BAD_CONTENT = {
    "nothing": ({}, "no_text"),
    "too much text": ({"text": "x" * 40_001}, "msg_too_long"),
    "blocks that are no list": ({"blocks": "{}"}, "invalid_blocks_format"),
    "blocks that are no JSON": ({"blocks": "[{"}, "invalid_blocks_format"),
    "blocks together too long": (
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5},
        "msg_blocks_too_long",
    ),
    "too many attachments": ({"attachments": [{"text": "x", "fallback": "x"}] * 101}, "too_many_attachments"),
    "markdown beside text": ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
}


@pytest.mark.parametrize(("content", "error"), BAD_CONTENT.values(), ids=BAD_CONTENT)
async def test_bad_content_is_refused(client: AsyncWebClient, content: dict[str, Any], error: str) -> None:
    assert await error_of(client.api_call("chat.postMessage", json={"channel": DEPLOYS, **content})) == error


async def test_invalid_blocks_are_refused_with_every_finding(client: AsyncWebClient) -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        {"type": "nothing"},
    ]
    data = await refusal(client.chat_postMessage(channel=DEPLOYS, text="hi", blocks=blocks))
    assert data["error"] == "invalid_blocks"
    assert data["errors"] == [
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        "unsupported type: nothing [json-pointer:/blocks/1/type]",
    ]
    assert data["response_metadata"]["messages"] == [f"[ERROR] {line}" for line in data["errors"]]


async def test_an_edit_takes_less_text_than_a_post(client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=DEPLOYS, text="x" * 40_000))["ts"]
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=ts, text="x" * 4001)) == "msg_too_long"


async def test_only_the_bots_own_messages_can_be_edited_and_only_for_so_long(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    theirs = slack.say("hello")["ts"]
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=theirs, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=DEPLOYS, ts=theirs)) == "cant_delete_message"
    own = (await client.chat_postMessage(channel=DEPLOYS, text="hi"))["ts"]
    slack.workspace.edit_window_s = 60
    slack.clock.advance(61)
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=own, text="x")) == "edit_window_closed"
    slack.workspace.edit_window_s = None
    slack.archive(DEPLOYS)
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=own, text="x")) == "is_inactive"


async def test_an_ephemeral_message_is_seen_by_one_person(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ts = (await client.chat_postEphemeral(channel=DEPLOYS, user=ALICE, text="psst"))["message_ts"]
    assert [m["text"] for m in slack.ephemeral(ALICE)] == ["psst"]
    assert slack.messages() == slack.ephemeral("U0BORA") == []
    assert [m["text"] for m in slack.messages(user=ALICE)] == ["psst"]
    assert await error_of(client.chat_update(channel=DEPLOYS, ts=ts, text="x")) == "message_not_found"
    slack.set_members(DEPLOYS, remove=[ALICE])
    gone = client.chat_postEphemeral(channel=DEPLOYS, user=ALICE, text="psst")
    assert await error_of(gone) == "user_not_in_channel"


async def test_another_name_needs_its_scope(client: AsyncWebClient) -> None:
    named = client.chat_postMessage(channel=DEPLOYS, text="hi", username="Captain")
    assert (await refusal(named))["needed"] == "chat:write.customize"


async def test_posting_too_fast_is_slowed_per_channel(slack: SlackSandbox, client: AsyncWebClient) -> None:
    for _ in range(5):
        await client.chat_postMessage(channel=DEPLOYS, text="hi")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=DEPLOYS, text="hi")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert caught.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="C0GENERAL", text="hi")
    slack.clock.advance(1)
    await client.chat_postMessage(channel=DEPLOYS, text="hi")


async def test_limits_can_be_set_and_taken_away(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.limiter.overrides["auth.test"] = Rate(per_minute=2, burst=1)
    await client.auth_test()
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.headers["Retry-After"] == "30"
    slack.limiter.enabled = False
    await client.auth_test()


async def test_channels_are_listed_by_page_and_type(slack: SlackSandbox, client: AsyncWebClient) -> None:
    names: list[str] = []
    async for some in await client.conversations_list(limit=2, exclude_archived=True):
        names += [channel["name"] for channel in some["channels"]]
    assert names == ["general", "deploys", "random"]
    assert (await client.conversations_list(types="private_channel"))["channels"] == []
    slack.set_members("C0SECRET", add=["U0SHIPMATE"])
    assert [c["id"] for c in (await client.conversations_list(types="private_channel"))["channels"]] == ["C0SECRET"]
    assert await error_of(client.conversations_list(types="secret")) == "invalid_types"
    assert await error_of(client.conversations_list(cursor="?")) == "invalid_cursor"
    mine = (await client.users_conversations(exclude_archived=True))["channels"]
    assert [c["name"] for c in mine] == ["general", "deploys"]


async def test_the_bot_joins_public_channels_only(slack: SlackSandbox, client: AsyncWebClient) -> None:
    await client.conversations_join(channel="C0RANDOM")
    assert "U0SHIPMATE" in (await client.conversations_members(channel="C0RANDOM"))["members"]
    again = await client.conversations_join(channel="C0RANDOM")
    assert again["warning"] == "already_in_channel"
    assert await error_of(client.conversations_join(channel="C0OLD")) == "is_archived"
    slack.set_members("C0SECRET", add=["U0SHIPMATE"])
    assert await error_of(client.conversations_join(channel="C0SECRET")) == "method_not_supported_for_channel_type"


async def test_people_are_found_by_id_and_address(slack: SlackSandbox, client: AsyncWebClient) -> None:
    assert (await client.users_lookupByEmail(email="Bora@acme.test"))["user"]["id"] == "U0BORA"
    assert await error_of(client.users_lookupByEmail(email="dana@acme.test")) == "users_not_found"
    assert (await client.users_info(user="U0DANA"))["user"]["deleted"] is True
    assert (await client.users_info(user="U0BORA", include_locale=True))["user"]["locale"] == "ko-KR"
    assert await error_of(client.users_info(user="U0WHO")) == "user_not_found"
    assert len((await client.users_list())["members"]) == 5
    slack.set_token(scopes=["users:read"])
    assert "email" not in (await client.users_info(user="U0BORA"))["user"]["profile"]


async def test_a_direct_conversation_is_opened_once(slack: SlackSandbox, client: AsyncWebClient) -> None:
    opened = (await client.conversations_open(users=ALICE))["channel"]["id"]
    assert opened.startswith("D")
    assert (await client.conversations_open(users=ALICE))["channel"]["id"] == opened
    assert (await client.chat_postMessage(channel=ALICE, text="hi"))["channel"] == opened
    several = (await client.conversations_open(users="U0ALICE,U0BORA", return_im=True))["channel"]
    assert several["is_mpim"]
    assert await error_of(client.conversations_open(users="U0DANA")) == "user_disabled"
    assert await error_of(client.conversations_open(users="")) == "users_list_not_supplied"


async def test_history_is_newest_first_within_its_bounds(slack: SlackSandbox, client: AsyncWebClient) -> None:
    stamps = [slack.say(text)["ts"] for text in ("one", "two", "three")]
    told = (await client.conversations_history(channel=DEPLOYS))["messages"]
    assert [m["text"] for m in told] == ["three", "two", "one"]
    later = (await client.conversations_history(channel=DEPLOYS, oldest=stamps[1]))["messages"]
    assert [m["text"] for m in later] == ["three"]
    exact = await client.conversations_history(channel=DEPLOYS, oldest=stamps[1], inclusive=True, limit=1)
    assert ([m["text"] for m in exact["messages"]], exact["has_more"]) == (["three"], True)
    assert await error_of(client.conversations_history(channel="C0RANDOM")) == "not_in_channel"


async def test_reactions_are_added_once_and_taken_back(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ts = slack.say("ship it")["ts"]
    at = {"channel": DEPLOYS, "timestamp": ts}
    await client.reactions_add(name="rocket", **at)
    assert slack.messages()[0]["reactions"] == [{"name": "rocket", "users": ["U0SHIPMATE"], "count": 1}]
    assert await error_of(client.reactions_add(name="rocket", **at)) == "already_reacted"
    await client.reactions_remove(name="rocket", **at)
    assert await error_of(client.reactions_remove(name="rocket", **at)) == "no_reaction"
    assert await error_of(client.reactions_add(name="no emoji", **at)) == "invalid_name"


async def test_a_file_is_uploaded_and_shared_in_a_thread(slack: SlackSandbox, client: AsyncWebClient) -> None:
    head = slack.say("logs?")["ts"]
    await client.files_upload_v2(
        content="line 1\nline 2", filename="build.log", channel=DEPLOYS, thread_ts=head, initial_comment="here"
    )
    shared = slack.thread(DEPLOYS, head)[-1]
    assert (shared["text"], shared["files"][0]["name"], shared["files"][0]["size"]) == ("here", "build.log", 13)


async def test_a_file_that_was_never_sent_can_not_be_shared(slack: SlackSandbox, client: AsyncWebClient) -> None:
    promised = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    unsent = client.files_completeUploadExternal(files=[{"id": promised["file_id"]}], channel_id=DEPLOYS)
    assert await error_of(unsent) == "file_not_found"
    async with aiohttp.ClientSession() as http, http.post(promised["upload_url"], data=b"four") as answer:
        assert answer.status == 400


async def test_the_app_home_is_published_to_a_person(slack: SlackSandbox, client: AsyncWebClient) -> None:
    first = await client.views_publish(user_id=ALICE, view={"type": "home", "blocks": [SECTION]})
    home = slack.home_of(ALICE)
    assert home is not None
    assert home["blocks"][0]["text"]["text"] == "*deploying*"
    stale = first["view"]["hash"]
    await client.views_publish(user_id=ALICE, view={"type": "home", "blocks": []}, hash=stale)
    again = client.views_publish(user_id=ALICE, view={"type": "home", "blocks": []}, hash=stale)
    assert await error_of(again) == "hash_conflict"
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}
    assert await error_of(client.views_publish(user_id=ALICE, view=modal)) == "invalid_arguments"


async def test_what_was_asked_is_on_record(slack: SlackSandbox, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=DEPLOYS, text="hi")
    await error_of(client.chat_postMessage(channel="C0OLD", text="hi"))
    assert [(r.method, r.args["channel"], r.error) for r in slack.requests] == [
        ("chat.postMessage", DEPLOYS, None),
        ("chat.postMessage", "C0OLD", "is_archived"),
    ]


def test_the_sdk_knows_every_simulated_method() -> None:
    missing = [name for name in METHODS if not hasattr(AsyncWebClient, name.replace(".", "_"))]
    assert missing == []


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        ("application/json; charset=utf-8", b"[" * 100_000, "invalid_json"),
        ("application/json; charset=utf-8", b"\xff\xfe", "invalid_json"),
        ("application/x-www-form-urlencoded", b"text=\xff\xfe", "invalid_form_data"),
        ("multipart/form-data", b"--x", "invalid_form_data"),
        ("multipart/form-data; boundary=x", b"nothing of the kind", "invalid_form_data"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_by_its_name(
    slack: SlackSandbox, kind: str, data: bytes, error: str
) -> None:
    assert (await post(slack, "auth.test", data=data, headers={"Content-Type": kind}))["error"] == error
