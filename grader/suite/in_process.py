"""Runs an assignment's public tests in this process, for debuggers and notebooks.

The same probes and tests as ever, without the wall between them: it grades nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch

from grader.course import Assignment
from grader.sandbox.inside.session import reset
from grader.suite.plugin import derive_seed
from grader.suite.points import Grading, grading_of
from grader.suite.reply import Reply
from grader.wire.values import decode, encode


def public_tests(assignment: Assignment) -> dict[str, tuple[Callable[..., None], Grading]]:
    """The public tests by name, in the order they stand in, with what each is worth."""
    module = importlib.import_module(f"assignments.{assignment.name}.test_public")
    graded = ((name, test, grading_of(test)) for name, test in vars(module).items())
    return {name: (test, grading) for name, test, grading in graded if grading is not None}


def run_test(assignment: Assignment, name: str, test: Callable[..., None], student: Any, seed: int) -> None:
    """Run one test on `student`, the object its probes are given. Raises whatever the test or the code raises."""
    own = derive_seed(seed, assignment.name, name)
    given = {"submission": _InProcess(student, own), "rng": torch.Generator().manual_seed(own)}
    code = test.__code__
    test(**{key: given[key] for key in code.co_varnames[: code.co_argcount]})


class _InProcess:
    """A `submission` whose probes run right here, so that breakpoints and prints work."""

    stand_in = False

    def __init__(self, student: Any, seed: int) -> None:
        self._student, self._seed = student, seed

    def run(self, probe: object, **inputs: object) -> Reply:
        reset(self._seed)
        assert callable(probe)
        given = decode(*encode(inputs))  # copies, as a process of its own would get them
        return Reply(decode(*encode(probe(self._student, **given))))
