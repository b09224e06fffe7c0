"""What one submission has to itself inside a sandbox: its processes, its scratch folder, nothing else.

A fork of the zygote that forks the sessions of one submission and of no other. When it is closed every
process of the submission is ended and its files are gone, before the next submission comes. What the
student's code breaks in here (a full disk, a killed parent) is mended by a new compartment.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.sandbox import gpu
from grader.sandbox.session import Clock, ProbeDied, ProbeTimeout, Session
from grader.wire import WireError

if TYPE_CHECKING:
    from grader.sandbox.channel import Channel
    from grader.sandbox.sandbox import Sandbox

BROKEN = (OSError, EOFError, WireError, ProbeDied, ProbeTimeout)


class SandboxError(Exception):
    """The sandbox itself could not do its work; this is never the submission's fault."""


@dataclass(frozen=True)
class Limits:
    """What a session may use: `memory_mb` of data, `cpu_s` for each probe, processes, file size."""

    memory_mb: int = 2048
    cpu_s: float = 10.0
    processes: int = 64
    file_mb: int = 32


class Compartment:
    """Opens the sessions of one submission; a context manager that leaves nothing behind."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._channel: Channel | None = None

    def __enter__(self) -> Compartment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        """Fork a fresh session that can import `files`. Raises SandboxError if that can't be had."""
        import torch  # late: the zygote loads its own torch meanwhile

        from grader.wire.values import encode

        as_tensors = {
            name: torch.frombuffer(bytearray(content or b"\n"), dtype=torch.uint8) for name, content in files.items()
        }
        tree, body = encode(as_tensors)
        opening = {
            "assignment": assignment,
            "module": module,
            "files": tree,
        }
        for attempt in (1, 2):
            session = None
            try:
                session = self.fork(limits, wall, refuse_library_cells)
                session.begin(opening, body)
                return session
            except BROKEN as problem:
                if session is not None:
                    session.close()
                if isinstance(problem, ProbeTimeout) and problem.limit == "total":
                    raise  # the assignment's time is up; nothing is wrong with the sandbox
                self.close()
                if attempt == 2:
                    raise SandboxError(f"no session could be opened ({problem})") from problem
        raise AssertionError("unreachable")

    def fork(self, limits: Limits, wall: Clock | None = None, refuse_library_cells: bool = False) -> Session:
        """Fork a session that has been told nothing yet."""
        if self._channel is None:
            self._channel = self._sandbox.fork_compartment()
        channel = self._channel
        ours, theirs = socket.socketpair()
        if sys.platform == "linux":
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        output, output_theirs = os.pipe()
        try:
            request = {
                "limits": self._sandbox.rlimits(limits),
                "gpu_mb": self._sandbox.gpu_mb,
                "refuse_library_cells": refuse_library_cells,
            }
            number = channel.fork(request, [theirs.fileno(), output_theirs])
        except BaseException:
            ours.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(output_theirs)
        on_gpu = self._sandbox.gpu_mb > 0
        memory_mb = limits.memory_mb + (gpu.HOST_MB if on_gpu else 0)
        return Session(ours, output, limits.cpu_s, lambda: _status(channel, number), wall, memory_mb, on_gpu)

    def observe(self, acts: dict[str, Any]) -> tuple[dict[str, str], str]:
        """Let the canary try `acts` where a session would run; return each as "held", "open" or "unclear".

        And what is wrong with the GPU there, if one is to be used and something is.
        """
        session = self.fork(Limits())
        try:
            return session.observe(acts)
        finally:
            session.close()

    def close(self) -> None:
        """End every process of the submission and remove what it wrote."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self._sandbox.end_compartment()


def _status(channel: Channel, number: int) -> int | None:
    """The wait status of a session that has hung up, as the compartment tells it."""
    try:
        return channel.status_of(number)
    except (OSError, EOFError, WireError):
        return None
