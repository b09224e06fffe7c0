"""What attacks aim at, on the trusted side: listeners, files, a bystander, secrets; and what became of them.

Everything here is made for the attacks and belongs to nobody, so that an attack which gets through
(on the rung `split` many do) does no harm.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.course import ROOT

SETTLING_S = 10.0

SUBMITTED = '''"""What the attack may aim at; written beside its module."""


class Loot(BaseException):
    pass


def boast(what):
    """Show in the document what was found: a public test's message quotes an exception's text."""
    raise Loot(f"LOOT {{str(what)[:300]!r}}")


{constants}
'''


class Targets:
    """A context; `source` is the module that tells attacks where things are, `harm` what was done to them."""

    def __enter__(self) -> Targets:
        self._stack = contextlib.ExitStack()
        self._outside = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="outside-")))
        self._listeners = self._listen()
        self.marker = f"attack-{secrets.token_hex(6)}"
        self.tokens = {what: f"token-{secrets.token_hex(12)}" for what in ("file", "memory", "environment", "other")}
        self._in_memory = ctypes.create_string_buffer(self.tokens["memory"].encode())
        os.environ["COURSE_TOKEN"] = self.tokens["environment"]
        self._stack.callback(os.environ.pop, "COURSE_TOKEN", None)
        self._new_bystander()
        self._lay_out()
        self._before = self._files()
        return self

    def __exit__(self, *_: object) -> None:
        self._bystander.kill()
        self._bystander.wait()
        self._stack.close()

    @property
    def source(self) -> str:
        """The module `targets` of a submission."""
        constants = {
            "OUTSIDE": str(self._outside),
            "HIDDEN_TEST": str(ROOT / "assignments" / "sampling" / "test_hidden.py"),
            "ORACLE": str(ROOT / "assignments" / "sampling" / "oracle.py"),
            "ROOT": str(ROOT),
            "GRADER_PID": os.getpid(),
            "ADDRESS": ctypes.addressof(self._in_memory),
            "SIZE": len(self._in_memory.value),
            "BYSTANDER": self._bystander.pid,
            "TCP": self._tcp.getsockname()[1],
            "UDP": self._udp.getsockname()[1],
            "ABSTRACT": self._abstract.getsockname(),
            "MARKER": self.marker,
        }
        return SUBMITTED.format(constants="\n".join(f"{name} = {value!r}" for name, value in constants.items()))

    def harm(self) -> set[str]:
        """The effects seen on the targets since the last call; what was broken is made anew."""
        seen = set()
        if self._touched():
            seen.add("network")
        if self._files() != self._before:
            seen.add("files")
            self._lay_out()
        state = _state(self._bystander.pid)
        if state in ("T", "t", "Z", ""):
            seen.add("signals")
            self._bystander.kill()
            self._bystander.wait()
            self._new_bystander()
        return seen

    def left_behind(self) -> bool:
        """Whether a process that carries the marker lives on after a moment; it is then ended."""
        deadline = time.monotonic() + SETTLING_S
        while (alive := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(alive)

    def _marked(self) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if self.marker.encode() in path.read_bytes():
                    found.append(int(path.parent.name))
        return found

    def _listen(self) -> list[socket.socket]:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(str(self._outside / "socket"))
        self._unix.listen()
        self._abstract = socket.socket(socket.AF_UNIX)
        self._abstract.bind(f"\0attack-{secrets.token_hex(6)}")
        self._abstract.listen()
        (self._outside / "socket").chmod(0o777)
        listeners = [self._tcp, self._udp, self._unix, self._abstract]
        for listener in listeners:
            listener.setblocking(False)
            self._stack.callback(listener.close)
        return listeners

    def _touched(self) -> bool:
        touched = False
        for listener in self._listeners:
            with contextlib.suppress(BlockingIOError):
                while True:
                    if listener is self._udp:
                        listener.recv(64)
                    else:
                        listener.accept()[0].close()
                    touched = True
        return touched

    def _lay_out(self) -> None:
        """Files that any user may read and write: only a sandbox keeps them."""
        self._outside.chmod(0o777)
        wanted = {
            "secret.txt": self.tokens["file"],
            "results.json": '{"score": 0.0}',
            "plugin.py": "PASSED = False\n",
            "other-student.py": f"# {self.tokens['other']}\n",
        }
        for path in self._outside.iterdir():
            if path.name not in (*wanted, "socket"):
                path.unlink()
        for name, text in wanted.items():
            path = self._outside / name
            path.unlink(missing_ok=True)
            path.write_text(text)
            path.chmod(0o666)
        self._before = self._files()

    def _files(self) -> dict[str, object]:
        return {
            path.name: (path.read_bytes() if path.is_file() else b"", oct(path.lstat().st_mode))
            for path in sorted(self._outside.iterdir())
        }

    def _new_bystander(self) -> None:
        self._bystander = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(3600)"])


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
