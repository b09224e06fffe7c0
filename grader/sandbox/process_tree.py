"""Ends a process and everything it started, daemons included.

Bubblewrap's tree ends with its first process, by the kernel. Without it (the rung `split`) the
descendants are found in /proc and killed until none is left. One that detached itself is adopted by
the zygote or, if that is gone, by the trusted process, which knows it by the tree's mark in its
environment: a mark that hostile code can shed, one of the reasons why `split` promises nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 5.0


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent ends, so that `end` finds them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill `process`, all its descendants and all adopted ones that carry `mark`, and reap them."""
    marked = _descendants(process.pid) | _adopted(mark)
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
        marked |= _adopted(mark)
        marked = {pid for pid in marked if not _reap(pid)}
        if marked:
            time.sleep(0.01)


def end_below(root: int) -> None:
    """Kill all descendants of `root` until none was seen twice: one may change its parent during a look."""
    deadline = time.monotonic() + PATIENCE_S
    empty = 0
    while empty < 2 and time.monotonic() < deadline:
        below = _descendants(root)
        empty = 0 if below else empty + 1
        for pid in below:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def first_to_die() -> Iterator[None]:
    """What is started meanwhile is what the kernel ends first, with all it starts, when memory runs out."""
    own = Path("/proc/self/oom_score_adj")
    before = ""
    with contextlib.suppress(OSError):
        before = own.read_text()
        own.write_text("1000")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            own.write_text(before)


def tasks_of(uid: int) -> int:
    """How many processes and threads a user has: what RLIMIT_NPROC counts."""
    count = 0
    for number in _process_numbers():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{number}").st_uid == uid:
                count += len(os.listdir(f"/proc/{number}/task"))
    return count


def uids() -> set[int]:
    """The users that have a process."""
    found = set()
    for number in _process_numbers():
        with contextlib.suppress(OSError):
            found.add(os.stat(f"/proc/{number}").st_uid)
    return found


def _process_numbers() -> list[int]:
    """Every process there is; some may be gone when they are looked at."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:  # no /proc: not Linux
        return []


def _descendants(root: int) -> set[int]:
    """The process numbers below `root`, from /proc; empty where there is none. Zombies are left out."""
    children: dict[int, list[int]] = {}
    for number in _process_numbers():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(number)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        fresh = [pid for pid in children.get(waiting.pop(), []) if pid not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _adopted(mark: str) -> set[int]:
    """Descendants of this process that have the mark in the environment they were started with."""
    found = set()
    for pid in _descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if mark.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.add(pid)
    return found


def _reap(pid: int) -> bool:
    """True once `pid` is gone, or is a zombie that its own parent will bury."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
