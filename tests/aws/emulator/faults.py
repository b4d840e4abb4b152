"""What goes wrong on demand between a client and the emulator: throttling, faults, resets and answers that are cut."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_SOCKET = "werkzeug.socket"
_QUERY = "emulator.query"


@dataclass
class Rule:
    """One thing that goes wrong `times` times, for calls that match; empty matches all.

    `kind`: `throttle` and `fault` answer for AWS, `deny` refuses, `reset` hangs up before the call is carried out,
    `cut` after it, each once `wait_s` is over; `wait` carries it out after `wait_s`.
    """

    kind: str
    service: str = ""
    operation: str = ""
    times: int = 1
    skip: int = 0
    """How many matching calls go well first."""
    every: int = 1
    """Of those after, the first goes wrong and then every so manyth."""
    wait_s: float = 0.0
    fired: int = 0


@dataclass
class Faults:
    """The rules in force, and every call that came, as `ecs.UpdateService`."""

    rules: list[Rule] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, service: str, operation: str) -> Rule | None:
        """Note a call; the rule that makes it go wrong, if one does."""
        with self._lock:
            self.calls.append(f"{service}.{operation}")
            for rule in self.rules:
                if rule.service not in ("", service) or rule.operation not in ("", operation) or rule.times <= 0:
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.skip = rule.every - 1
                rule.times -= 1
                rule.fired += 1
                return rule
        return None


def with_faults(app: App, faults: Faults) -> App:
    """The application, going wrong as the rules say."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        called = named(environ)
        if called is None:
            return app(environ, start_response)
        rule = faults.due(*called)
        match rule.kind if rule else None:
            case "throttle":
                return refused(environ, start_response, "ThrottlingException", "Rate exceeded", 400)
            case "fault":
                return refused(environ, start_response, "ServerException", "a fault of AWS's own", 500)
            case "deny":
                message = f"User: arn:aws:iam::1:user/t is not authorized to perform: {called[0]}:{called[1]} on it"
                return refused(environ, start_response, "AccessDeniedException", message, 400)
            case "reset":
                return _hung_up(environ, rule)
            case "cut":
                list(app(environ, lambda *_: None))
                return _hung_up(environ, rule)
            case "wait":
                assert rule is not None
                time.sleep(rule.wait_s)
        return app(environ, start_response)

    return answer


def named(environ: dict[str, Any]) -> tuple[str, str] | None:
    """Service and operation of a signed request; None for what is not AWS's. REST calls are named by their path."""
    signed = environ.get("HTTP_AUTHORIZATION", "")
    if "Credential=" not in signed:
        return None
    service = signed.partition("Credential=")[2].split("/")[3]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return service, target.rpartition(".")[2]
    if "/operation/" in environ["PATH_INFO"]:
        return service, environ["PATH_INFO"].rpartition("/operation/")[2]
    action = urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action")
    environ[_QUERY] = bool(action)
    return service, action[0] if action else f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def refused(
    environ: dict[str, Any], start_response: Callable[..., Any], code: str, message: str, status: int
) -> Iterable[bytes]:
    """An error in the protocol the request spoke."""
    if not environ.get(_QUERY):
        body = json.dumps({"__type": code, "message": message}).encode()
        kind = "application/x-amz-json-1.1"
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>r</RequestId></ErrorResponse>"
        ).encode()
        kind = "text/xml"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-ErrorType", code)]
    start_response(f"{status} -", headers)
    return [body]


def _hung_up(environ: dict[str, Any], rule: Rule | None) -> Iterable[bytes]:
    """Close the connection with no answer, at once or later; what the server writes after that goes nowhere."""
    time.sleep(rule.wait_s if rule else 0.0)
    connection: socket.socket = environ[_SOCKET]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
