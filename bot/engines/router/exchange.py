"""Takes one request to a target and its response back; tries again where that is safe, never truncates silently."""

from __future__ import annotations

import asyncio
import time

from bot.engines.router.http1 import (
    ResponseHead,
    Unacceptable,
    chunk,
    forwarded_request,
    interim_response,
    relayed_response,
    switching_response,
)
from bot.engines.router.inbound import ClientConnection, Request
from bot.engines.router.outbound import TargetConnection, TargetConnections, Unreachable
from bot.engines.router.probes import Prober
from bot.engines.router.settings import RouterSettings
from bot.engines.router.streams import Lost, Stalled
from bot.engines.router.switch import Claim, Health, LiveService, NothingToServe
from bot.engines.router.tunnel import Tunnel

MOST_TRIES = 3
LOST_TWICE_PAUSE_S = 0.2
RETRY_LATER = b"Retry-After: 5\r\n"


class CutShort(Exception):
    """The response had begun and could not be brought to its end."""


class Exchanges:
    """Serves requests; the one thing a listener needs to know of the rest."""

    def __init__(self, settings: RouterSettings, connections: TargetConnections, prober: Prober) -> None:
        self.settings = settings
        self.connections = connections
        self.prober = prober

    async def serve(self, client: ClientConnection, request: Request) -> bool:
        """Answer one request. Returns whether the client's connection may carry another."""
        service = client.find(request.head)
        if service is None:
            sentence = "No service answers to this host name."
            client.answer(404, sentence, close=not request.head.keep_alive, method=request.head.method)
            return request.head.keep_alive
        return await _Exchange(self, client, request, service).run()


