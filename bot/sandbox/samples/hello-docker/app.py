"""Says hello, and which version says so."""

import json
import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path(__file__).with_name("VERSION").read_text().strip()


class Hello(BaseHTTPRequestHandler):
    """Answers `/`, `/version` and `/healthz`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer one request."""
        pages = {
            "/": ("text/plain; charset=utf-8", f"Hello from hello-docker, version {VERSION}\n"),
            "/version": ("application/json", json.dumps({"app": "hello-docker", "version": VERSION})),
            "/healthz": ("text/plain; charset=utf-8", "ok\n"),
        }
        kind, text = pages.get(self.path.partition("?")[0], ("text/plain; charset=utf-8", ""))
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Stay quiet: health checks come every second."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Hello).serve_forever()
