"""One attempt at one test: the `submission` that the test function is given, and what it saw.

It sends probes to the student's process and keeps each exchange, so that a failure can be explained
from what was asked and answered. It decides nothing.
"""

from __future__ import annotations

import functools
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.course import Assignment
from grader.sandbox import Clock, Compartment, Limits, ProbeDied, ProbeRaised, ProbeTimeout, Session
from grader.suite.reply import Reply
from grader.wire.values import encode

Probe = Callable[..., Any]
STAND_IN = "stand_in.py"
LENT = "by_library.py"


@dataclass(frozen=True)
class Exchange:
    """One probe sent: its inputs, its seed, and the decoded reply or what the code raised."""

    probe: Probe
    inputs: dict[str, Any]
    seed: int
    reply: Any = None
    raised: dict[str, Any] | None = None
    stand_in: bool = False

    @functools.cached_property
    def asked(self) -> bytes:
        """A digest of all that was asked: equal for two submissions that were asked the same."""
        tree, body = encode(self.inputs)
        what = repr((self.probe.__module__, self.probe.__name__, self.seed, self.stand_in, tree))
        return hashlib.sha256(what.encode() + b"\0" + body).digest()


def with_stand_ins(assignment: Assignment, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """A submission's files with stand-ins for what the assignment, or a part of it, builds on.

    A stand-in keeps the interface and holds no answer: `assignments/cells/stand_in.py` is another
    recurrence under the same parameter names, and takes the place of the student's module. An
    assignment whose probes send what they need as data has none. Where a part builds on another part
    of its own module, the stand-in is added below the student's code, and its definition is the last:
    `generate_text` finds `sample_next` of `assignments/sampling/stand_in.py`. What an assignment may
    use, and our solution does without, has the library's numbers: `assignments/cells/by_library.py`.
    """
    replaced = dict(files)
    for used in assignment.may_use:
        replaced[f"{used}.py"] = (assignment.folder.parent / used / LENT).read_bytes()
    for need in assignment.needs:
        path = assignment.folder.parent / need / STAND_IN
        if path.is_file():
            replaced[f"{need}.py"] = path.read_bytes()
    if assignment.leaning:
        own = assignment.file if assignment.file in files else f"{assignment.name}/__init__.py"
        replaced[own] = files[own] + b"\n\n" + (assignment.folder / STAND_IN).read_bytes()
    return replaced


def _imports(source: bytes, module: str) -> bool:
    """Whether a source seems to import a module; a comment that looks like it does no harm."""
    return re.search(rb"\b(from\s+|import\s+([\w.]+\s*,\s*)*)%s\b" % module.encode(), source) is not None


class Desk:
    """Hands out sessions for one assignment: a shared one, or a fresh one for every probe."""

    def __init__(
        self, compartment: Compartment, assignment: Assignment, files: Mapping[str, bytes], wall: Clock
    ) -> None:
        self._compartment = compartment
        self._assignment = assignment
        self._files = files
        self.wall = wall
        self._session: Session | None = None
        self._stand_in = False
        own = files.get(assignment.file) or files.get(f"{assignment.name}/__init__.py", b"")
        self.lends = any(_imports(own, used) for used in assignment.may_use)

    def session(self, fresh: bool, stand_in: bool) -> Session:
        """A living session; a new process if `fresh`, or if the last one is gone or of the other kind."""
        if self._session is not None and (fresh or not self._session.alive or stand_in != self._stand_in):
            self.close()
        self._stand_in = stand_in
        if self._session is None:
            self._session = self._compartment.open(
                self._assignment.name,
                self._assignment.name,
                with_stand_ins(self._assignment, self._files) if stand_in else self._files,
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


@dataclass(kw_only=True)
class Seen:
    """What one run of a test saw of the student's code: its exchanges, what it printed, and the time it took."""

    exchanges: list[Exchange] = field(default_factory=list)
    on_stand_in: list[Exchange] = field(default_factory=list)  # of a second attempt that failed too
    printed: str = ""
    cpu_s: float = 0.0


@dataclass
class Attempt(Seen):
    """The `submission` fixture of one test function call.

    `stand_in` is True when what the tested part builds on has been replaced, because with the
    student's own the test failed: the oracle then has to reckon with the replacement too.
    """

    desk: Desk
    seed: int
    device: str
    fresh: bool
    stand_in: bool = False
    probe_s: float = 0.0
    shared: bool = False

    @property
    def _other_numbers(self) -> bool:
        """Whether our solution too would answer otherwise; it uses nothing of what is only lent."""
        return self.stand_in and not self.desk.lends

    def run(self, probe: Probe, **inputs: Any) -> Reply:
        """Run a probe in the student's process: `submission.run(probes.lstm_steps, x=x, h=h, c=c)`.

        Raises ProbeRaised, ProbeDied or ProbeTimeout, which a test lets pass.
        """
        started = time.perf_counter()
        session = self.desk.session(self.fresh, self.stand_in)
        self.shared = self.shared or session.calls > 0
        before = session.cpu_used_s
        try:
            values = session.call(probe.__name__, inputs, self.seed, self.device)
        except ProbeRaised as problem:
            raised = problem.described
            self.exchanges.append(Exchange(probe, inputs, self.seed, raised=raised, stand_in=self._other_numbers))
            raise
        except (ProbeDied, ProbeTimeout):
            self.exchanges.append(
                Exchange(probe, inputs, self.seed, raised={"type": "", "text": ""}, stand_in=self._other_numbers)
            )
            raise
        finally:
            self.cpu_s += session.cpu_used_s - before
            self.probe_s += time.perf_counter() - started
            self.printed = session.printed if session.alive else self.printed
        self.exchanges.append(Exchange(probe, inputs, self.seed, reply=values, stand_in=self._other_numbers))
        return Reply(values, self.device)
