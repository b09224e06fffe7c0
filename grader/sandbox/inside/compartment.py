"""A compartment: the fork of the zygote that forks the sessions of one submission and of no other.

It closes the door behind itself before the first of them: on the rung `namespaced` by namespaces of its
own, on `landlock` by one more layer that leaves it one folder to write. Each session starts with a
scratch folder of its own, empty, and without what earlier ones left running. A student's code is never
imported here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
from typing import Any

from grader.sandbox.inside import confine, forks, library_cells, namespaces
from grader.wire import write_frame


def run(rung: dict[str, Any], control: socket.socket) -> None:
    """Close the door, say so, and fork sessions until the trusted process hangs up."""
    namespaces.die_with_parent()
    if rung["name"] == "namespaced":
        namespaces.enter()
    else:
        os.mkdir(rung["scratch"], 0o700)
    if rung["name"] == "landlock":
        confine.restrict(rung["read"], [rung["scratch"], os.devnull], rung["without"], rung["devices"])
    forks.protect()
    write_frame(control, {"ready": True})
    alone = _alone()

    def clear() -> None:
        if alone:
            _end_all_others()
        if rung["name"] == "namespaced":
            namespaces.mount_scratch(rung["scratch"])

    def prepare(request: dict[str, Any]) -> None:
        clear()
        # here and not in the session: pages that both write to cost each session more than the work itself
        (library_cells.refuse if request["refuse_library_cells"] else library_cells.allow)()

    forks.serve(control, lambda request, descriptors: _become_session(rung, request, descriptors), prepare=prepare)
    clear()


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

    scratch = rung["scratch"]
    if rung["name"] == "namespaced":
        namespaces.give_up(rung["without"])
    else:
        scratch = os.path.join(scratch, str(request["fork"]))
        os.mkdir(scratch, 0o700)
    if rung["name"] == "landlock":
        confine.restrict(rung["read"], [scratch, os.devnull], rung["without"], rung["devices"])
    os.environ["TMPDIR"] = os.environ["HOME"] = tempfile.tempdir = scratch
    session.serve(socket.socket(fileno=descriptors[0]), descriptors[1], request)


def _end_all_others() -> None:
    """End what earlier sessions left running: nobody else can be seen, or signalled, from here."""
    with contextlib.suppress(ProcessLookupError):  # nobody was there
        os.kill(-1, signal.SIGKILL)
