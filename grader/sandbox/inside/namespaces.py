"""The rung `namespaced` from within: a compartment's own process numbers, IPC, and scratch file system.

Bubblewrap has made the outer walls; the zygote keeps its capabilities inside them, to build one more
for each submission and each session; a session gives them all up. Plain system calls by ctypes.

Sources: namespaces(7), pid_namespaces(7), capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys

from grader.sandbox.inside import confine

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE, MNT_DETACH = 2, 4, 0x4000, 0x40000, 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 24, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63
SCRATCH = b"size=64m,nr_inodes=8192,mode=0700"

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Let the kernel end this process when the one that forked it ends (Linux only)."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def leave_first_process() -> int:
    """Go on in a fork that is process 1 of a new namespace; return a descriptor of that namespace.

    Bubblewrap's own belongs to a user namespace that nobody here may return to; this one is ours.
    The first process waits, and ends as its fork ends.
    """
    _call(_libc.unshare(CLONE_NEWPID))
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    die_with_parent()
    return os.pidfd_open(os.getpid())


def fork_apart(home: int) -> int:
    """Like `os.fork`, but the child is process 1 of a namespace of its own; `home` is the caller's."""
    _call(_libc.unshare(CLONE_NEWPID))
    try:
        child = os.fork()
    except OSError:
        child = -1
    if child:
        _call(_libc.setns(home, CLONE_NEWPID))
    if child < 0:
        raise OSError("the zygote could not fork")
    return child


def enter() -> None:
    """Take file systems and IPC of one's own."""
    _call(_libc.unshare(CLONE_NEWNS | CLONE_NEWIPC))
    _call(_libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))


def mount_scratch(folder: str) -> None:
    """Mount a fresh file system there, in place of the one that the session before had, if any."""
    while not _libc.umount2(folder.encode(), MNT_DETACH):
        pass
    _call(_libc.mount(b"scratch", folder.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, SCRATCH))


def give_up(without: list[str]) -> None:
    """Give up every capability, and the system calls that nobody needs."""
    if "user" not in without:
        drop_capabilities()
    if "calls" not in without:
        confine.filter_calls(confine.DENIED)


def drop_capabilities() -> None:
    """Leave this process and all that it starts without any capability."""
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(LAST_CAPABILITY + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused for numbers that the kernel doesn't know
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _call(_libc.capset(header, struct.pack("6I", 0, 0, 0, 0, 0, 0)))


def _call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
