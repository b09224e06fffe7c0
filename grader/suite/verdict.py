"""From what a test function did to a verdict: a status, a kind, and sentences to show.

Public tests quote the student's own output; hidden ones speak from `messages.HIDDEN` and quote
nothing. Exceptions of the trusted side that no rule here knows are the grader's own errors.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grader import messages
from grader.course import Assignment
from grader.messages import one_line, quote
from grader.sandbox import ProbeDied, ProbeRaised, ProbeTimeout
from grader.sandbox.session import OUT_OF_MEMORY
from grader.suite.expectation import Mismatch

Place = Callable[[str, int], str]  # file and line, in words a student can follow
ALLOCATION_FAILED = ("can't allocate memory", "Cannot allocate memory", "out of memory", "failed to allocate")


@dataclass(frozen=True)
class Verdict:
    """`status` as in the result document; `kind` a key of `messages.HIDDEN`; `detail` for public tests."""

    status: str
    kind: str = ""
    detail: str = ""
    final: bool = False  # nothing could change in a process of its own


PASSED = Verdict("passed")
NO_VERDICT = Verdict("grader-error", "grader-error", messages.GRADER_ERROR, final=True)
PASSED_WITH_STAND_IN = Verdict("passed", "stand-in", messages.STAND_IN)
NOT_THE_PREREQUISITE = frozenset({"grader-error", "not-implemented", "total"})
CALLED = "library-called"
OF_THE_PREREQUISITE = frozenset({"import", CALLED})  # if with a stand-in they are gone


def judge(problem: BaseException, assignment: Assignment, name: str, place: Place) -> Verdict:
    """The verdict on a test of `name` that raised `problem`; `place` says where a line of a file stands."""
    if isinstance(problem, Mismatch):
        return Verdict("failed", "mismatch", str(problem))
    if isinstance(problem, ProbeTimeout):
        return _timeout(problem, assignment, name)
    if isinstance(problem, ProbeDied):
        return _died(problem, name)
    if isinstance(problem, ProbeRaised):
        return _raised(problem.described, assignment, name, place)
    return NO_VERDICT


def library_called(name: str) -> Verdict:
    """The verdict on each test of a class that called a library cell in one of them."""
    return Verdict("failed", CALLED, messages.LIBRARY_CELL_CALLED.format(name=name))


def _timeout(problem: ProbeTimeout, assignment: Assignment, name: str) -> Verdict:
    if problem.limit == "cpu":
        return Verdict("timeout", "cpu", messages.TIMEOUT_CPU.format(name=name, limit=assignment.cpu_s))
    if problem.limit == "wall":
        return Verdict("timeout", "wall", messages.TIMEOUT_WALL.format(name=name), final=not problem.starved)
    return Verdict("timeout", "total", messages.TIMEOUT_TOTAL, final=True)


def _died(problem: ProbeDied, name: str) -> Verdict:
    if problem.status is not None and problem.status & 0x7F == signal.SIGXCPU:
        return Verdict("timeout", "cpu", messages.TIMEOUT_TOTAL)
    if str(problem) == OUT_OF_MEMORY:
        return Verdict("error", "memory", messages.OUT_OF_MEMORY.format(name=name))
    if "unreadable" in str(problem):
        return Verdict("error", "reply", messages.BAD_REPLY.format(name=name, problem=quote(str(problem), 200)))
    return Verdict("error", "died", messages.DIED.format(name=name))


def _raised(described: dict[str, Any], assignment: Assignment, name: str, place: Place) -> Verdict:
    kind, text = described.get("type", ""), described.get("text", "")
    if kind == "MissingModule":
        missing = quote(text, 120).split(" ")[0]
        return Verdict("error", "missing", messages.MISSING_FILE.format(file=missing), final=True)
    if kind == "MissingName":
        return Verdict("error", "missing", quote(text, 200) + ".", final=True)
    if kind == "NotImplementedError" and _is_of_the_stub(described, assignment, name):
        return Verdict("error", "not-implemented", messages.NOT_IMPLEMENTED.format(name=name), final=True)
    if kind == "Complaint":
        return Verdict("failed", "mismatch", quote(text))
    if kind == "LibraryCellRefused":
        return library_called(name)
    if kind == "OutOfMemoryError" or "CUDA out of memory" in text:
        return Verdict("error", "gpu-memory", messages.OUT_OF_GPU_MEMORY.format(name=name))
    if kind == "MemoryError" or any(phrase in text for phrase in ALLOCATION_FAILED):
        return Verdict("error", "memory", messages.OUT_OF_MEMORY.format(name=name))
    problem = _problem(described, place)
    if described.get("stage") == "import":
        return Verdict("error", "import", messages.IMPORT_FAILED.format(file=assignment.file, problem=problem))
    if kind in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return Verdict("error", "exited", messages.EXITED.format(name=name))
    return Verdict("error", "raised", messages.RAISED.format(name=name, problem=problem))


def _is_of_the_stub(described: dict[str, Any], assignment: Assignment, name: str) -> bool:
    """Whether the module itself says so; torch raises the same type for "not implemented for 'Long'".

    Where `name` leans on another part, that part's stub says nothing of `name`.
    """
    says = described.get("text", "")
    another = name not in says and any(other in says for other in assignment.names)
    if name in assignment.leaning and another:
        return False
    return described.get("file", assignment.file) == assignment.file and "raise" in described.get("code", "raise")


def _problem(described: dict[str, Any], place: Place) -> str:
    """`ValueError: not enough values` and, on a line of its own, where in the submission."""
    text = quote(described.get("text", ""), 400)
    kind = one_line(quote(described.get("type", "an exception"), 80))
    said = f"{kind}: {text}" if text else kind
    if "file" not in described or "line" not in described:
        return said
    where = one_line(quote(place(str(described["file"]), int(described["line"])), 120))
    code = one_line(quote(described.get("code", ""), 160))
    return f"{said}\n    {where}: {code}" if code else f"{said}\n    {where}"
