"""Serves git over smart HTTP from the bare repositories, with real git: clone, fetch, push.

https://git-scm.com/docs/http-protocol
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from bot.sandbox.github.acts import repositories
from bot.sandbox.github.git import ZERO, Git, clean_environment
from bot.sandbox.github.hub import Hub, Request, stopwatch
from bot.sandbox.github.model import Repository
from bot.sandbox.github.refusals import GitHubError
from bot.sandbox.github.rest.api import cut_short
from bot.sandbox.github.tokens import ANONYMOUS, Identity

SERVICES = {"git-upload-pack": "read", "git-receive-pack": "write"}
REFUSING = {"status": 0, "cut": 502, "rate_limit": 429, "secondary_limit": 429}
"""Faults that keep git's work from being done, and the status they answer (0: the fault's own)."""
UNTOLD, TAGS = "refs/pull/", "refs/tags/"
MOST_TAGS_TOLD = 3
CHUNK_BYTES = 64 * 1024
GZIP = b"\x1f\x8b"
NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Pragma": "no-cache"}
Run = asyncio.subprocess.Process


class SmartHttp:
    """git's side of one GitHub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """The three addresses git asks."""
        at = "/{owner}/{repo}.git"
        return [
            web.get(f"{at}/info/refs", self.handle),
            web.post(f"{at}/git-upload-pack", self.handle),
            web.post(f"{at}/git-receive-pack", self.handle),
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request of git's, with the fault planned for it and a line in the log."""
        started, identity = stopwatch(), ANONYMOUS
        fault = self._hub.faults.on_request(request.method, request.path)
        if fault and fault.effect in ("hang", "delay"):
            await asyncio.sleep(fault.seconds)
        response: web.StreamResponse
        try:
            if fault and fault.effect in REFUSING:
                raise GitHubError(REFUSING[fault.effect] or fault.status, "Internal Server Error")
            identity = self._hub.tokens.identify(request.headers.get("Authorization"))
            response = await self._serve(request, identity, whole=fault is not None)
        except GitHubError as refusal:
            response = _refused(refusal)
        ms = round((stopwatch() - started) * 1000, 2)
        name = fault.effect if fault else None
        at = self._hub.world.now()
        self._hub.note(Request(at, request.method, request.path, response.status, identity.kind, ms, "git", name))
        if fault and fault.effect in ("cut", "lose_reply") and isinstance(response, web.Response):
            return await cut_short(request, response, fault.after_bytes)
        return response

    async def _serve(self, request: web.Request, identity: Identity, *, whole: bool) -> web.StreamResponse:
        """Check, then hand over to git; its answer is streamed unless it is wanted `whole`. Raises GitHubError."""
        advertise = request.method == "GET"
        service = request.query.get("service", "") if advertise else request.path.rpartition("/")[2]
        if service not in SERVICES:
            raise GitHubError(403, "Please upgrade your git client.")
        repository = self._allowed(request, identity, service)
        if advertise:
            return await self._advertise(request, repository, service)
        if service == "git-upload-pack":
            return await (self._fetch if whole else self._stream)(request, repository, service)
        return await self._receive(request, repository, identity)

    def _allowed(self, request: web.Request, identity: Identity, service: str) -> Repository:
        """The repository, if this asker may fetch or push. Raises GitHubError 401, 403 or 404."""
        found = self._hub.world.repository(f"{request.match_info['owner']}/{request.match_info['repo']}")
        wanted = SERVICES[service]
        if identity.kind == "anonymous" and (found is None or found.private or wanted == "write"):
            raise GitHubError(401, "Repository not found.")
        if found is None or identity.kind == "app" or not identity.sees(found):
            raise GitHubError(404, "Repository not found.")
        if identity.installation and (found.private or wanted == "write"):
            if not identity.covers(found) or not identity.has("contents", wanted):
                raise GitHubError(403, "Write access to repository not granted.")
        elif identity.user and not found.allows(identity.user.login, wanted):
            raise GitHubError(403, f"Permission to {found.full_name}.git denied to {identity.user.login}.")
        return found

    async def _advertise(self, request: web.Request, repository: Repository, service: str) -> web.Response:
        """What refs and abilities there are; protocol 2 leaves the banner out."""
        run = await _start(repository.git, service, request, "--advertise-refs")
        out, _ = await run.communicate()
        banner = b"" if _protocol(request) == "version=2" else _packet(f"# service={service}\n") + b"0000"
        headers = {**NO_CACHE, "Content-Type": f"application/x-{service}-advertisement"}
        return web.Response(body=banner + out, headers=headers)

    async def _receive(self, request: web.Request, repository: Repository, identity: Identity) -> web.Response:
        """Take a push, do everything GitHub does after one, then answer."""
        by = identity.user or self._hub.world.app.bot
        async with repository.git.lock:
            before = await repository.git.refs()
            said = await _answered(await _start(repository.git, "git-receive-pack", request), request)
            after = await repository.git.refs()
        moved = [ref for ref in sorted(before.keys() | after.keys()) if before.get(ref) != after.get(ref)]
        for ref in _told(moved):
            was, now = before.get(ref, ZERO), after.get(ref, ZERO)
            await repositories.after_push(self._hub, repository, ref, was, now, by)
        return web.Response(body=said, headers=NO_CACHE | {"Content-Type": "application/x-git-receive-pack-result"})

    async def _fetch(self, request: web.Request, repository: Repository, service: str) -> web.Response:
        """Pipe the request through git and answer when it is done."""
        said = await _answered(await _start(repository.git, service, request), request)
        return web.Response(body=said, headers=NO_CACHE | {"Content-Type": f"application/x-{service}-result"})

    async def _stream(self, request: web.Request, repository: Repository, service: str) -> web.StreamResponse:
        """Pipe the request through git, both ways at once."""
        run = await _start(repository.git, service, request)
        headers = {**NO_CACHE, "Content-Type": f"application/x-{service}-result"}
        response = web.StreamResponse(headers=headers)
        feeding = asyncio.create_task(_feed(run, request))
        try:
            await response.prepare(request)
            while chunk := await _output(run).read(CHUNK_BYTES):
                await response.write(chunk)
            await feeding
            await response.write_eof()
        finally:
            await _end(run, feeding)
        return response


def _told(moved: Sequence[str]) -> list[str]:
    """The refs of one push that events are made of: of more than three tags at once, none is.

    https://docs.github.com/webhooks/webhook-events-and-payloads#push
    """
    too_many = sum(ref.startswith(TAGS) for ref in moved) > MOST_TAGS_TOLD
    return [ref for ref in moved if not ref.startswith((UNTOLD, TAGS) if too_many else UNTOLD)]


def _packet(text: str) -> bytes:
    """A pkt-line."""
    return f"{len(text) + 4:04x}{text}".encode()


def _protocol(request: web.Request) -> str:
    """The protocol version git asks for; anything unexpected is left out."""
    asked = request.headers.get("Git-Protocol", "")
    return asked if asked in ("version=1", "version=2") else ""


async def _start(git: Git, service: str, request: web.Request, *flags: str) -> Run:
    """git's own server for one service, with a clean environment."""
    extra = {"GIT_PROTOCOL": _protocol(request)} if _protocol(request) else {}
    return await asyncio.create_subprocess_exec(
        "git",
        service.removeprefix("git-"),
        "--stateless-rpc",
        *flags,
        str(git.path),
        stdin=asyncio.subprocess.PIPE if not flags else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=clean_environment(git.path, **extra),
    )


def _output(run: Run) -> asyncio.StreamReader:
    if run.stdout is None:
        raise RuntimeError("git was started without a pipe to read from")
    return run.stdout


async def _feed(run: Run, request: web.Request) -> None:
    """Give git the body, unpacked where it came compressed."""
    if run.stdin is None:
        raise RuntimeError("git was started without a pipe to write to")
    try:
        async for chunk in _unpacked(request):
            run.stdin.write(chunk)
            await run.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        run.stdin.close()


async def _answered(run: Run, request: web.Request) -> bytes:
    """All that git says to a request."""
    feeding = asyncio.create_task(_feed(run, request))
    try:
        said = await _output(run).read()
        await feeding
        return said
    finally:
        await _end(run, feeding)


async def _unpacked(request: web.Request) -> AsyncIterator[bytes]:
    """The body in chunks. git compresses larger requests, and the server may have unpacked them already."""
    chunks = request.content.iter_chunked(CHUNK_BYTES)
    first = await anext(chunks, b"")
    unpack = zlib.decompressobj(31).decompress if first[:2] == GZIP else bytes
    yield unpack(first)
    async for chunk in chunks:
        yield unpack(chunk)


async def _end(run: Run, feeding: "asyncio.Task[None]") -> None:
    """Leave nothing running, whatever happened."""
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    if run.returncode is None:
        try:
            await asyncio.wait_for(run.wait(), timeout=5)
        except TimeoutError:
            run.kill()
            await run.wait()


def _refused(refusal: GitHubError) -> web.Response:
    """In the words git shows to people; 401 makes it ask for credentials."""
    headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if refusal.status == 401 else {}
    return web.Response(status=refusal.status, text=refusal.message, headers=headers)
