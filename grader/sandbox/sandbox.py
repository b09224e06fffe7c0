"""One sandbox: a process tree with a zygote at its root, started on the best rung that holds.

The level it reports is what its canary was seen to be refused, never what was asked for. Closing it
ends the whole tree. Sessions are opened here and live in `session`.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import os
import select
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.sandbox import canary_targets, landlock, namespaced, process_tree
from grader.sandbox.session import Clock, ProbeDied, ProbeTimeout, Session
from grader.sandbox.staging import stage_kit
from grader.wire import WireError, read_frame, write_frame

RUNGS = ("split", "landlock", "namespaced")  # from the lowest
EVERY_ACT = frozenset(
    {
        "read-secrets",
        "write-outside",
        "network-tcp",
        "network-udp",
        "signal-grader",
        "see-processes",
        "unlimited-processes",
    }
)
CLAIMS = {"namespaced": EVERY_ACT, "landlock": EVERY_ACT, "split": frozenset[str]()}
START_PATIENCE_S = 60.0
PR_SET_DUMPABLE = 4
MARK = "GRADER_SANDBOX"


class SandboxError(Exception):
    """The sandbox itself could not do its work; this is never the submission's fault."""


@dataclass(frozen=True)
class Limits:
    """What a session may use: `memory_mb` of data, `cpu_s` for each probe, processes, file size."""

    memory_mb: int = 2048
    cpu_s: float = 10.0
    processes: int = 64
    file_mb: int = 32


