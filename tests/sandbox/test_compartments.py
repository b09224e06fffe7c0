"""No submission meets another: what one leaves behind is gone before the next one comes."""

from __future__ import annotations

import json
import os
import textwrap
import time

import pytest

from grader.sandbox import Limits, ProbeDied, Sandbox
from tests.support import processes_with

INPUTS = {"name": "RNNCellFromScratch", "labels": [], "input_size": 1, "hidden_size": 1}
LEAVE = """
import ctypes, os, tempfile
libc = ctypes.CDLL(None, use_errno=True)
folder = tempfile.gettempdir()
for place in (folder, os.path.dirname(folder), "/tmp", "/dev/shm", "."):
    try:
        open(os.path.join(place, "left-behind"), "w").write("a message for the next one")
    except OSError:
        pass
libc.shmget(0x5EED, 4096, 0o1666)
libc.syscall(248, b"user", b"LEFT", b"message", 7, -4)  # add_key to the user's keyring, on x86_64
deep = folder
for _ in range(1200):
    os.mkdir("left-behind-deep"); os.chdir("left-behind-deep")
os.mkdir("left-behind-closed", 0)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/bin/sh", ["/bin/sh", "-c", ": MARKER; sleep 300"])
    os._exit(0)
"""
LOOK = """
import ctypes, json, os, tempfile
libc = ctypes.CDLL(None, use_errno=True)
found = []
folder = tempfile.gettempdir()
for place in {folder, os.path.dirname(folder), "/tmp", "/dev/shm"}:
    for root, folders, files in os.walk(place):
        found += [os.path.join(root, name) for name in [*files, *folders] if name.lower().startswith("left-behind")]
if libc.shmget(0x5EED, 4096, 0o666) >= 0:
    found.append("shared memory")
if libc.syscall(249, b"user", b"LEFT", None, 0) >= 0:  # request_key
    found.append("a key")
alive = []
for pid in range(1, 2**15):
    try:
        os.kill(pid, 0)
        alive.append(pid)
    except OSError:
        pass
found += [f"process {pid}" for pid in alive if pid not in (os.getpid(), os.getppid())]
raise RuntimeError(json.dumps(found))
"""


def run_once(sandbox: Sandbox, source: str) -> str:
    """Import a module as one submission, and return what its exception says, if it raises one."""
    files = {"cells.py": textwrap.dedent(source).encode()}
    with sandbox.compartment() as compartment:
        session = compartment.open("cells", "cells", files, Limits())
        with pytest.raises(Exception) as caught:
            session.call("construction", INPUTS, 0)
        return getattr(caught.value, "described", {}).get("text", "")


def test_nothing_of_one_submission_is_there_for_the_next(rung):
    if rung == "split":
        pytest.skip("split promises nothing of the kind: a process of its own and no more")
    marker = f"left-behind-{os.getpid()}-{rung}"
    with Sandbox(["cells"], rung=rung) as sandbox:
        tree = sandbox._process.pid
        run_once(sandbox, LEAVE.replace("MARKER", marker))
        assert processes_with(marker) == []
        assert json.loads(run_once(sandbox, LOOK)) == []
        assert sandbox._process.pid == tree, "one zygote serves both"
        folder = sandbox._folder
    assert not os.path.exists(folder)


def test_nothing_is_left_on_disk_or_running_on_any_rung(rung):
    marker = f"left-behind-{os.getpid()}-{rung}"
    with Sandbox(["cells"], rung=rung) as sandbox:
        run_once(sandbox, LEAVE.replace("MARKER", marker))
        folder = sandbox._folder
    deadline = time.monotonic() + 30
    while processes_with(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_with(marker) == []
    assert not os.path.exists(folder)


FILL = """
import os, tempfile
for number in range(200):
    try:
        with open(os.path.join(tempfile.gettempdir(), str(number)), "wb") as file:
            file.write(bytes(2**20))
    except OSError:
        break
os._exit(1)
"""


def test_a_full_disk_is_gone_with_the_compartment(rung):
    if rung != "namespaced":
        pytest.skip("only the rung namespaced gives a scratch folder of limited size")
    with Sandbox(["cells"], rung=rung) as sandbox, sandbox.compartment() as compartment:
        for _ in range(3):
            session = compartment.open("cells", "cells", {"cells.py": FILL.encode()}, Limits())
            with pytest.raises(ProbeDied):
                session.call("construction", INPUTS, 0)


def test_what_earlier_sessions_started_ends_before_the_next(rung):
    if rung == "split":
        pytest.skip("split promises nothing of the kind")
    marker = f"between-sessions-{os.getpid()}-{rung}"
    source = LEAVE.replace("MARKER", marker) + "os._exit(1)"
    with Sandbox(["cells"], rung=rung) as sandbox, sandbox.compartment() as compartment:
        session = compartment.open("cells", "cells", {"cells.py": source.encode()}, Limits())
        with pytest.raises(ProbeDied):
            session.call("construction", INPUTS, 0)
        compartment.open("cells", "cells", {"cells.py": b""}, Limits())
        deadline = time.monotonic() + 30
        while processes_with(marker) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert processes_with(marker) == []
