"""Answers requests to fork: what the zygote does for compartments, and a compartment for sessions.

The trusted process sends `{"fork": number, ...}` and the descriptors that the fork is to have, or asks
`{"ended": number}` how one ended. Orphans that come to this process are buried on the way.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from grader.wire import read_frame, receive_exactly, write_frame

REAP_PATIENCE_S = 2.0
DESCRIPTORS = 2  # of a session; a compartment has one
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36


def protect() -> None:
    """Keep forks, which have the same uid, out of this process's memory, and adopt what they abandon."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def serve(
    control: socket.socket,
    become: Callable[[dict[str, Any], list[int]], None],
    fork: Callable[[], int] = os.fork,
    prepare: Callable[[dict[str, Any]], None] = lambda request: None,
) -> None:
    """Answer requests until the trusted process hangs up; `prepare` runs before each fork, `become` in it."""
    children: dict[int, int] = {}
    ended: dict[int, int] = {}
    while True:
        try:
            request, _ = read_frame(lambda count: receive_exactly(control, count))
        except EOFError:
            return
        if "fork" in request:
            descriptors = _receive_descriptors(control)
            prepare(request)
            _bury(ended)
            pid = fork()
            if pid == 0:
                status = 1
                try:
                    control.close()
                    become(request, descriptors)
                    status = 0
                finally:
                    os._exit(status)
            for descriptor in descriptors:
                os.close(descriptor)
            children[request["fork"]] = pid
        elif "ended" in request:
            pid = children.pop(request["ended"], 0)
            if pid and request.get("kill"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            write_frame(control, {"ended": request["ended"], "status": _status(pid, ended)})


def _status(pid: int, ended: dict[int, int]) -> int | None:
    """The wait status of a child, or None if it is unknown or still running after a moment."""
    deadline = time.monotonic() + REAP_PATIENCE_S
    while pid and time.monotonic() < deadline:
        alive = _bury(ended)
        if pid in ended:
            return ended.pop(pid)
        if not alive:
            return None
        time.sleep(0.001)
    return None


def _bury(ended: dict[int, int]) -> bool:
    """Take the wait status of every child that has ended, adopted ones too; False if there are none left."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return True
            ended[pid] = status
    return False


def _receive_descriptors(control: socket.socket) -> list[int]:
    """Receive the file descriptors that follow a fork request."""
    size = array.array("i").itemsize * DESCRIPTORS
    _, ancillary, _, _ = control.recvmsg(1, socket.CMSG_SPACE(size))
    descriptors = array.array("i")
    for _, _, content in ancillary:
        descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return list(descriptors)
