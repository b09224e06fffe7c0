"""One check from path to what a student reads, and the sandbox it needs."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.check.hand_in import HandInError, describe_hand_in, try_zip, write_zip
from grader.check.show import show_check
from grader.course import Assignment
from grader.grade import Graded, grade
from grader.options import GradeOptions, start_sandbox
from grader.progress import console_for, counting
from grader.sandbox import Sandbox
from grader.status import DONE, UNUSABLE, Stop


def once(path: Path, assignments: tuple[Assignment, ...], seed: int, archive: Path | None = None) -> int:
    """Check once; 0 whatever the tests say, for a failed test is nothing that went wrong with the check.

    `archive` is where to write what would be handed in, if it is wanted; 2 if that can't be done.
    """
    options = public_options(assignments, seed)
    try:
        if archive is not None:
            try_zip(path, archive)
        with start_sandbox(options) as sandbox:
            graded = run(path, options, sandbox)
        console = console_for(sys.stdout)
        show_check(graded.document, assignments, describe_hand_in(path, graded.submission, assignments), console)
        if archive is not None:
            count = write_zip(path, graded.submission, archive)
            print(f"{archive} holds {count} file{'s' * (count != 1)}. Hand that in.")
    except HandInError as problem:
        raise Stop(UNUSABLE, str(problem)) from None
    return DONE


def public_options(assignments: tuple[Assignment, ...], seed: int) -> GradeOptions:
    """What a self-check runs: public tests, on the rung that every machine has."""
    return GradeOptions(assignments, seed, hidden=False, rung="split")


def run(path: Path, options: GradeOptions, sandbox: Sandbox) -> Graded:
    """Run the tests; a line on standard error says how far it is, where that is a terminal."""
    with counting(options.assignments, sys.stderr) as progress:
        return grade(path, options, sandbox, progress)
