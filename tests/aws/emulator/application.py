"""What a task of the emulator runs: an HTTP server of one small file, which behaves as its image was told to.

`serve WORDS` answers with the words, `sick` answers 500, `exit N` ends at once, `slow MS` answers late, `flaky N`
answers every Nth request 500, `turn N` serves N requests that are no health check and is sick from then on.
SIGTERM lets what is under way finish.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

_served = 0
_lock = threading.Lock()


def main() -> None:
    """`application.py HOST PORT BEHAVIOUR…`"""
    host, port, does = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if does[0] == "exit":
        sys.exit(int(does[1]))
    listener = socket.create_server((host, port), backlog=256)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_talk, args=(connection, does), daemon=True).start()


def _talk(connection: socket.socket, does: list[str]) -> None:
    """Answer requests (without bodies) on one connection until it is closed."""
    with connection:
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                data = connection.recv(65536)
                if not data:
                    return
                waiting += data
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            status, words = _answer(does, probe=b"health" in head.lower())
            body = words.encode()
            connection.sendall(f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def _answer(does: list[str], probe: bool) -> tuple[int, str]:
    global _served
    if not probe:
        with _lock:
            _served += 1
    words = " ".join(does[1:])
    match does[0]:
        case "sick":
            return 500, "sick"
        case "slow":
            time.sleep(float(does[1]) / 1000)
        case "flaky" if not probe and _served % int(does[1]) == 0:
            return 500, "flaky"
        case "turn" if _served > int(does[1]):
            return 500, "turned"
    return 200, words


if __name__ == "__main__":
    main()
