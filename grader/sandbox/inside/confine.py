"""The rung `landlock`: the process gives up, for itself and all that it starts, what it will not need.

Landlock leaves it a list of folders to read and one to write, and no signals to outsiders; a seccomp
filter takes sockets and the system calls that Landlock does not cover; as root it also takes a uid of
its own. Plain system calls by ctypes: a library that does "as much as possible" would hide how much
that was. What really holds is the canary's to say.

Sources: landlock(7) and the kernel's userspace-api/landlock; seccomp(2). ABI 6 (Linux 6.12) or later is
needed for the signals; with less the canary reports a gap.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 8, 22, 38
SECCOMP_MODE_FILTER = 2
RULE_PATH_BENEATH = 1
VERSION_QUERY = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
IOCTL_DEV = 1 << 15  # from ABI 5: to command a device, which is what a GPU's files are for
FS_BITS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # how many file rights a kernel knows; 16 from ABI 5
BIND_AND_CONNECT_TCP = 0b11
SCOPE_SOCKETS_AND_SIGNALS = 0b11
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86_64, aarch64); -1 where the architecture has no such call
DENIED = {
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
}
# What Landlock does not cover, and a file tree of one's own makes harmless.
METADATA = {
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "lchown": (94, -1),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
CLONE = (56, 220)
CLONE3 = (435, 435)
NEW_NAMESPACES = 0x7E020000  # the CLONE_NEW* flags
FOREIGN_ABI = 0x40000000  # x32 calls on x86_64

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def confine(rung: dict[str, Any]) -> None:
    """Give up, for the whole sandbox, all that `rung` does not list; `without` names layers to leave out.

    `read`, `write` and `devices` are lists of paths, `uid` is a number or None. Raises OSError where the
    kernel cannot do it.
    """
    restrict(rung["read"], rung["write"], rung["without"], rung["devices"])
    if rung["uid"] is not None:
        _take_uid(rung["uid"])
    if "calls" not in rung["without"]:
        filter_calls({**DENIED, **METADATA})


def restrict(
    read: Iterable[str], write: Iterable[str], without: Iterable[str] = (), devices: Iterable[str] = ()
) -> None:
    """Give up all files but those below `read` and `write`, TCP, and signals to who has not done the same.

    `devices` may be read, written and commanded.
    """
    abi = _abi()
    if abi < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    everything = (1 << FS_BITS_BY_ABI.get(abi, 16)) - 1 if "files" not in without else 0
    net = BIND_AND_CONNECT_TCP if abi >= 4 and "network" not in without else 0
    scoped = SCOPE_SOCKETS_AND_SIGNALS if abi >= 6 and "signals" not in without else 0
    if not (everything or net or scoped):
        return
    _call(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    ruleset = _Ruleset(everything, net, scoped)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    descriptor = _call(_libc.syscall(CREATE_RULESET, ctypes.byref(ruleset), size, 0))
    for path in read if everything else ():
        _allow(descriptor, path, EXECUTE | READ_FILE | READ_DIR)
    for path in write if everything else ():
        _allow(descriptor, path, everything & ~IOCTL_DEV)
    for path in devices if everything else ():
        _allow(descriptor, path, everything & (READ_FILE | WRITE_FILE | IOCTL_DEV))
    _call(_libc.syscall(RESTRICT_SELF, descriptor, 0))
    os.close(descriptor)


def _abi() -> int:
    return int(_libc.syscall(CREATE_RULESET, None, 0, VERSION_QUERY))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        rights &= EXECUTE | READ_FILE | WRITE_FILE | IOCTL_DEV | (TRUNCATE if _abi() >= 3 else 0)
    rule = _PathBeneath(rights, parent)
    try:
        _call(_libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(parent)


def _take_uid(uid: int) -> None:
    """Become `uid`, with no capability but to read: its own Python may lie in somebody's closed home.

    What may be read is Landlock's to say, which has been said already.
    """
    _call(_libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    kept = 1 << CAP_DAC_READ_SEARCH
    data = struct.pack("6I", kept, kept, 0, 0, 0, 0)
    _call(_libc.capset(header, data))


def filter_calls(calls: dict[str, tuple[int, int]]) -> None:
    """Install a seccomp filter that refuses `calls`; raises OSError on an architecture without a table."""
    _call(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    column = 0 if machine == "x86_64" else 1
    denied = sorted(numbers[column] for numbers in calls.values() if numbers[column] >= 0)
    allow, refuse = _return_allow(), _return_error(errno.EPERM)
    program = [_load(4), _jump_equal(ARCHITECTURES[machine], 1, 0), refuse, _load(0)]
    if machine == "x86_64":
        program += [_jump_at_least(FOREIGN_ABI, 0, 1), refuse]
    program += [_jump_equal(CLONE3[column], 0, 1), _return_error(errno.ENOSYS)]  # then libc falls back to clone
    for number in denied:
        program += [_jump_equal(number, 0, 1), refuse]
    program += [_jump_equal(CLONE[column], 0, 3), _load(16), _jump_any_bit(NEW_NAMESPACES, 0, 1), refuse, allow]
    code = b"".join(program)
    filled = _Program(len(program), code)
    _call(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filled), 0, 0))


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", 0x20, 0, 0, offset)


def _jump_equal(value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", 0x15, yes, no, value)


def _jump_at_least(value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", 0x35, yes, no, value)


def _jump_any_bit(value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", 0x45, yes, no, value)


def _return_allow() -> bytes:
    return struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)


def _return_error(number: int) -> bytes:
    return struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | number)


def _call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
