"""HTTP/1.1 heads as the router reads, checks and rewrites them (RFC 9110 §7.6, RFC 9112 §3, §6)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

Headers = list[tuple[bytes, bytes]]

IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
RELIED_ON = frozenset({b"content-length", b"host"}) | FORWARDED
MOST_HEADERS = 200
REASONS = {
    400: b"Bad Request",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
}

_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)(.*)", re.IGNORECASE)


class Unacceptable(Exception):
    """A request the router refuses to pass on, and the status that says so."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request's head, checked: exactly one way to read where its body ends."""

    method: bytes
    target: bytes
    version: str
    headers: Headers
    host: bytes
    content_length: int | None
    chunked: bool
    upgrade: bytes
    keep_alive: bool
    hop_by_hop: frozenset[bytes]

    @property
    def has_body(self) -> bool:
        return self.chunked or bool(self.content_length)

    @property
    def may_be_repeated(self) -> bool:
        """Whether sending it twice means no more than sending it once, and it can be sent twice."""
        return self.method in IDEMPOTENT and not self.has_body


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A response's head, as the target sent it."""

    status: int
    reason: bytes
    headers: Headers
    content_length: bytes | None
    chunked: bool
    hop_by_hop: frozenset[bytes]

    def has_body(self, method: bytes) -> bool:
        return method != b"HEAD" and self.status >= 200 and self.status not in (204, 304)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as the target is told."""

    address: bytes
    trusted: bool


def request_head(method: bytes, target: bytes, version: str, headers: Headers) -> RequestHead:
    """Check and read a request's head. Raises Unacceptable.

    The parser refuses what is malformed; this refuses what is ambiguous: two lengths, an unknown coding, two hosts.
    """
    fields = _gathered(headers)
    if version not in ("1.1", "1.0"):
        raise Unacceptable(505)
    if method == b"CONNECT":
        raise Unacceptable(405)
    if len(headers) > MOST_HEADERS:
        raise Unacceptable(431)
    target, authority = _origin_form(target, method)
    connection = _connection_options(fields)
    chunked, length = _framing(fields, version)
    return RequestHead(
        method=method,
        target=target,
        version=version,
        headers=headers,
        host=authority or _host(fields, version),
        content_length=length,
        chunked=chunked,
        upgrade=b"" if chunked or length else _upgrade(fields, connection, version),
        keep_alive=b"close" not in connection and (version == "1.1" or b"keep-alive" in connection),
        hop_by_hop=_hop_by_hop(connection),
    )


def response_head(status: int, reason: bytes, headers: Headers) -> ResponseHead:
    """Read a response's head. Raises Unacceptable(502) for a coding the router can't frame."""
    fields = _gathered(headers)
    codings = fields.get(b"transfer-encoding", [])
    if codings and [coding.strip().lower() for coding in codings] != [b"chunked"]:
        raise Unacceptable(502)
    lengths = fields.get(b"content-length")
    connection = _connection_options(fields)
    return ResponseHead(
        status=status,
        reason=reason,
        headers=headers,
        content_length=lengths[0] if lengths else None,
        chunked=bool(codings),
        hop_by_hop=_hop_by_hop(connection),
    )


def forwarded_request(head: RequestHead, origin: Origin) -> bytes:
    """The bytes of the request's head for the target: hop-by-hop fields gone, the client's address added."""
    told = dict.fromkeys(FORWARDED, b"")
    lines = [b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (head.method, head.target, head.host)]
    identified = False
    for name, value in head.headers:
        lowered = name.lower()
        identified = identified or lowered == b"x-request-id"
        if lowered in FORWARDED:
            told[lowered] = value
        elif lowered not in head.hop_by_hop and lowered != b"host":
            lines.append(b"%b: %b\r\n" % (name, value))
    if head.chunked:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if head.upgrade:
        lines.append(b"Connection: Upgrade\r\nUpgrade: %b\r\n" % head.upgrade)
    if not identified:
        lines.append(b"X-Request-Id: %b\r\n" % os.urandom(16).hex().encode())
    lines.append(_forwarded_fields(head, origin, told))
    return b"".join(lines)


def relayed_response(head: ResponseHead, request: RequestHead, keep_alive: bool) -> tuple[bytes, bool]:
    """The bytes of the response's head for the client, and whether the body after it must be chunked by us."""
    body = head.has_body(request.method)
    unsized = body and head.content_length is None
    chunked = unsized and request.version == "1.1"
    lines = [b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)]
    for name, value in head.headers:
        lowered = name.lower()
        if lowered not in head.hop_by_hop and not (head.status == 204 and lowered == b"content-length"):
            lines.append(b"%b: %b\r\n" % (name, value))
    if chunked:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if not keep_alive:
        lines.append(b"Connection: close\r\n")
    elif request.version == "1.0":
        lines.append(b"Connection: keep-alive\r\n")
    lines.append(b"\r\n")
    return b"".join(lines), chunked


