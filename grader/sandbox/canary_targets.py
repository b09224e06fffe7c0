"""The trusted side of the canary: what it is offered to steal, reach and hit while it tries."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grader.course import ROOT


@contextlib.contextmanager
def offered() -> Iterator[tuple[dict[str, Any], Callable[[], bool]]]:
    """Yield the canary's targets, with listeners up for as long as the context lasts, and whether a datagram came."""
    secret = next((ROOT / "assignments").glob("*/test_hidden.py"), Path(__file__))
    with contextlib.ExitStack() as stack:
        outside = stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-outside-"))
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(1)  # waited for only if one was sent and is late or lost
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"{outside}/socket")
        unix.listen()
        targets = {
            "secret": str(secret),
            "forbidden_folder": outside,
            "tcp": tcp.getsockname()[1],
            "unix": f"{outside}/socket",
            "udp": udp.getsockname()[1],
            "pid": os.getpid(),
        }
        yield targets, lambda: _came(udp)


def _came(udp: socket.socket) -> bool:
    with contextlib.suppress(TimeoutError):
        return bool(udp.recv(16))
    return False
