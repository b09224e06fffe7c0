"""Tries, before any student's code is near, each act that a sandbox is meant to forbid.

Every forbidden act has a permitted neighbour: a file that may be read beside one that may not. An
act counts as held only if it failed while its neighbour worked, so a canary that could do nothing
at all proves nothing.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

PROCESSES_AT_MOST = 4096
Act = Callable[[], Any]


def observe(acts: dict[str, Any]) -> dict[str, str]:
    """Try the acts on the targets given; return each act as "held", "open" or "unclear".

    `acts` has `secret` (a file of the trusted side), `forbidden_folder` (one it can write to),
    `tcp` and `udp` (ports it listens on), `unix` (the path of a socket), `pid` (its process number).
    """
    trials: dict[str, tuple[Act, Act]] = {
        "read-secrets": (lambda: _read(acts["secret"]), lambda: _read(__file__)),
        "write-outside": (lambda: _write(acts["forbidden_folder"]), lambda: _write(tempfile.gettempdir())),
        "read-memory": (lambda: _read(f"/proc/{acts['pid']}/mem", 0), lambda: _read(__file__)),
        "change-outside": (lambda: os.chmod(acts["forbidden_folder"], 0o700), lambda: _write(tempfile.gettempdir())),
        "unix-sockets": (lambda: _connect_path(acts["unix"]), _socket_pair),
        "network-tcp": (lambda: _connect(acts["tcp"]), _socket_pair),
        "network-udp": (lambda: _send_datagram(acts["udp"]), _socket_pair),
        "signal-grader": (lambda: os.kill(acts["pid"], 0), lambda: os.kill(os.getpid(), 0)),
        "see-processes": (lambda: _read(f"/proc/{acts['pid']}/cmdline"), lambda: _read(__file__)),
        "unlimited-processes": (_fork_over_the_limit, _fork_within_the_limit),
    }
    return {name: _verdict(forbidden, permitted) for name, (forbidden, permitted) in trials.items()}


def _verdict(forbidden: Act, permitted: Act) -> str:
    try:
        permitted()
    except (OSError, ValueError):
        return "unclear"
    try:
        forbidden()
    except (OSError, ValueError):
        return "held"
    return "open"


def _read(path: str, count: int = 1) -> None:
    with open(path, "rb") as file:
        file.read(count)


def _write(folder: str) -> None:
    path = os.path.join(folder, f".canary-{os.getpid()}")
    with open(path, "wb") as file:
        file.write(b"canary")
    os.unlink(path)


def _connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def _send_datagram(port: int) -> None:
    """Send a datagram; whether it arrived only the trusted side can see, for UDP's sendto succeeds into the void."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"canary", ("127.0.0.1", port))


def _connect_path(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(1)
        sock.connect(path)


def _socket_pair() -> None:
    for end in socket.socketpair():
        end.close()


def _fork_over_the_limit() -> None:
    """Fork where no fork is left; a limit that a session does not have, or that is beyond reach, is none."""
    if resource.getrlimit(resource.RLIMIT_NPROC)[0] not in range(PROCESSES_AT_MOST):
        return
    _fork_under(1)


def _fork_within_the_limit() -> None:
    _fork_under(None)


def _fork_under(limit: int | None) -> None:
    """Fork in a child that may have at most `limit` processes; raises OSError if that is refused."""
    pid = os.fork()
    if pid == 0:
        outcome = 1
        with contextlib.suppress(OSError, ValueError):
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0)
            os.waitpid(grandchild, 0)
            outcome = 0
        sys.stdout.flush()
        os._exit(outcome)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise OSError("the fork was refused")