class _Exchange:
    """One request on its way. Until a byte of the response is sent, it may still go to another target."""

    def __init__(self, house: Exchanges, client: ClientConnection, request: Request, service: LiveService) -> None:
        self._house = house
        self._settings = house.settings
        self._client = client
        self._request = request
        self._service = service
        self._sending: asyncio.Task[None] | None = None

    async def run(self) -> bool:
        """Try until answered: after a refused connection always, after a lost one if the request may be repeated."""
        deadline = time.monotonic() + self._settings.nothing_to_serve_wait_s
        lost = 0
        while lost < MOST_TRIES:
            if lost > 1:
                await asyncio.sleep(LOST_TWICE_PAUSE_S)
            try:
                claim = await self._service.wait_claim(deadline)
            except NothingToServe:
                break
            try:
                return await self._through(claim, fresh=lost > 0)
            except Unreachable:
                if time.monotonic() > deadline:
                    break
            except Lost:
                lost += 1 if self._request.head.may_be_repeated else MOST_TRIES
            except Unacceptable as why:
                return self._fail(why.status)
            except CutShort:
                self._client.abort()
                return False
            finally:
                claim.release()
        return self._fail(502 if lost else 503)

    async def _through(self, claim: Claim, *, fresh: bool) -> bool:
        """One try, on one target. Raises Unreachable, Lost, Unacceptable, CutShort."""
        connection = await self._open(claim, fresh=fresh or not self._request.head.may_be_repeated)
        claim.cut = connection.abort
        try:
            response = await self._ask(connection, claim)
            if response.status == 101:
                return await self._tunnel(connection, claim, response)
            return await self._relay(connection, claim, response)
        finally:
            await self._let_go(connection, claim)

    async def _open(self, claim: Claim, *, fresh: bool) -> TargetConnection:
        target = claim.target
        try:
            return await self._house.connections.open(target.spec, fresh=fresh)
        except Unreachable:
            target.meter.unreachable()
            self._suspect(claim)
            raise

    async def _ask(self, connection: TargetConnection, claim: Claim) -> ResponseHead:
        """Send the request and wait for the response's head."""
        head = self._request.head
        connection.begin(head.method)
        connection.write(forwarded_request(head, self._client.origin))
        if head.has_body:
            self._sending = asyncio.get_running_loop().create_task(self._send_body(connection))
        try:
            response = await self._response(connection)
        except (Lost, Unacceptable) as error:
            self._count_unanswered(connection, claim, error)
            raise
        claim.target.meter.answered(time.monotonic() - claim.started, response.status)
        return response

    async def _response(self, connection: TargetConnection) -> ResponseHead:
        """The final head; interim ones are passed on. The time limit runs while nothing is being sent."""
        while True:
            try:
                response = await connection.response(self._settings.response_head_s)
            except Stalled:
                if self._sending is None or self._sending.done():
                    raise Unacceptable(504) from None
                continue
            if response.status >= 200 or (response.status == 101 and self._request.head.upgrade):
                return response
            if response.status == 101:
                raise Unacceptable(502)
            if self._request.head.version == "1.1":
                self._client.write(interim_response(response))

    async def _send_body(self, connection: TargetConnection) -> None:
        """Pass the body on as it comes. A client's fault ends the connection, a target's shows in its response."""
        stall_s, chunked = self._settings.stall_s, self._request.head.chunked
        try:
            while data := await self._request.body.read(stall_s):
                connection.write(chunk(data) if chunked else data)
                await self._flush_to_target(connection)
            if chunked:
                connection.write(chunk(b""))
        except Stalled:
            connection.give_up(Unacceptable(408))
        except Unacceptable as why:
            connection.give_up(why)
        except Lost:
            return

    async def _flush_to_target(self, connection: TargetConnection) -> None:
        try:
            await connection.flushed(self._settings.stall_s)
        except Stalled:
            connection.give_up(Unacceptable(504))
            raise Lost from None

    async def _relay(self, connection: TargetConnection, claim: Claim, response: ResponseHead) -> bool:
        """Pass the response on. Returns whether the client's connection may carry another request."""
        request, client = self._request, self._client
        sized = response.content_length is not None or not response.has_body(request.head.method)
        again = request.head.keep_alive and request.body.ended and not client.lobby.leaving
        again = again and (sized or request.head.version == "1.1")
        if client.upgraded is not None:
            client.resume_parsing(request.head)
        head, chunked = relayed_response(response, request.head, again)
        try:
            await self._relay_body(connection, head, chunked)
        except (Lost, Unacceptable) as error:
            if client.is_open:
                claim.target.meter.cut_short()
            raise CutShort from error
        return again

    async def _relay_body(self, connection: TargetConnection, head: bytes, chunked: bool) -> None:
        body, client = connection.body, self._client
        data = body.take()
        out = head + (chunk(data) if chunked and data else data)
        while not body.drained:
            client.write(out)
            await client.flushed(self._settings.stall_s)
            data = await body.read()
            out = chunk(data) if chunked and data else data
        client.write(out + chunk(b"") if chunked else out)
        await client.flushed(self._settings.stall_s)

    async def _tunnel(self, connection: TargetConnection, claim: Claim, response: ResponseHead) -> bool:
        """Join both sides until they end; the client's connection speaks no HTTP after that."""
        from_client, from_target = self._client.upgraded, connection.upgraded
        if from_client is None or from_target is None:
            raise Unacceptable(502)
        protocol = self._request.head.upgrade
        tunnel = Tunnel(self._client, connection, is_websocket=protocol.lower() == b"websocket")
        claim.tell, claim.cut = tunnel.tell, tunnel.cut
        self._client.write(switching_response(response, protocol))
        await tunnel.run(from_client, from_target, self._settings.stall_s)
        return False

    async def _let_go(self, connection: TargetConnection, claim: Claim) -> None:
        """Keep the connection when all was said on it, else end it so that the target stops working for nobody."""
        sending, self._sending = self._sending, None
        sent = sending is None or sending.done()
        if sending is not None:
            sending.cancel()
            await asyncio.wait((sending,))
        if connection.body.drained:
            if sent and connection.reusable:
                self._house.connections.give_back(claim.target.spec, connection)
            else:
                connection.close()
        else:
            connection.abort()

    def _count_unanswered(self, connection: TargetConnection, claim: Claim, error: Exception) -> None:
        """A connection that was kept too long, and a client's own mistake, say nothing about the target."""
        if isinstance(error, Unacceptable) and error.status < 500:
            return
        if connection.reused and isinstance(error, Lost):
            return
        claim.target.meter.unanswered()
        if isinstance(error, Lost):
            self._suspect(claim)

    def _suspect(self, claim: Claim) -> None:
        """Give the target nothing more until a probe finds it well."""
        self._service.found(claim.target, Health.UNHEALTHY)
        self._house.prober.watch(self._service, claim.target)

    def _fail(self, status: int) -> bool:
        """Answer instead of the target. Returns whether the connection may carry another request."""
        sentence = {
            400: "The request was not understood.",
            408: "The request took too long to arrive.",
            502: "The service ended the connection without an answer.",
            503: "Nothing can serve this now. Try again.",
            504: "The service took too long to answer.",
        }[status]
        if self._client.upgraded is not None:
            self._client.resume_parsing(self._request.head)
        again = self._request.head.keep_alive and self._request.body.ended and not self._client.lobby.leaving
        later = RETRY_LATER if status == 503 else b""
        self._client.answer(status, sentence, close=not again, extra=later, method=self._request.head.method)
        return again
