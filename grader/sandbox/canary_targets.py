"""The trusted side of the canary: what it is offered to steal, reach and hit while it tries."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.course import ROOT


@contextlib.contextmanager
def offered() -> Iterator[dict[str, Any]]:
    """Yield the canary's targets, with listeners up for as long as the context lasts."""
    secret = next((ROOT / "assignments").glob("*/test_hidden.py"), Path(__file__))
    with contextlib.ExitStack() as stack:
        outside = stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-outside-"))
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"{outside}/socket")
        unix.listen()
        ours, wake = socket.socketpair()
        stack.enter_context(wake)
        echo = threading.Thread(target=_echo, args=(udp, wake), daemon=True)
        echo.start()
        stack.callback(echo.join)  # left waiting, it would hold on to whatever file gets its socket's number next
        stack.callback(ours.close)
        yield {
            "secret": str(secret),
            "forbidden_folder": outside,
            "tcp": tcp.getsockname()[1],
            "unix": f"{outside}/socket",
            "udp": udp.getsockname()[1],
            "pid": os.getpid(),
        }


def _echo(udp: socket.socket, wake: socket.socket) -> None:
    """Answer the first datagram and end; end without one when the other side of `wake` is closed."""
    with contextlib.suppress(OSError):
        if udp in select.select([udp, wake], [], [])[0]:
            content, sender = udp.recvfrom(16)
            udp.sendto(content, sender)
