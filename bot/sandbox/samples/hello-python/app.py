"""Says hello, and which version says so; there is no Dockerfile here, so one is generated."""

import json
import os
import signal
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

VERSION = "1"


def hello(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer `/`, `/version` and `/healthz`."""
    pages = {
        "/": f"Hello from hello-python, version {VERSION}\n",
        "/version": json.dumps({"app": "hello-python", "version": VERSION}),
        "/healthz": "ok\n",
    }
    page = pages.get(environ["PATH_INFO"])
    kind = "application/json" if environ["PATH_INFO"] == "/version" else "text/plain; charset=utf-8"
    start_response("200 OK" if page else "404 Not Found", [("Content-Type", kind)])
    return [(page or "There is nothing here.\n").encode()]


class Server(ThreadingMixIn, WSGIServer):
    """Answers several at once, and doesn't wait for them when it is told to stop."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Writes no log: health checks come every second."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    make_server("", int(os.environ.get("PORT", "8000")), hello, Server, Quiet).serve_forever()
