"""The signature Slack puts on what it sends."""

from slack_sdk.signature import Clock, SignatureVerifier

from bot.sandbox.slack.signing import signature, signed_headers

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TIMESTAMP = 1531420618
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


class Then(Clock):
    def now(self) -> float:
        return float(TIMESTAMP)


def test_the_documented_request_gets_the_documented_signature() -> None:
    assert signature(SECRET, TIMESTAMP, BODY) == ("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")


def test_slacks_own_verifier_accepts_the_headers_and_refuses_another_body() -> None:
    headers = signed_headers(SECRET, TIMESTAMP, BODY)
    verifier = SignatureVerifier(SECRET, clock=Then())
    assert verifier.is_valid_request(BODY, headers)
    assert not verifier.is_valid_request(BODY + b"x", headers)
