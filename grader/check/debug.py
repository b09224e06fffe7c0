"""`--pdb`: the public tests in this very process, so that breakpoints, print and Python's debugger work.

Where the student's code raises, the debugger opens on its last line of theirs. Where it only returns
something wrong, the same test runs again and stops where the code that was called begins.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import pdb
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grader.check.show import hidden_tests
from grader.course import Assignment
from grader.diagnosis import explain
from grader.diagnosis.local import modes_kept
from grader.messages import ALL_PUBLIC_PASS, one_line
from grader.sandbox.inside.session import describe
from grader.sandbox.inside.student import ImportFailed, Student, SubmissionFinder
from grader.suite.expectation import Mismatch
from grader.suite.in_process import public_tests, run_test
from grader.suite.points import Grading

COMMANDS = "In the debugger: n next line, s step in, p NAME print, w where, c continue, q quit."


def debug(path: Path, assignments: tuple[Assignment, ...], seed: int) -> int:
    """Run the public tests here and stop in the debugger at the first that fails."""
    if not path.is_dir():
        print("grader: --pdb needs a folder, so that the debugger can show your own lines.", file=sys.stderr)
        return 2
    root = os.path.abspath(path)
    with _importable(root):
        for assignment in assignments:
            for name, (test, grading) in public_tests(assignment).items():
                print(f"{assignment.name}: {name}")
                student = Student(assignment.name)
                attempt = functools.partial(run_test, assignment, name, test, student, seed)
                try:
                    with modes_kept():  # what a probe sets must not reach the inputs of the next test
                        attempt()
                except Exception as problem:
                    _stop_at(problem, root, student, grading, attempt)
                    return 0
    print(ALL_PUBLIC_PASS.format(hidden=hidden_tests(assignments)))
    return 0


def _stop_at(problem: Exception, root: str, student: Student, grading: Grading, again: Callable[[], None]) -> None:
    """Open the debugger on the student's own lines, whatever went wrong."""
    cause = problem.__cause__ if isinstance(problem, ImportFailed) and problem.__cause__ else problem
    print(f"    {one_line(''.join(traceback.format_exception_only(cause)))}")
    says = explain(describe(problem, root))
    if says:
        print(f"    Likely cause: {says}")
    print(COMMANDS)
    trace = _cut(cause.__traceback__, root)
    if trace is not None:
        pdb.post_mortem(trace)
    elif isinstance(problem, Mismatch) and (code := _code_of(student, grading.of)) is not None:
        print(f"Nothing was raised. The test runs again, and stops where {grading.of} begins.")
        debugger = pdb.Pdb()
        debugger.set_break(code.co_filename, _first_line(code))
        debugger.rcLines.append("continue")  # past the first line of ours
        with contextlib.suppress(Exception):
            debugger.runcall(again)
    else:
        pdb.post_mortem(cause.__traceback__)


def _cut(trace: types.TracebackType | None, root: str) -> types.TracebackType | None:
    """The traceback up to the innermost line of the student's, so that the debugger opens there."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    own = [number for number, part in enumerate(frames) if _is_below(part.tb_frame.f_code.co_filename, root)]
    cut = None
    for part in reversed(frames[: own[-1] + 1] if own else []):
        cut = types.TracebackType(cut, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return cut


def _is_below(file: str, root: str) -> bool:
    inside = os.path.relpath(os.path.abspath(file), root)
    return not inside.startswith((os.pardir, "."))  # nor in .venv or .kit


def _code_of(student: Student, name: str) -> types.CodeType | None:
    """The code of a function of the student's, or of a class' forward; None where it is not written in Python."""
    found: Any = getattr(student, name, None)
    if inspect.isclass(found):
        found = found.__dict__.get("forward", found.__init__)
    code = getattr(inspect.unwrap(found), "__code__", None) if callable(found) else None
    return code if isinstance(code, types.CodeType) else None


def _first_line(code: types.CodeType) -> int:
    """The first line of a function that does something: a breakpoint on `def` itself would stop nobody."""
    lines = sorted({line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno})
    return lines[0] if lines else code.co_firstlineno


@contextlib.contextmanager
def _importable(root: str) -> Iterator[None]:
    finder = SubmissionFinder(root)
    sys.dont_write_bytecode = True  # nothing is written beside the student's files
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
