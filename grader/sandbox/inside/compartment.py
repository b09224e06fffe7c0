"""A compartment: the fork of the zygote that forks the sessions of one submission and of no other.

It closes the door behind itself before the first of them: on the rung `namespaced` by namespaces of its
own and a fresh scratch file system, on `landlock` by one more layer that leaves it one folder to write.
It never imports a student's code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
from typing import Any

from grader.sandbox.inside import confine, forks, namespaces
from grader.wire import write_frame


def run(rung: dict[str, Any], control: socket.socket) -> None:
    """Close the door, say so, and fork sessions until the trusted process hangs up."""
    namespaces.die_with_parent()
    without = rung["without"]
    if rung["name"] == "namespaced":
        namespaces.enter(rung["scratch"], without)
    else:
        os.mkdir(rung["scratch"], 0o700)
    if rung["name"] == "landlock":
        confine.restrict(rung["read"], [rung["scratch"], os.devnull], without)
    os.environ["TMPDIR"] = os.environ["HOME"] = rung["scratch"]
    tempfile.tempdir = None
    forks.protect()
    write_frame(control, {"ready": True})
    sweep = _end_all_others if _alone() else lambda: None
    forks.serve(control, lambda request, descriptors: _become_session(rung, request, descriptors), sweep=sweep)


def _alone() -> bool:
    """Whether this process can reach none but its own descendants, which it then may end all at once."""
    if os.getpid() == 1:
        return True
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:  # the scope of signals holds: the zygote has the same uid
        return os.geteuid() != 0
    return False


def _become_session(rung: dict[str, Any], request: dict[str, Any], descriptors: list[int]) -> None:
    from grader.sandbox.inside import session

    if rung["name"] == "landlock" and "signals" not in rung["without"]:
        confine.forbid_signals()
    session.serve(socket.socket(fileno=descriptors[0]), descriptors[1], request)


def _end_all_others() -> None:
    """End what earlier sessions left running: nobody else can be seen, or signalled, from here."""
    with contextlib.suppress(ProcessLookupError):  # nobody was there
        os.kill(-1, signal.SIGKILL)
