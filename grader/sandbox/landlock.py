"""The rung `landlock`: no new namespaces, but a process that has given up files, sockets and signals.

It is what works inside containers, where user namespaces are refused. The giving up happens in the
process itself, before it loads torch (`inside/confine.py`); here stands what it may keep.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.sandbox import gpu
from grader.sandbox.namespaced import own_uid

READABLE = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache"),
    *("/dev/urandom", "/proc/cpuinfo", "/sys/devices/system/cpu"),
)


def command(
    kit: Path, scratch: Path, worker: list[str], without: Sequence[str] = (), devices: Sequence[str] = ()
) -> list[str] | None:
    """Add to `worker` what it may read and write, and the uid to take as root; None but on Linux.

    `devices` are the files of a GPU, which it may use as such.
    """
    if sys.platform != "linux":
        return None
    uid = own_uid() if os.geteuid() == 0 and "uid" not in without else None
    if uid is not None:
        for folder in (kit.parent, scratch):
            folder.chmod(0o711)
        os.chown(scratch, uid, uid)
    rung = {
        "name": "landlock",
        "without": list(without),
        "read": [*READABLE, *(gpu.READABLE if devices else ()), sys.prefix, sys.base_prefix, str(kit)],
        "write": [str(scratch), "/dev/null"],
        "devices": list(devices),
        "uid": uid,
    }
    return [*worker, json.dumps(rung)]
