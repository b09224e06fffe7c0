"""One sandbox: a process tree with a zygote at its root, started on the best rung that holds.

The level it reports is what its canary was seen to be refused, never what was asked for. It lives as
long as its worker and serves one submission after the other, each in a compartment of its own. Closing
it ends the whole tree.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grader.sandbox import canary_targets, gpu, landlock, namespaced, process_tree
from grader.sandbox.channel import Channel
from grader.sandbox.compartment import BROKEN, Compartment, Limits, SandboxError
from grader.sandbox.staging import stage_kit

RUNGS = ("split", "landlock", "namespaced")  # from the lowest
EVERY_ACT = frozenset(
    {
        "read-secrets",
        "read-memory",
        "write-outside",
        "change-outside",
        "network-tcp",
        "network-udp",
        "unix-sockets",
        "signal-grader",
        "see-processes",
        "unlimited-processes",
    }
)
CLAIMS = {"namespaced": EVERY_ACT, "landlock": EVERY_ACT, "split": frozenset[str]()}
START_PATIENCE_S = 60.0
PR_SET_DUMPABLE = 4
MARK = "GRADER_SANDBOX"


@dataclass
class Sandbox:
    """A sandbox. It starts when it is made and is ready when entered as a context.

    `rung` None means the best one that holds. `warm` names what sessions will need loaded. `without`
    leaves layers of a rung out, for the proof that they are what holds: such a sandbox is refused by
    its own canary. `devices` are device files that sessions may use, and `gpu_mb` how much of a GPU's
    memory each has, 0 where none is used.
    """

    assignments: Iterable[str]
    warm: frozenset[str] = frozenset()
    rung: str | None = None
    without: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    gpu_mb: int = 0
    level: str = field(init=False, default="split")
    observed: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._compartment = 0
        self._unready: str | None = None
        self._restarting = False
        self._rungs = [self.rung] if self.rung else list(reversed(RUNGS))
        self._folder = tempfile.mkdtemp(prefix="grader-")
        atexit.register(self.close)  # for one that is never entered: torch is loaded first, and Ctrl-C may come
        try:
            self._kit = Path(self._folder, "kit")
            self._kit.mkdir()
            stage_kit(self._kit, self.assignments)
            self._scratch = Path(self._folder, "scratch")
            self._scratch.mkdir()
            process_tree.adopt_orphans()
            self._launched = self._launch(self._rungs[0])
        except BaseException:
            self.close()
            raise

    @property
    def gaps(self) -> list[str]:
        """The acts that the canary was not seen to be refused, by name."""
        return sorted(act for act, verdict in self.observed.items() if verdict != "held")

    def __enter__(self) -> Sandbox:
        make_undumpable("undumpable" not in self.without)
        try:
            for number, rung in enumerate(self._rungs):
                launched = self._launched if number == 0 else self._launch(rung)
                if launched and self._measure(rung):
                    return self
                self._stop()
        except BaseException:
            self.close()
            raise
        self.close()
        raise SandboxError(f"the student's process could not be started ({self._unready or 'no reason given'})")

    def __exit__(self, *_: object) -> None:
        self.close()

    def _launch(self, rung: str) -> bool:
        """Start the tree on one rung; False where this machine cannot."""
        self.level = rung
        ours, theirs = socket.socketpair()
        kit = namespaced.KIT if rung == "namespaced" else str(self._kit)
        # not -I, which would ignore PYTHONHASHSEED with the rest of an environment that is ours
        worker = [sys.executable, "-s", "-S", "-P", "-B", "-c", BOOT, kit, _site_packages(), str(theirs.fileno())]
        if rung == "namespaced":
            argv = namespaced.command(self._kit, worker, self.without, self.devices)
        elif rung == "landlock":
            argv = landlock.command(self._kit, self._scratch, worker, self.without, self.devices)
        else:
            argv = [*worker, json.dumps({"name": rung, "without": []})]
        if argv is None:
            theirs.close()
            ours.close()
            self._unready = f"{rung}: this machine has not what it takes"
            return False
        self._complaints = Path(self._folder, f"{rung}.stderr")
        complaints = self._complaints.open("wb")
        with process_tree.first_to_die():
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                pass_fds=[theirs.fileno()],
                env={
                    **namespaced.ENVIRONMENT,
                    **gpu.environment(bool(self.devices)),
                    "TMPDIR": str(self._scratch),
                    "HOME": str(self._scratch),
                    MARK: self._folder,
                },
                start_new_session=True,
            )
        complaints.close()
        theirs.close()
        self._channel = Channel(ours)
        return True

    def _measure(self, rung: str) -> bool:
        """Let the canary try its acts where sessions run; accept the rung only if it holds all that it claims."""
        assert self._channel is not None
        with canary_targets.offered() as (acts, datagram_came), Compartment(self) as compartment:
            try:
                order = {"warm": sorted(self.warm), "assignments": list(self.assignments), "gpu": bool(self.gpu_mb)}
                self._channel.send(order)
                if self._channel.receive(START_PATIENCE_S)["touched"]:
                    raise SandboxError("CUDA was started before the first fork, so that no session can use it")
                self.observed, broken_gpu = compartment.observe(acts)
                if self.observed["network-udp"] == "open" and not datagram_came():
                    self.observed["network-udp"] = "held"
            except (*BROKEN, SandboxError) as problem:
                said = self._complaints.read_text(errors="replace").strip().splitlines()[-1:]
                self._unready = f"{rung}: {said[0] if said else problem or type(problem).__name__}"
                return False
        if broken_gpu:
            self._unready = f"{rung}: the GPU can't be used in there ({broken_gpu})"
            return False
        broken = sorted(CLAIMS[rung] & set(self.gaps))
        if broken:
            self._unready = f"{rung}: not held: {', '.join(broken)}"
            return False
        return True

    def compartment(self) -> Compartment:
        """Room for one submission; close it before the next one comes."""
        return Compartment(self)

    def fork_compartment(self) -> Channel:
        """Fork a compartment, from another tree if this one is beyond repair. Raises SandboxError."""
        for attempt in (1, 2):
            try:
                return self._fork_compartment()
            except BROKEN as problem:
                if attempt == 2:
                    raise SandboxError(f"the sandbox does not answer ({problem})") from problem
                self._restart()
        raise AssertionError("unreachable")

    def _fork_compartment(self) -> Channel:
        if self._channel is None:
            raise EOFError("it was stopped")
        ours, theirs = socket.socketpair()
        scratch = namespaced.SCRATCH
        if self.level != "namespaced":
            scratch = tempfile.mktemp(dir=self._scratch)  # made by the compartment, which may have another uid
        channel = Channel(ours)
        try:
            self._compartment = self._channel.fork({"scratch": scratch}, [theirs.fileno()])
            theirs.close()
            channel.receive()
        except BaseException:
            theirs.close()
            channel.close()
            raise
        return channel

    def end_compartment(self) -> None:
        """End every process of the compartment last forked and remove its files."""
        if self._channel is None or self._process is None:
            return
        apart = self.level == "namespaced"  # there the kernel ends all of them with the first
        try:
            self._channel.status_of(self._compartment, kill=apart)
            if not apart:
                process_tree.end_below(self._process.pid)
                _remove(self._scratch, itself=False)
        except BROKEN:
            self._stop()  # the next compartment comes from another tree

    def rlimits(self, limits: Limits) -> dict[str, int]:
        """The resource limits of a session on this rung, by their names in `resource`."""
        memory = limits.memory_mb * 2**20
        if self.gpu_mb:
            memory += gpu.HOST_MB * 2**20
        rlimits = {
            "RLIMIT_DATA": memory,
            "RLIMIT_AS": memory + 4 * 2**30 + gpu.library_addresses_mb() * 2**20,
            "RLIMIT_FSIZE": limits.file_mb * 2**20,
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": 90,
            "RLIMIT_NOFILE": 256,
        }
        if self.gpu_mb:  # CUDA reserves addresses for all the memory there is, and takes next to none of it
            del rlimits["RLIMIT_AS"]
        if "limits" in self.without:
            return rlimits
        if self.level == "namespaced" or (os.geteuid() == 0 and self.level == "landlock"):
            rlimits["RLIMIT_NPROC"] = limits.processes
        elif self.level == "landlock":  # the user's other processes count too
            rlimits["RLIMIT_NPROC"] = limits.processes + process_tree.tasks_of(os.getuid())
        return rlimits

    def _restart(self) -> None:
        """Replace a tree that died by another on the same rung, never on a lower one, nor one nobody measured."""
        if self._restarting:  # measuring it forks a compartment, which led here
            raise SandboxError("its compartments end at once")
        level, self._restarting = self.level, True
        try:
            self._stop()
            if not (self._launch(level) and self._measure(level)):
                raise SandboxError(f"the student's process could not be started again ({self._unready})")
        except BaseException:
            self._stop()
            raise
        finally:
            self._restarting = False

    def _stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            process_tree.end(self._process, f"{MARK}={self._folder}")
            self._process = None

    def close(self) -> None:
        """End every process of the tree and remove its folder."""
        self._stop()
        _remove(Path(self._folder))
        atexit.unregister(self.close)


def _remove(folder: Path, itself: bool = True) -> None:
    """Remove a folder that a student's code wrote to: trees too deep to walk, folders nobody may enter."""
    targets = [str(folder)] if itself else [entry.path for entry in os.scandir(folder)]
    for make_removable in (False, True):
        if targets and make_removable:
            subprocess.run(["chmod", "-R", "u+rwX", "--", *targets], stderr=subprocess.DEVNULL, check=False)
        if targets and not subprocess.run(["rm", "-rf", "--", *targets], stderr=subprocess.DEVNULL).returncode:
            return


BOOT = (
    "import runpy, sys; kit, packages, *control = sys.argv[1:]; sys.path[:0] = [kit]; sys.path.append(packages); "
    "sys.argv = ['zygote', *control]; runpy.run_module('grader.sandbox.inside.zygote', run_name='__main__')"
)


def _site_packages() -> str:
    """The folder of installed packages; `.pth` files are not read, so a checkout stays out of reach."""
    return sysconfig.get_path("purelib")


def rank(level: str) -> int:
    """The height of a rung on the ladder: `rank("split") < rank("namespaced")`."""
    return RUNGS.index(level)


def below_the_floor(level: str, floor: str) -> str:
    """What to say where the isolation is not what was asked for, and what to type."""
    return (
        f"this machine offers the isolation {level!r}, and {floor!r} is required. "
        f"To see how to raise it: grader doctor. To accept it: --require-isolation {level}"
    )


def make_undumpable(undumpable: bool = True) -> None:
    """Keep this process's memory from other processes of the same user (no effect against root)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, int(not undumpable), 0, 0, 0)
