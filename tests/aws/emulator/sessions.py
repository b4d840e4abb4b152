"""Sessions as STS gives them: they end, say what they are for, and open a role only to those its policy trusts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.sts.responses import TokenResponse

from tests.aws.emulator.faults import App, named, refused


@dataclass
class Session:
    """What was asked with AssumeRole, and when the key it gave ends."""

    role: str
    tags: dict[str, str]
    external_id: str | None
    ends_at: datetime


@dataclass
class Sessions:
    """`lasts_s` is how long sessions last from now on, and `trusts` the external id that a role's policy asks for.

    `dead_keys` are deactivated. `signed` tells of each call which key signed it.
    """

    lasts_s: float = 3600.0
    trusts: dict[str, str] = field(default_factory=dict)
    dead_keys: list[str] = field(default_factory=list)
    given: dict[str, Session] = field(default_factory=dict)
    signed: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self) -> None:
        """Let AssumeRole give sessions of this length, and note what they are for."""
        give = TokenResponse.assume_role

        def assume_role(self_: TokenResponse) -> ActionResult:
            answer = give(self_)
            life = timedelta(seconds=self.lasts_s)
            credentials = answer.result["Credentials"]  # type: ignore[index]
            credentials.expiration = utcnow() + life
            asked = self_.params
            tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags") or ()}
            session = Session(asked["RoleArn"], tags, asked.get("ExternalId"), datetime.now(UTC) + life)
            self.given[credentials.access_key_id] = session
            return answer

        TokenResponse.assume_role = assume_role  # type: ignore[assignment, method-assign]

    def forget(self) -> None:
        """As it began."""
        self.lasts_s = 3600.0
        for kept in (self.trusts, self.dead_keys, self.given, self.signed):
            kept.clear()

    def told(self) -> dict[str, Any]:
        """Every session that was given, oldest first, and who signed what."""
        given = [{"role": one.role, "tags": one.tags, "external_id": one.external_id} for one in self.given.values()]
        return {"given": given, "keys": list(self.given), "signed": self.signed}

    def fault(self, key: str, call: str) -> tuple[str, str] | None:
        """AWS's word and sentence for a request whose key opens nothing now."""
        with self._lock:
            self.signed.append((key, call))
        session = self.given.get(key)
        if session is not None and datetime.now(UTC) >= session.ends_at:
            return "ExpiredToken", "The security token included in the request is expired"
        if key in self.dead_keys:
            return "InvalidClientTokenId", "The security token included in the request is invalid."
        return None

    def distrust(self, environ: dict[str, Any]) -> tuple[str, str] | None:
        """AWS's word and sentence for who may not assume the role."""
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        asked = dict(parse_qsl(body.decode()))
        wanted = self.trusts.get(asked["RoleArn"])
        if wanted is None or asked.get("ExternalId") == wanted:
            return None
        who = "User: arn:aws:iam::123456789012:user/server"
        return "AccessDenied", f"{who} is not authorized to perform: sts:AssumeRole on resource: {asked['RoleArn']}"


def with_sessions(app: App, sessions: Sessions) -> App:
    """The application, for those alone whose keys are good."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        called = named(environ)
        if called is None:
            return app(environ, start_response)
        key = environ["HTTP_AUTHORIZATION"].partition("Credential=")[2].split("/")[0]
        fault = sessions.fault(key, ".".join(called))
        if fault is None and called == ("sts", "AssumeRole"):
            fault = sessions.distrust(environ)
        if fault is not None:
            return refused(environ, start_response, *fault, 403)
        return app(environ, start_response)

    return answer
