"""The line between the supervisor and the serving process, on which listening sockets are handed over by name."""

from __future__ import annotations

import json
import os
import select
import socket

MESSAGE_BYTES = 4096


class FdLink:
    """One end of the line. Messages keep their bounds; the other end's death reads as None."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @classmethod
    def pair(cls) -> tuple[FdLink, FdLink]:
        """Both ends of a new line."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), cls(theirs)

    @classmethod
    def of(cls, number: int) -> FdLink:
        """The end that was inherited under that file number."""
        return cls(socket.socket(fileno=number))

    def fileno(self) -> int:
        return self._end.fileno()

    def keep(self, name: str, number: int) -> None:
        """Hand a listening socket over; once this returns it survives us, however we end."""
        socket.send_fds(self._end, [json.dumps({"keep": name}).encode()], [number])

    def drop(self, name: str) -> None:
        """The socket of that name is wanted no more."""
        self._end.send(json.dumps({"drop": name}).encode())

    def replaced(self) -> None:
        """This end is about to go, and another process of ours takes over the sockets."""
        self._end.send(json.dumps({"replaced": True}).encode())

    def all_told(self) -> None:
        """Everything there is was handed over."""
        self._end.send(json.dumps({"all": True}).encode())

    def receive(self) -> tuple[dict[str, str], int | None] | None:
        """The next message and the file number that came with it; None when the other end is gone."""
        try:
            data, numbers, _, _ = socket.recv_fds(self._end, MESSAGE_BYTES, 1)
        except ConnectionError:
            return None
        if not data:
            return None
        for number in numbers:
            os.set_inheritable(number, False)
        return json.loads(data), (numbers[0] if numbers else None)

    def has_news(self) -> bool:
        """Whether `receive` would return at once."""
        return bool(select.select([self._end], [], [], 0)[0])

    def close(self) -> None:
        self._end.close()
