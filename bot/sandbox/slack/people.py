"""What the people of the workspace do: type commands, mention the app, click, fill in modals, open its home."""

import contextlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack import answers, payloads
from bot.sandbox.slack.blockkit.blocks import option_findings
from bot.sandbox.slack.blockkit.rules import elements_of
from bot.sandbox.slack.courier import Courier, Delivery, Outgoing
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.inputs import entered, require_complete, require_known, state_of
from bot.sandbox.slack.methods.chat import open_thread
from bot.sandbox.slack.refusals import Impossible, SlackError
from bot.sandbox.slack.tickets import ResponseUrl
from bot.sandbox.slack.workspace import Channel, Message, User, View

Json = dict[str, Any]
SUBSCRIPTIONS = frozenset({"app_mention", "app_home_opened", "message.im"})
"""The events a chat-ops bot asks for; `message.channels`, `message.groups`, `message.mpim` can be added."""
MESSAGE_EVENTS = {"public": "message.channels", "private": "message.groups", "im": "message.im", "mpim": "message.mpim"}


@dataclass
class People:
    """Everyone's hands. Each act is told to the app and returns the Delivery; Impossible: nobody could do that."""

    desk: Desk
    courier: Courier
    subscriptions: set[str] = field(default_factory=lambda: set(SUBSCRIPTIONS))

    async def say_command(self, word: str, text: str, user: str, channel: str) -> Delivery:
        """Type a slash command. Never retried; a failure is shown to the person as Slack does."""
        person, place = self._in_place(self._person(user), channel)
        url = self.desk.tickets.response_url(place.id, person.id, None)
        fields = payloads.command(self.desk.workspace, person, place, word, text)
        handed = {"response_url": self._address("commands", url), "trigger_id": self.desk.tickets.trigger(person.id)}
        delivery = await self.courier.send(Outgoing("command", fields | handed))
        self._show_answer(word, url, delivery)
        return delivery

    async def mention(self, text: str, user: str, channel: str, thread_ts: str | None = None) -> Delivery:
        """Say something that mentions the app, in a channel it is in."""
        workspace = self.desk.workspace
        person, place = self._in_place(workspace.speaker(user), channel)
        if workspace.bot_user not in place.members:
            raise Impossible(f"the app isn't in {place.name}, so it hears nothing there")
        message = self._said(person, place, f"<@{workspace.bot_user}> {text}", thread_ts)
        self.announce(message)
        return await self._tell(payloads.message_event(workspace, message, "app_mention"))

    def say(self, text: str, user: str, channel: str, thread_ts: str | None = None) -> Message:
        """Say something; the app is told when it listens to messages there."""
        person, place = self._in_place(self.desk.workspace.speaker(user), channel)
        message = self._said(person, place, text, thread_ts)
        self.announce(message)
        return message

    def announce(self, message: Message) -> None:
        """Tell the app of a message, its own ones too, when it is in the channel and subscribed to its kind.

        In the background; the app must see by `bot_id` what is its own.
        """
        channel = self.desk.workspace.channels[message.channel]
        listens = MESSAGE_EVENTS[channel.kind] in self.subscriptions and self._reachable()
        if listens and self.desk.workspace.bot_user in channel.members:
            self.courier.start(self._tell_quietly(payloads.message_event(self.desk.workspace, message)))

    async def click(
        self, message_ts: str, action_id: str, user: str, value: Any = None, channel: str | None = None
    ) -> Delivery:
        """Click an element of a message. `value` chooses in menus, and tells equal buttons apart by their value."""
        person, message = self._person(user), self._seen(message_ts, user, channel)
        block, element = _element(message.blocks, action_id, value)
        url = self.desk.tickets.response_url(message.channel, person.id, message.ts)
        return await self._act(
            person,
            payloads.on_message(self.desk.workspace, message),
            payloads.action(element, block, entered(element, value), self.desk.workspace.new_ts()),
            {"state": {"values": {}}, "response_url": self._address("actions", url)},
            None,
        )

    async def click_in_view(
        self, user: str, action_id: str, value: Any = None, values: Json | None = None, view_id: str | None = None
    ) -> Delivery:
        """Click or choose something in the view a person looks at; `values` are what else is entered so far."""
        person, view = self._person(user), self.view_of(user, view_id)
        block, element = _element(view.body["blocks"], action_id, value)
        state = state_of(view, values or {})
        field = entered(element, value)
        if field:
            state.setdefault(block["block_id"], {})[action_id] = {"type": element["type"], **field}
        place = payloads.on_view(self.desk.workspace, view, state)
        action = payloads.action(element, block, field, self.desk.workspace.new_ts())
        return await self._act(person, place, action, {}, view.id)

    async def _act(self, person: User, place: Json, action: Json, more: Json, view_id: str | None) -> Delivery:
        """Send a click on one element."""
        payload = payloads.interaction(self.desk.workspace, "block_actions", person) | place | more
        payload |= {"trigger_id": self.desk.tickets.trigger(person.id, view_id), "actions": [action]}
        return await self.courier.send(Outgoing("interaction", payload))

    async def submit_view(self, user: str, values: Json | None = None, view_id: str | None = None) -> Delivery:
        """Press the modal's submit button; `values` by action id or block id. What the answer says is then done."""
        person, view = self._person(user), self._modal(user, view_id)
        require_known(view, values or {})
        state = state_of(view, values or {})
        require_complete(view, state)
        payload = payloads.interaction(self.desk.workspace, "view_submission", person)
        payload["view"] = payloads.on_view(self.desk.workspace, view, state)["view"]
        payload |= {"trigger_id": self.desk.tickets.trigger(person.id, view.id), "response_urls": []}
        delivery = await self.courier.send(Outgoing("interaction", payload))
        answers.conclude(self.desk, view, delivery.answered, delivery.reply)
        return delivery

    async def close_view(self, user: str, view_id: str | None = None) -> Delivery | None:
        """Close a modal; the app is told when it asked for that (`notify_on_close`), else None."""
        person, view = self._person(user), self._modal(user, view_id)
        answers.close(self.desk, view)
        if not view.body.get("notify_on_close"):
            return None
        payload = payloads.interaction(self.desk.workspace, "view_closed", person)
        payload["view"] = payloads.on_view(self.desk.workspace, view, {})["view"]
        return await self.courier.send(Outgoing("interaction", payload | {"is_cleared": False}))

    async def open_home(self, user: str) -> Delivery:
        """Open the app's home tab."""
        person, workspace = self._person(user), self.desk.workspace
        place, at = workspace.direct(person.id), workspace.new_ts()
        inner = {"type": "app_home_opened", "user": person.id, "channel": place.id, "tab": "home", "event_ts": at}
        home = workspace.views.get(workspace.homes.get(person.id, ""))
        shown = {"view": payloads.on_view(workspace, home, {})["view"]} if home else {}
        return await self._tell(inner | shown)

    async def shortcut(self, callback_id: str, user: str, message_ts: str | None = None) -> Delivery:
        """Choose a shortcut: of a message when one is named, else a global one."""
        person, workspace = self._person(user), self.desk.workspace
        kind = "message_action" if message_ts else "shortcut"
        payload = payloads.interaction(workspace, kind, person) | {"callback_id": callback_id}
        payload |= {"action_ts": workspace.new_ts(), "trigger_id": self.desk.tickets.trigger(person.id)}
        if message_ts:
            message = self._seen(message_ts, user, None)
            place = payloads.on_message(workspace, message)
            url = self.desk.tickets.response_url(message.channel, person.id, message.ts)
            payload |= {"channel": place["channel"], "message": place["message"], "message_ts": message.ts}
            payload["response_url"] = self._address("actions", url)
        return await self.courier.send(Outgoing("interaction", payload))

    async def suggest(self, user: str, action_id: str, typed: str, view_id: str | None = None) -> list[Json]:
        """Type into a menu the app fills; the options it offers. Raises Impossible when Slack couldn't use them."""
        person, view = self._person(user), self.view_of(user, view_id)
        block, element = _element(view.body["blocks"], action_id, None)
        payload = payloads.interaction(self.desk.workspace, "block_suggestion", person)
        payload |= payloads.on_view(self.desk.workspace, view, state_of(view, {}))
        payload |= {"action_id": element["action_id"], "block_id": block["block_id"], "value": typed}
        delivery = await self.courier.send(Outgoing("suggestion", payload))
        said = delivery.reply if isinstance(delivery.reply, dict) else {}
        findings = option_findings(said)
        if findings:
            raise Impossible(f"the app suggests nothing Slack could show: {'; '.join(findings)}")
        groups = [option for group in said.get("option_groups", []) for option in group["options"]]
        return list(said.get("options", [])) + groups

    async def verify_url(self) -> bool:
        """Ask the request URL for the challenge's echo, as Slack does when one is set."""
        challenge = secrets.token_urlsafe(24)
        asked = {"token": payloads.VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
        said = (await self.courier.send(Outgoing("verification", asked))).reply
        return bool(challenge == (said.get("challenge") if isinstance(said, dict) else said))

    def view_of(self, user: str, view_id: str | None = None) -> View:
        """The view a person looks at: the topmost modal, else their home. Raises Impossible when there is none."""
        workspace = self.desk.workspace
        stack = workspace.stacks.get(user, [])
        shown = view_id or (stack[-1] if stack else workspace.homes.get(user, ""))
        view = workspace.views.get(shown)
        if view is None or view.user != user:
            raise Impossible(f"{user} sees no such view")
        return view

    def _modal(self, user: str, view_id: str | None) -> View:
        view = self.view_of(user, view_id)
        if view.kind != "modal":
            raise Impossible(f"{user} has no modal open")
        return view

    def _person(self, user: str) -> User:
        return self.desk.workspace.person(user)

    def _in_place(self, person: User, channel: str) -> tuple[User, Channel]:
        """Someone and a channel they can write in. Raises Impossible."""
        place = self.desk.workspace.place(channel)
        if person.id not in place.members or place.archived:
            raise Impossible(f"{person.name} can't write in {place.name or place.id}: archived, or not a member")
        return person, place

    def _said(self, person: User, place: Channel, text: str, thread_ts: str | None) -> Message:
        workspace = self.desk.workspace
        if thread_ts:
            _in_thread(place, thread_ts)
        message = Message(workspace.new_ts(), place.id, person.id, text, thread_ts=thread_ts, bot_id=person.bot_id)
        return workspace.post(message)

    def _seen(self, message_ts: str, user: str, channel: str | None) -> Message:
        """A message this person can see. Raises Impossible."""
        where = self.desk.workspace.place(channel).id if channel else None
        for message in self.desk.workspace.everything():
            visible = message.ephemeral_to in (None, user)
            if message.ts == message_ts and where in (None, message.channel) and visible:
                return message
        raise Impossible(f"{user} sees no message {message_ts}")

    def _show_answer(self, word: str, url: ResponseUrl, delivery: Delivery) -> None:
        """What the person sees after a command: the app's answer, or Slack's own words for its failure."""
        if delivery.answered and not delivery.reply:
            return
        try:
            if not delivery.answered:
                raise SlackError(_failure(delivery))
            answers.answer(self.desk, url, delivery.reply)
        except SlackError as refusal:
            notice = f'{word} failed with the error "{refusal.code}"'
            workspace = self.desk.workspace
            workspace.post(Message(workspace.new_ts(), url.channel, "USLACKBOT", notice, ephemeral_to=url.user))

    def _address(self, kind: str, url: ResponseUrl) -> str:
        return f"{self.desk.base_url()}/{kind}/{self.desk.workspace.team_id}/{url.id}"

    def _reachable(self) -> bool:
        return self.courier.request_url is not None or self.courier.sockets.connected > 0

    async def _tell(self, inner: Json) -> Delivery:
        """Send an event the app is subscribed to. Raises Impossible when it isn't."""
        if inner["type"] not in self.subscriptions:
            raise Impossible(f"the app isn't subscribed to {inner['type']}")
        return await self.courier.send(Outgoing("event", payloads.event(self.desk.workspace, inner)))

    async def _tell_quietly(self, inner: Json) -> None:
        """Send an event in the background; by then the app may be gone."""
        with contextlib.suppress(Impossible):
            await self.courier.send(Outgoing("event", payloads.event(self.desk.workspace, inner)))


def _failure(delivery: Delivery) -> str:
    """Slack's code for a command nobody took."""
    reason = delivery.attempts[-1].outcome.reason if delivery.attempts else "http_timeout"
    return "operation_timeout" if reason in ("http_timeout", "timeout") else "dispatch_failed"


def _in_thread(place: Channel, thread_ts: str) -> None:
    try:
        open_thread(place, thread_ts)
    except SlackError as refusal:
        raise Impossible(f"there is no thread {thread_ts} in {place.name}: {refusal.code}") from refusal


def _element(blocks: list[Json], action_id: str, value: Any) -> tuple[Json, Json]:
    """The element of that action id and its block; among equal buttons the one of that value. Raises Impossible."""
    found = [(b, e) for b in blocks for e in elements_of(b) if e.get("action_id") == action_id]
    exact = [(b, e) for b, e in found if e["type"] != "button" or value in (None, e.get("value"))]
    if not exact:
        known = ", ".join(str(e.get("action_id")) for b in blocks for e in elements_of(b))
        raise Impossible(f"nothing to click called {action_id!r} (value {value!r}); there is: {known or 'nothing'}")
    return exact[0]