@dataclass
class Sandbox:
    """A sandbox. It starts when it is made and is ready when entered as a context.

    `rung` None means the best one that holds. `warm` names what sessions will need loaded.
    """

    assignments: Iterable[str]
    warm: frozenset[str] = frozenset()
    rung: str | None = None
    level: str = field(init=False, default="split")
    observed: dict[str, str] = field(init=False, default_factory=dict)
    started: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="grader-")
        self._kit = Path(self._folder.name, "kit")
        self._kit.mkdir()
        stage_kit(self._kit, self.assignments)
        self._scratch = Path(self._folder.name, "scratch")
        self._scratch.mkdir()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._unready: str | None = None
        self._rungs = [self.rung] if self.rung else list(reversed(RUNGS))
        process_tree.adopt_orphans()
        self._launched = self._launch(self._rungs[0])

    @property
    def gaps(self) -> list[str]:
        """The acts that the canary was not seen to be refused, by name."""
        return sorted(act for act, verdict in self.observed.items() if verdict != "held")

    def __enter__(self) -> Sandbox:
        make_undumpable()
        for number, rung in enumerate(self._rungs):
            launched = self._launched if number == 0 else self._launch(rung)
            if launched and self._measure(rung):
                return self
            self._stop()
        self._folder.cleanup()
        raise SandboxError(f"the student's process could not be started ({self._unready or 'no reason given'})")

    def __exit__(self, *_: object) -> None:
        self.close()

    def _launch(self, rung: str) -> bool:
        """Start the tree on one rung; False where this machine cannot."""
        ours, theirs = socket.socketpair()
        kit = namespaced.KIT if rung == "namespaced" else str(self._kit)
        # not -I, which would ignore PYTHONHASHSEED with the rest of an environment that is ours
        worker = [sys.executable, "-s", "-S", "-P", "-B", "-c", BOOT, kit, _site_packages(), str(theirs.fileno())]
        argv: list[str] | None = worker
        if rung == "namespaced":
            argv = namespaced.command(self._kit, worker)
        elif rung == "landlock":
            argv = landlock.command(self._kit, self._scratch, worker)
        if argv is None:
            theirs.close()
            ours.close()
            self._unready = f"{rung}: this machine has not what it takes"
            return False
        self._complaints = Path(self._folder.name, f"{rung}.stderr")
        complaints = self._complaints.open("wb")
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            pass_fds=[theirs.fileno()],
            env={
                **namespaced.ENVIRONMENT,
                "TMPDIR": str(self._scratch),
                "HOME": str(self._scratch),
                MARK: self._folder.name,
            },
            start_new_session=True,
        )
        complaints.close()
        theirs.close()
        self._control = ours
        self.started += 1
        return True

    def _measure(self, rung: str) -> bool:
        """Let the canary try its acts; accept the rung only if it holds all that it claims."""
        with canary_targets.offered() as acts:
            try:
                self._send({"warm": sorted(self.warm), "assignments": list(self.assignments), "acts": acts})
                hello = self._receive(START_PATIENCE_S)
            except (OSError, EOFError, WireError) as problem:
                said = self._complaints.read_text(errors="replace").strip().splitlines()[-1:]
                self._unready = f"{rung}: {said[0] if said else problem or type(problem).__name__}"
                return False
        self.observed = {str(act): str(verdict) for act, verdict in hello["observed"].items()}
        broken = sorted(CLAIMS[rung] & set(self.gaps))
        if broken:
            self._unready = f"{rung}: not held: {', '.join(broken)}"
            return False
        self.level = rung
        return True

    def open(
        self,
        assignment: str,
        module: str,
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        refuse_library_cells: bool = False,
        wall: Clock | None = None,
    ) -> Session:
        """Fork a fresh session that can import `files`. Raises SandboxError if the tree is beyond repair."""
        for attempt in (1, 2):  # the student's code may have killed or stopped the zygote: start another tree
            try:
                return self._open(assignment, module, files, limits, refuse_library_cells, wall)
            except (OSError, EOFError, WireError, ProbeDied, ProbeTimeout) as problem:
                if isinstance(problem, ProbeTimeout) and problem.limit == "total":
                    raise  # the assignment's time is up; nothing is wrong with the tree
                if attempt == 2:
                    raise SandboxError(f"no session could be opened ({problem})") from problem
                self._restart()
        raise AssertionError("unreachable")

    def _open(
        self,
        assignment: str,
        module: str,
        files: Mapping[str, bytes],
        limits: Limits,
        refuse_library_cells: bool,
        wall: Clock | None,
    ) -> Session:
        import torch  # late: the zygote loads its own torch meanwhile

        from grader.wire.values import encode

        self.started += 1
        number = self.started
        ours, theirs = socket.socketpair()
        if sys.platform == "linux":
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        output, output_theirs = os.pipe()
        try:
            self._send({"fork": number, "limits": self._rlimits(limits)})
            assert self._control is not None
            rights = array.array("i", [theirs.fileno(), output_theirs])
            self._control.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        except BaseException:
            ours.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(output_theirs)
        session = Session(ours, output, limits.cpu_s, lambda: self._ended(number), wall)
        as_tensors = {
            name: torch.frombuffer(bytearray(content or b"\n"), dtype=torch.uint8) for name, content in files.items()
        }
        tree, body = encode(as_tensors)
        session.begin(
            {
                "assignment": assignment,
                "module": module,
                "files": tree,
                "refuse_library_cells": refuse_library_cells,
            },
            body,
        )
        return session

    def _rlimits(self, limits: Limits) -> dict[str, int]:
        memory = limits.memory_mb * 2**20
        rlimits = {
            "RLIMIT_DATA": memory,
            "RLIMIT_AS": memory + 4 * 2**30,
            "RLIMIT_FSIZE": limits.file_mb * 2**20,
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": 90,
            "RLIMIT_NOFILE": 256,
        }
        if self.level == "namespaced" or (os.geteuid() == 0 and self.level == "landlock"):
            rlimits["RLIMIT_NPROC"] = limits.processes
        elif self.level == "landlock":  # the user's other processes count too
            rlimits["RLIMIT_NPROC"] = limits.processes + process_tree.tasks_of(os.getuid())
        return rlimits

    def _ended(self, number: int) -> int | None:
        """The wait status of a session that has hung up, as the zygote tells it."""
        try:
            self._send({"ended": number})
            status = self._receive(5.0).get("status")
        except (OSError, EOFError, WireError):
            return None
        return status if isinstance(status, int) else None

    def _send(self, header: dict[str, Any]) -> None:
        assert self._control is not None
        self._control.settimeout(10.0)
        write_frame(self._control, header)

    def _receive(self, patience_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + patience_s
        control = self._control
        assert control is not None

        def receive(count: int) -> bytes:
            received = bytearray()
            while len(received) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([control], [], [], left)[0]:
                    raise TimeoutError("no answer in time")
                chunk = control.recv(count - len(received))
                if not chunk:
                    raise EOFError("it ended at once")
                received += chunk
            return bytes(received)

        header, _ = read_frame(receive)
        return header

    def _restart(self) -> None:
        """Replace a tree that died by another on the same rung, never on a lower one."""
        level = self.level
        self._stop()
        if not (self._launch(level) and self._measure(level)):
            raise SandboxError(f"the student's process could not be started again ({self._unready})")

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            process_tree.end(self._process, f"{MARK}={self._folder.name}")
            self._process = None

    def close(self) -> None:
        """End every process of the tree and remove its folder."""
        self._stop()
        self._folder.cleanup()


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


def make_undumpable() -> None:
    """Keep this process's memory from other processes of the same user (no effect against root)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
