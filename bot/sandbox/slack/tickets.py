"""What Slack hands out for a short while: trigger ids, good once for 3 s, and response URLs, 5 uses in 30 minutes."""

import secrets
from dataclasses import dataclass

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.refusals import SlackError

TRIGGER_LIFE_S = 3.0
RESPONSE_URL_LIFE_S = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """A person's leave to open one modal for them; `view_id` when it was given inside a modal."""

    user: str
    view_id: str | None
    expires: float
    used: bool = False


@dataclass
class ResponseUrl:
    """A way to answer one command or click; `message_ts` is the message that was clicked, if any."""

    id: str
    channel: str
    user: str
    message_ts: str | None
    expires: float
    uses: int = 0


class Tickets:
    """Every trigger id and response URL given out so far."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, user: str, view_id: str | None = None) -> str:
        """A new trigger id, in Slack's form `number.number.hex`."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, view_id, self.clock.now() + TRIGGER_LIFE_S)
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger id up. Raises SlackError `invalid_trigger_id`, `exchanged_trigger_id`, `expired_trigger_id`."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock.now() > trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def response_url(self, channel: str, user: str, message_ts: str | None) -> ResponseUrl:
        """A new response URL's record; its `id` is the last part of the address."""
        expires = self.clock.now() + RESPONSE_URL_LIFE_S
        url = ResponseUrl(secrets.token_urlsafe(18), channel, user, message_ts, expires)
        self._urls[url.id] = url
        return url

    def spend(self, url_id: str) -> ResponseUrl:
        """Count one use. Raises SlackError `invalid_url`, `expired_url` or `used_url`."""
        url = self._urls.get(url_id)
        if url is None:
            raise SlackError("invalid_url")
        if self.clock.now() > url.expires:
            raise SlackError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        return url
