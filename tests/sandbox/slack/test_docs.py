"""The documentation names every call of the control API, and no other."""

import re
from pathlib import Path

from bot.sandbox.slack.control import routes
from bot.sandbox.slack.faults import CALL_EFFECTS, SEND_EFFECTS
from bot.sandbox.slack.sandbox import SlackSandbox

PAGE = Path(__file__).parents[3] / "docs" / "sandbox-slack.md"


def documented() -> set[tuple[str, str]]:
    """Verb and path of each curl line, with example ids put back into names."""
    found = set()
    for line in PAGE.read_text().splitlines():
        if not line.startswith("curl "):
            continue
        path = re.split(r"[\s\"?]", line.split("$S/")[1])[0]
        named = re.search(r"-X (\w+)", line)
        verb = named[1] if named else "POST" if " -d " in line else "GET"
        path = re.sub(r"C0\w+", "{channel}", path)
        found.add((verb, re.sub(r"U0\w+", "{user}", re.sub(r"\d+\.\d+", "{ts}", path))))
    return found


def test_every_call_is_documented_and_every_documented_call_exists() -> None:
    served = {(route.method, route.path.removeprefix("/_control/")) for route in routes(SlackSandbox())}
    assert documented() == served


def test_every_effect_of_a_fault_is_documented() -> None:
    missing = [effect for effect in CALL_EFFECTS | SEND_EFFECTS if f"`{effect}`" not in PAGE.read_text()]
    assert missing == []
