"""The student's own check: the public tests, once, on every save, or under the debugger.

It runs the same probes and tests as the grader, without the wall around them.
"""

from __future__ import annotations

import contextlib
import os
import pdb
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from grader.course import Assignment
from grader.export import show_document
from grader.grade import grade
from grader.messages import one_line
from grader.options import GradeOptions, start_sandbox
from grader.progress import console_for, counting
from grader.sandbox import Sandbox
from grader.sandbox.inside.student import Student, SubmissionFinder
from grader.suite.collection import count_tests

POLL_S = 0.4


def once(path: Path, assignments: tuple[Assignment, ...], seed: int) -> int:
    """Check once; always 0, for a failed test is nothing that went wrong with the check."""
    options = _options(assignments, seed)
    with start_sandbox(options) as sandbox:
        _check(path, options, sandbox)
    return 0


def watch(path: Path, assignments: tuple[Assignment, ...], seed: int) -> int:
    """Check now and whenever a Python file or notebook of `path` changes, until Ctrl-C.

    One sandbox serves every check: torch is imported once.
    """
    options = _options(assignments, seed)
    before = None
    with contextlib.suppress(KeyboardInterrupt), start_sandbox(options) as sandbox:
        while True:
            now = _saved(path)
            if now != before:
                before = now
                _check(path, options, sandbox)
                print("\nwatching; save a file to check again, Ctrl-C to stop", file=sys.stderr)
            time.sleep(POLL_S)
    return 0


def _options(assignments: tuple[Assignment, ...], seed: int) -> GradeOptions:
    return GradeOptions(assignments, seed, hidden=False, rung="split")


def _check(path: Path, options: GradeOptions, sandbox: Sandbox) -> None:
    with counting(options.assignments, sys.stderr) as progress:
        graded = grade(path, options, sandbox, progress)
    hidden = sum(count_tests(assignment.folder / "test_hidden.py") for assignment in options.assignments)
    show_document(graded.document, console_for(sys.stdout), hidden=hidden)


def _saved(path: Path) -> dict[str, int]:
    files = [*path.rglob("*.py"), *path.glob("*.ipynb")] if path.is_dir() else [path]
    found = {}
    for file in files:
        with contextlib.suppress(OSError):
            found[str(file)] = file.stat().st_mtime_ns
    return found


def debug(path: Path, assignments: tuple[Assignment, ...], seed: int) -> int:
    """Run the public probes in this process and stop in the debugger at the first exception."""
    from grader.diagnosis.local import modes_kept
    from grader.suite.in_process import public_tests, run_test

    if not path.is_dir():
        print("grader: --pdb needs a folder, so that the debugger can show your own lines.", file=sys.stderr)
        return 2
    with _importable(path):
        for assignment in assignments:
            for name, (test, _) in public_tests(assignment).items():
                print(f"{assignment.name}: {name}")
                try:
                    with modes_kept():  # what a probe sets must not reach the inputs of the next test
                        run_test(assignment, name, test, Student(assignment.name), seed)
                except Exception as problem:
                    print(f"    {one_line(''.join(traceback.format_exception_only(problem)))}")
                    pdb.post_mortem(problem.__traceback__)
                    return 0
    print("Every public test passes.")
    return 0


@contextlib.contextmanager
def _importable(path: Path) -> Iterator[None]:
    finder = SubmissionFinder(os.path.abspath(path))
    sys.dont_write_bytecode = True  # nothing is written beside the student's files
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
