"""Ends a process and everything it started, daemons included.

Bubblewrap's tree ends with its first process, by the kernel. Without it (the rung `split`) the
descendants are found in /proc and killed until none is left; one that detached itself is caught
because the trusted process adopts orphans while a tree is running.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 5.0


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent ends, so that `end` finds them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill `process` and all its descendants, and reap them."""
    marked = _descendants(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    deadline = time.monotonic() + PATIENCE_S
    while marked and time.monotonic() < deadline:
        for pid in marked:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            marked = marked | _descendants(pid)
        marked = {pid for pid in marked if not _reap(pid)}
        if marked:
            time.sleep(0.01)


def _descendants(root: int) -> set[int]:
    """The process numbers below `root`, from /proc; empty where there is none."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found: set[int] = set()
    waiting = [root]
    while waiting:
        fresh = [pid for pid in children.get(waiting.pop(), []) if pid not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _reap(pid: int) -> bool:
    """True once `pid` is gone, or is a zombie that its own parent will bury."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
