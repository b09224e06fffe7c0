"""The trusted end of a socket to a process that forks on request: the zygote, or a compartment.

Requests are small and answered at once, so every wait has an end. What comes back was written by code
of ours, in a process where a student's may have run: it is read within limits all the same.
"""

from __future__ import annotations

import array
import itertools
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

from grader.wire import read_frame, write_frame

SEND_PATIENCE_S = 10.0
ANSWER_PATIENCE_S = 5.0


class Channel:
    """A socket, and the number of the next fork asked for over it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._numbers = itertools.count(1)

    def fork(self, request: dict[str, Any], descriptors: Sequence[int]) -> int:
        """Ask for a fork that is given these descriptors; return the number it goes by."""
        number = next(self._numbers)
        self.send({"fork": number, **request})
        rights = array.array("i", descriptors)
        self._sock.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        return number

    def status_of(self, number: int, *, kill: bool = False) -> int | None:
        """How a fork ended, a wait status; None if it lives on. `kill` ends it first."""
        self.send({"ended": number, "kill": kill})
        deadline = time.monotonic() + ANSWER_PATIENCE_S
        answer: dict[str, Any] = {}
        while answer.get("ended") != number:  # what comes late was asked about another
            answer = self.receive(deadline - time.monotonic())
        status = answer.get("status")
        return status if isinstance(status, int) else None

    def send(self, header: dict[str, Any]) -> None:
        """Send one frame."""
        self._sock.settimeout(SEND_PATIENCE_S)
        write_frame(self._sock, header)

    def receive(self, patience_s: float = ANSWER_PATIENCE_S) -> dict[str, Any]:
        """Receive one frame's header. Raises OSError, EOFError or WireError."""
        deadline = time.monotonic() + patience_s

        def take(count: int) -> bytes:
            received = bytearray()
            while len(received) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self._sock], [], [], left)[0]:
                    raise TimeoutError("no answer in time")
                chunk = self._sock.recv(count - len(received))
                if not chunk:
                    raise EOFError("it ended at once")
                received += chunk
            return bytes(received)

        header, _ = read_frame(take)
        return header

    def close(self) -> None:
        """Hang up."""
        self._sock.close()
