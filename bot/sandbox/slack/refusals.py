"""The two ways the simulated Slack says no: to an app over the Web API, and to whoever drives the simulation."""

from typing import Any


class SlackError(Exception):
    """A Web API error: `code` as Slack names it, `messages` for `response_metadata`, `facts` beside `error`."""

    def __init__(self, code: str, *messages: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages
        self.facts = facts

    def reply(self) -> dict[str, Any]:
        """The JSON body Slack answers with."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.facts}
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


class Impossible(Exception):
    """A person in the simulation was told to do what nobody could do; the text is one sentence saying why."""
