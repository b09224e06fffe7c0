"""One attempt at one test: the `submission` that the test function is given, and what it saw.

It sends probes to the student's process and keeps each exchange, so that a failure can be explained
from what was asked and answered. It decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.course import Assignment
from grader.sandbox import Clock, Limits, ProbeDied, ProbeRaised, ProbeTimeout, Sandbox, Session
from grader.suite.reply import Reply

Probe = Callable[..., Any]


@dataclass(frozen=True)
class Exchange:
    """One probe sent: its inputs, its seed, and the decoded reply or what the code raised."""

    probe: Probe
    inputs: dict[str, Any]
    seed: int
    reply: Any = None
    raised: dict[str, Any] | None = None


class Desk:
    """Hands out sessions for one assignment: a shared one, or a fresh one for every probe."""

    def __init__(self, sandbox: Sandbox, assignment: Assignment, files: Mapping[str, bytes], wall: Clock) -> None:
        self._sandbox = sandbox
        self._assignment = assignment
        self._files = files
        self.wall = wall
        self._session: Session | None = None

    def session(self, fresh: bool) -> Session:
        """A living session; a new process if `fresh` or if the last one is gone."""
        if self._session is not None and (fresh or not self._session.alive):
            self.close()
        if self._session is None:
            self._session = self._sandbox.open(
                self._assignment.name,
                self._assignment.name,
                self._files,
                Limits(memory_mb=self._assignment.memory_mb, cpu_s=self._assignment.cpu_s),
                refuse_library_cells=self._assignment.refuses_library_cells,
                wall=self.wall,
            )
        return self._session

    def close(self) -> None:
        """End the current session, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None


@dataclass
class Attempt:
    """The `submission` fixture of one test function call."""

    desk: Desk
    seed: int
    device: str
    fresh: bool
    exchanges: list[Exchange] = field(default_factory=list)
    printed: str = ""
    cpu_s: float = 0.0
    probe_s: float = 0.0
    shared: bool = False

    def run(self, probe: Probe, **inputs: Any) -> Reply:
        """Run a probe in the student's process: `submission.run(probes.lstm_steps, x=x, h=h, c=c)`.

        Raises ProbeRaised, ProbeDied or ProbeTimeout, which a test lets pass.
        """
        started = time.perf_counter()
        session = self.desk.session(self.fresh)
        self.shared = self.shared or session.calls > 0
        before = session.cpu_used_s
        try:
            values = session.call(probe.__name__, inputs, self.seed, self.device)
        except ProbeRaised as problem:
            self.exchanges.append(Exchange(probe, inputs, self.seed, raised=problem.described))
            raise
        except (ProbeDied, ProbeTimeout):
            self.exchanges.append(Exchange(probe, inputs, self.seed, raised={"type": "", "text": ""}))
            raise
        finally:
            self.cpu_s += session.cpu_used_s - before
            self.probe_s += time.perf_counter() - started
            self.printed = session.printed if session.alive else self.printed
        self.exchanges.append(Exchange(probe, inputs, self.seed, reply=values))
        return Reply(values)
