"""The pytest plugin that runs a suite: collects, checks what was collected, runs, and keeps verdicts.

pytest finds the tests, resolves their fixtures and guards the trusted side with pytest-timeout; what
a test earns is decided here. A failure in a process that has served other probes is tried again with
a fresh process for each probe, and that verdict counts: what counts against a student has always
happened alone.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from grader.course import Assignment
from grader.sandbox import Clock, Sandbox
from grader.suite import collection
from grader.suite.attempt import Attempt, Desk
from grader.suite.points import Grading, grading_of
from grader.suite.verdict import NOT_THE_PREREQUISITE, PASSED, PASSED_WITH_STAND_IN, Verdict, judge

ASSIGNMENT_WALL_S = 30.0
TRUSTED_TEST_WALL_S = 60.0


@dataclass
class Outcome:
    """One test's verdict and everything needed to explain it."""

    assignment: Assignment
    name: str
    public: bool
    grading: Grading
    verdict: Verdict
    attempt: Attempt | None = None
    duration_s: float = 0.0


@dataclass
class SuitePlugin:
    """Runs the collected tests of `assignments` against one submission."""

    assignments: tuple[Assignment, ...]
    sandbox: Sandbox
    files: Mapping[str, bytes]
    preset: Callable[[Assignment, Grading], Verdict | None]
    seed: int
    device: str
    wall: Clock
    progress: Callable[[Outcome], None]
    outcomes: list[Outcome] = field(default_factory=list)
    grader_errors: list[str] = field(default_factory=list)
    _desk: Desk | None = None
    _current: str = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse a suite whose points, promises or probes do not add up."""
        collection.check(self.assignments, items)
        items.sort(key=lambda item: (self._assignment(item).order, "hidden" in item.path.name))

    @pytest.fixture
    def submission(self) -> None:
        """Filled in for each attempt by `pytest_pyfunc_call`."""

    @pytest.fixture
    def rng(self) -> None:
        """Filled in for each attempt by `pytest_pyfunc_call`."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Run one test, again alone if it failed in company, and keep its outcome."""
        assignment = self._assignment(pyfuncitem)
        grading = grading_of(pyfuncitem.obj)
        assert grading is not None
        started = time.perf_counter()
        verdict = self.preset(assignment, grading)
        attempt = None
        if verdict is None:
            attempt, verdict = self._try(pyfuncitem, assignment, grading, fresh=False)
            if verdict is not PASSED and attempt.shared and not verdict.final:
                attempt, verdict = self._try(pyfuncitem, assignment, grading, fresh=True)
            if verdict is not PASSED and assignment.needs and verdict.kind not in NOT_THE_PREREQUISITE:
                again, with_stand_in = self._try(pyfuncitem, assignment, grading, fresh=True, stand_in=True)
                if with_stand_in is PASSED:
                    attempt, verdict = again, PASSED_WITH_STAND_IN
        outcome = Outcome(
            assignment,
            pyfuncitem.name,
            "public" in pyfuncitem.path.name,
            grading,
            verdict,
            attempt,
            time.perf_counter() - started,
        )
        self.outcomes.append(outcome)
        self.progress(outcome)
        return True

    def _try(
        self, item: pytest.Function, assignment: Assignment, grading: Grading, fresh: bool, stand_in: bool = False
    ) -> tuple[Attempt, Verdict]:
        seed = derive_seed(self.seed, assignment.name, item.name)
        attempt = Attempt(self._desk_for(assignment), seed, self.device, fresh, stand_in)
        given: dict[str, Any] = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
        if "submission" in given:
            given["submission"] = attempt
        if "rng" in given:
            given["rng"] = torch.Generator().manual_seed(seed)
        try:
            item.obj(**given)
        except KeyboardInterrupt:
            raise
        except BaseException as problem:
            verdict = judge(problem, assignment, grading.of)
            if verdict.status == "grader-error":
                self.grader_errors.append(_account(item, problem))
            return attempt, verdict
        return attempt, PASSED

    def _desk_for(self, assignment: Assignment) -> Desk:
        if self._desk is None or self._current != assignment.name:
            self.close()
            self._current = assignment.name
            self._desk = Desk(self.sandbox, assignment, self.files, Clock(ASSIGNMENT_WALL_S, self.wall))
        return self._desk

    def _assignment(self, item: pytest.Item) -> Assignment:
        folder = item.path.parent.name
        return next(assignment for assignment in self.assignments if assignment.name == folder)

    def close(self) -> None:
        """End the session of the last assignment."""
        if self._desk is not None:
            self._desk.close()
            self._desk = None


def _account(item: pytest.Function, problem: BaseException) -> str:
    """What went wrong on the trusted side, for the instructor's eyes only."""
    return "".join([f"{item.nodeid}\n", *traceback.format_exception(problem, limit=-4)])


def derive_seed(seed: int, *names: str) -> int:
    """A seed for one test from the course's seed: the same on every machine and Python."""
    text = "/".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
