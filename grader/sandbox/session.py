"""The trusted side of one session: send a probe, wait under limits, return plain data or say why not.

The limits are read from outside: CPU time from the kernel's clock of that process, wall time from
this one's. What the student prints is drained, cut, and never shown unasked.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.wire import WireError, read_frame, write_frame

PROBE_WALL_S = 20.0
OPEN_WALL_S = 10.0
GPU_OPEN_WALL_S = 60.0  # a driver that sleeps takes seconds to wake
STARVED_SHARE = 0.25
TICK_S = 0.05
OUTPUT_KEPT = 8192
SHARED_MB = 512  # torch's own pages, and then some
OUT_OF_MEMORY = "it took more memory than the limit"
TEXT_LIMIT = 4000  # of each part of an exception's account; an honest session sends no more
LINE_LIMIT = 10**7
CREDENTIALS = struct.Struct("3i")


@dataclass
class Clock:
    """A wall-clock guard shared by several sessions: it runs while one of them is being waited for.

    What the trusted side takes for itself is not charged to anybody.
    """

    limit_s: float
    parent: Clock | None = None
    spent_s: float = 0.0

    @property
    def left(self) -> float:
        """Seconds until this guard, or the one above it, runs out."""
        own = self.limit_s - self.spent_s
        return min(own, self.parent.left) if self.parent else own

    def charge(self, seconds: float) -> None:
        """Take seconds off this guard and the one above it."""
        self.spent_s += seconds
        if self.parent:
            self.parent.charge(seconds)


class ProbeTimeout(Exception):
    """A limit was passed; `limit` is "cpu", "wall" or "total".

    `starved` says of a wall limit that the process was seen waiting for a CPU: the machine was busy.
    """

    def __init__(self, limit: str, starved: bool = False) -> None:
        super().__init__(f"the {limit} limit was passed")
        self.limit = limit
        self.starved = starved


class ProbeDied(Exception):
    """The student's process ended, or broke the protocol, before it replied."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class ProbeRaised(Exception):
    """The student's code raised; `described` is what the session says of it (untrusted text)."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(described.get("type", "an exception"))
        self.described = described


class Session:
    """One process of the student's, serving probes one by one. Once it has died it stays dead."""

    def __init__(
        self,
        sock: socket.socket,
        output: int,
        cpu_s: float,
        ended: Callable[[], int | None],
        wall: Clock | None,
        memory_mb: int = 0,
        on_gpu: bool = False,
    ) -> None:
        self._sock = sock
        self._output = output
        self._cpu_s = cpu_s
        self._ended = ended
        self._wall = wall
        self._on_gpu = on_gpu
        self._pages = (memory_mb + SHARED_MB) * 2**20 // resource.getpagesize()
        self._number = 0
        self._pidfd: int | None = None
        self._pid: int | None = None
        self._printed = bytearray()
        self._cpu_base = 0.0
        self._queued_base: float | None = None
        self._output_open = True
        self._waiting_since = 0.0
        self.alive = True
        self.calls = 0
        self.cpu_used_s = 0.0

    def begin(self, opening: dict[str, Any], body: bytes) -> None:
        """Send the submission's files and wait until the session has taken them, and its GPU.

        How long CUDA takes to start is nobody's doing, and is charged to nobody.
        """
        self._sock.settimeout(OPEN_WALL_S)
        write_frame(self._sock, opening, body)
        wall, self._wall = self._wall, None if self._on_gpu else self._wall
        try:
            header, _ = self._reply(GPU_OPEN_WALL_S if self._on_gpu else OPEN_WALL_S)
        finally:
            self._wall = wall
        if header != {"ready": True}:
            self.close()
            raise ProbeDied("the session did not start")

    def observe(self, acts: dict[str, Any]) -> tuple[dict[str, str], str]:
        """Send the canary's acts in place of a submission; return what it saw, and what is wrong with the GPU."""
        self._sock.settimeout(OPEN_WALL_S)
        write_frame(self._sock, {"canary": acts})
        header, _ = self._reply(GPU_OPEN_WALL_S if self._on_gpu else OPEN_WALL_S)
        return {str(act): str(verdict) for act, verdict in header["observed"].items()}, str(header["gpu"])

    def call(self, probe: str, inputs: dict[str, Any], seed: int, device: str = "cpu") -> Any:
        """Run one probe and return its decoded reply.

        Raises ProbeRaised, ProbeTimeout or ProbeDied; after the last two the session is over.
        """
        from grader.wire.values import decode, encode  # late: needs torch

        self._number += 1
        self.calls += 1
        self._printed.clear()
        tree, body = encode(inputs)
        self._cpu_base = self._cpu()
        self._queued_base = None
        try:
            self._sock.settimeout(PROBE_WALL_S)
            write_frame(
                self._sock,
                {"id": self._number, "probe": probe, "inputs": tree, "seed": seed, "device": device},
                body,
            )
            header, blob = self._reply(PROBE_WALL_S)
            if header.get("id") != self._number:
                raise WireError("a reply to another question")
            if isinstance(header.get("error"), dict):
                raise ProbeRaised(_plain(header["error"]))
            reply = decode(header.get("reply"), blob)
        except WireError as problem:
            self.close()
            raise ProbeDied(f"the reply was unreadable: {problem}") from None
        except (EOFError, BrokenPipeError, ConnectionResetError):
            status = self._ended()
            self.close()
            raise ProbeDied("the process ended", status) from None
        except TimeoutError:  # the probe was never read: the process is stuck
            self.close()
            raise ProbeTimeout("wall") from None
        finally:
            self.cpu_used_s += max(0.0, self._cpu() - self._cpu_base)
        return reply

    @property
    def printed(self) -> str:
        """What the last probe printed, cut to a few kilobytes (untrusted text)."""
        self._drain()
        return self._printed.decode("utf-8", "replace")

    def _reply(self, patience_s: float) -> tuple[dict[str, Any], bytes]:
        """Wait for a frame; the time counts against the guard that several sessions share."""
        self._waiting_since = time.monotonic()
        try:
            return read_frame(lambda count: self._receive(count, patience_s))
        finally:
            if self._wall is not None:
                self._wall.charge(time.monotonic() - self._waiting_since)

    def _receive(self, count: int, patience_s: float) -> bytes:
        received = bytearray()
        while len(received) < count:
            self._check_limits(patience_s)
            watched: list[Any] = [self._sock, self._output] if self._output_open else [self._sock]
            if self._pidfd is not None:  # a child of the student's may keep the socket open for ever
                watched.append(self._pidfd)
            ready, _, _ = select.select(watched, [], [], TICK_S)
            if self._output in ready:
                self._drain()
            if self._sock in ready:
                chunk = self._take(count - len(received))
                if not chunk:
                    raise EOFError
                received += chunk
            elif self._pidfd in ready:
                raise EOFError
        return bytes(received)

    def _take(self, count: int) -> bytes:
        """Receive up to `count` bytes; the first ones carry the sender's process number."""
        if self._pidfd is not None or sys.platform != "linux":
            return self._sock.recv(min(count, 2**20))
        chunk, ancillary, _, _ = self._sock.recvmsg(min(count, 2**20), socket.CMSG_SPACE(CREDENTIALS.size))
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                self._pid = CREDENTIALS.unpack(content[: CREDENTIALS.size])[0]
                with contextlib.suppress(OSError):
                    self._pidfd = os.pidfd_open(self._pid)
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        return chunk

    def _check_limits(self, patience_s: float) -> None:
        limit = None
        waited = time.monotonic() - self._waiting_since
        if waited > TICK_S and self._queued_base is None:  # most probes are over by then
            self._queued_base = self._queued()
        if self._wall is not None and self._wall.left <= waited:
            limit = "total"
        elif waited > patience_s:
            limit = "wall"
        elif self._cpu() - self._cpu_base > self._cpu_s:
            limit = "cpu"
        elif waited > TICK_S and self._resident() > self._pages:
            self.close()
            raise ProbeDied(OUT_OF_MEMORY)
        if limit:
            starved = limit == "wall" and self._queued() - (self._queued_base or 0.0) > STARVED_SHARE * PROBE_WALL_S
            self.close()
            raise ProbeTimeout(limit, starved)

    def _queued(self) -> float:
        """Seconds that the process has spent ready to run, waiting for a CPU; 0 where it can't be told."""
        try:
            return int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    def _resident(self) -> int:
        """Pages of memory that the process has, shared ones too, for which there is no resource limit."""
        try:
            return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return 0

    def _cpu(self) -> float:
        """CPU seconds of the session's process so far, by the kernel's clock for that process."""
        if self._pid is None or not self.alive:
            return self._cpu_base
        try:
            return time.clock_gettime(((~self._pid) << 3) | 2)
        except OSError:
            return self._cpu_base

    def _drain(self) -> None:
        while self.alive and self._output_open and select.select([self._output], [], [], 0)[0]:
            chunk = os.read(self._output, 65536)
            if not chunk:
                self._output_open = False
                return
            self._printed += chunk[: max(0, OUTPUT_KEPT - len(self._printed))]
            if len(chunk) == 65536:
                return  # a flood: the limits are looked at before the rest is read

    def close(self) -> None:
        """Kill the process, if it lives, and free what it held here."""
        if not self.alive:
            return
        self.alive = False
        if self._pidfd is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
        self._sock.close()
        os.close(self._output)


def _plain(described: dict[str, Any]) -> dict[str, Any]:
    """Keep of a session's account of an exception only what has the right type and size."""
    texts = {
        key: described[key][:TEXT_LIMIT]
        for key in ("type", "builtin", "text", "stage", "file", "code")
        if isinstance(described.get(key), str)
    }
    line = described.get("line")
    return {**texts, "line": line} if type(line) is int and 0 <= line <= LINE_LIMIT else texts
