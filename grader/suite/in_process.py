"""Runs an assignment's public tests in this process, for debuggers and notebooks.

The same probes and tests as ever, without the wall between them: it grades nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch

from grader.course import Assignment
from grader.sandbox import ProbeRaised
from grader.sandbox.inside.session import reset
from grader.suite.attempt import Exchange, Probe, Seen
from grader.suite.plugin import Outcome, derive_seed
from grader.suite.points import Grading, grading_of
from grader.suite.reply import Reply
from grader.suite.verdict import PASSED, Place, judge
from grader.wire.values import decode, encode

Describe = Callable[[BaseException], dict[str, Any]]  # what was raised, as a session describes it


def public_tests(assignment: Assignment) -> dict[str, tuple[Callable[..., None], Grading]]:
    """The public tests by name, in the order they stand in, with what each is worth."""
    module = importlib.import_module(f"assignments.{assignment.name}.test_public")
    graded = ((name, test, grading_of(test)) for name, test in vars(module).items())
    return {name: (test, grading) for name, test, grading in graded if grading is not None}


def run_test(assignment: Assignment, name: str, test: Callable[..., None], student: Any, seed: int) -> None:
    """Run one test on `student`, the object its probes are given. Raises whatever the test or the code raises."""
    own = derive_seed(seed, assignment.name, name)
    _call(test, _InProcess(student, own), own)


def outcome_of(assignment: Assignment, name: str, student: Any, seed: int, describe: Describe, place: Place) -> Outcome:
    """Run one public test on `student` and judge it as the grader does.

    `describe` says what an exception of the code was, `place` where in it a line stands.
    """
    test, grading = public_tests(assignment)[name]
    own = derive_seed(seed, assignment.name, name)
    submission = _InProcess(student, own, describe)
    verdict = PASSED
    try:
        _call(test, submission, own)
    except Exception as problem:
        raised = submission.seen.exchanges[-1].raised if submission.seen.exchanges else None
        verdict = judge(ProbeRaised(raised) if raised else problem, assignment, grading.of, place)
    worth = grading.scaled(assignment.scale)
    return Outcome(f"{assignment.name}::{name}", assignment, name, True, worth, verdict, submission.seen)


def _call(test: Callable[..., None], submission: _InProcess, seed: int) -> None:
    given = {"submission": submission, "rng": torch.Generator().manual_seed(seed)}
    code = test.__code__
    test(**{key: given[key] for key in code.co_varnames[: code.co_argcount]})


class _InProcess:
    """A `submission` whose probes run right here, so that breakpoints and prints work; it notes what it saw."""

    stand_in = False

    def __init__(self, student: Any, seed: int, describe: Describe = lambda problem: {}) -> None:
        self._student, self._seed, self._describe = student, seed, describe
        self.seen = Seen()

    def run(self, probe: Probe, **inputs: Any) -> Reply:
        reset(self._seed)
        given = decode(*encode(inputs))  # copies, as a process of its own would get them
        try:
            reply = decode(*encode(probe(self._student, **given)))
        except Exception as problem:
            raised = self._describe(problem)
            self.seen.exchanges.append(Exchange(probe, inputs, self._seed, raised=raised))
            raise
        self.seen.exchanges.append(Exchange(probe, inputs, self._seed, reply=reply))
        return Reply(reply)