def interim_response(head: ResponseHead) -> bytes:
    """A 1xx response, passed on as it came but for hop-by-hop fields."""
    return _status_and_fields(head, b"")


def switching_response(head: ResponseHead, protocol: bytes) -> bytes:
    """The 101 response after which both sides speak another protocol."""
    return _status_and_fields(head, b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocol)


def own_response(status: int, sentence: str, *, close: bool, extra: bytes = b"") -> tuple[bytes, bytes]:
    """Head and body of a response of the router's own, in plain text."""
    body = sentence.encode() + b"\n"
    head = b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n%b%b\r\n" % (
        status,
        REASONS[status],
        len(body),
        b"Connection: close\r\n" if close else b"",
        extra,
    )
    return head, body


def body_framing(head: RequestHead) -> bytes:
    """The field that says where the request's body ends."""
    return b"Transfer-Encoding: chunked\r\n" if head.chunked else b"Content-Length: %d\r\n" % (head.content_length or 0)


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; of no data, the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _gathered(headers: Headers) -> dict[bytes, list[bytes]]:
    fields: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    return fields


def _connection_options(fields: dict[bytes, list[bytes]]) -> frozenset[bytes]:
    values = fields.get(b"connection")
    if not values:
        return frozenset()
    return frozenset(option.strip().lower() for option in b",".join(values).split(b","))


def _hop_by_hop(connection: frozenset[bytes]) -> frozenset[bytes]:
    """The fields that end here: the usual ones, and those Connection names but for what the router relies on."""
    return HOP_BY_HOP | (connection - RELIED_ON) if connection else HOP_BY_HOP


def _framing(fields: dict[bytes, list[bytes]], version: str) -> tuple[bool, int | None]:
    lengths = fields.get(b"content-length", [])
    codings = fields.get(b"transfer-encoding", [])
    if codings:
        only_chunked = len(codings) == 1 and codings[0].strip().lower() == b"chunked"
        if lengths or not only_chunked or version != "1.1":
            raise Unacceptable(400)
        return True, None
    if len(lengths) > 1 or any(not length.isdigit() for length in lengths):
        raise Unacceptable(400)
    return False, int(lengths[0]) if lengths else None


def _host(fields: dict[bytes, list[bytes]], version: str) -> bytes:
    hosts = fields.get(b"host", [])
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise Unacceptable(400)
    return hosts[0] if hosts else b""


def _upgrade(fields: dict[bytes, list[bytes]], connection: Iterable[bytes], version: str) -> bytes:
    """The protocol asked for. HTTP/2 over cleartext is not passed on: it would tunnel past every check here."""
    wanted = fields.get(b"upgrade", [])
    if len(wanted) != 1 or b"upgrade" not in connection or version != "1.1":
        return b""
    return b"" if wanted[0].lower().startswith(b"h2") else wanted[0]


def _origin_form(target: bytes, method: bytes) -> tuple[bytes, bytes]:
    """The path to ask the target for, and the host an absolute URL names (RFC 9112 §3.2.2)."""
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target, b""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise Unacceptable(400)
    authority, rest = absolute.groups()
    return (rest if rest.startswith(b"/") else b"/" + rest), authority


def _forwarded_fields(head: RequestHead, origin: Origin, told: dict[bytes, bytes]) -> bytes:
    """The X-Forwarded fields; what the client itself claims counts only behind a trusted proxy."""
    if not origin.trusted:
        told = {}
    before = told.get(b"x-forwarded-for")
    return b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\n\r\n" % (
        before + b", " + origin.address if before else origin.address,
        told.get(b"x-forwarded-proto") or b"http",
        told.get(b"x-forwarded-host") or head.host,
    )


def _status_and_fields(head: ResponseHead, more: bytes) -> bytes:
    kept = [b"%b: %b\r\n" % pair for pair in head.headers if pair[0].lower() not in head.hop_by_hop]
    return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (head.status, head.reason, b"".join(kept), more)
