"""The pytest plugin that runs a suite: collects, checks what was collected, runs, and keeps verdicts.

pytest finds the tests and guards the trusted side with pytest-timeout; what a test is given and what
it earns is decided here. A failure in a process that has served other probes is tried again with
a fresh process for each probe, and that verdict counts: what counts against a student has always
happened alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from grader.course import Assignment
from grader.sandbox import Clock, Compartment
from grader.suite import collection
from grader.suite.attempt import Attempt, Desk, Seen
from grader.suite.points import Grading, grading_of
from grader.suite.verdict import (
    NO_VERDICT,
    NOT_THE_PREREQUISITE,
    OF_THE_PREREQUISITE,
    PASSED,
    PASSED_WITH_STAND_IN,
    Verdict,
    judge,
)

ASSIGNMENT_WALL_S = 30.0
TRUSTED_TEST_WALL_S = 60.0


class TrustedTimeout(BaseException):
    """A test took too long on the trusted side; no `except Exception` on its way may swallow it."""


@dataclass
class Outcome:
    """One test's verdict and everything needed to explain it."""

    nodeid: str
    assignment: Assignment
    name: str
    public: bool
    grading: Grading
    verdict: Verdict
    attempt: Seen | None = None
    duration_s: float = 0.0


@dataclass
class SuitePlugin:
    """Runs the collected tests of `assignments` against one submission."""

    assignments: tuple[Assignment, ...]
    compartment: Compartment
    files: Mapping[str, bytes]
    preset: Callable[[Assignment, Grading], Verdict | None]
    place: Callable[[str, int], str]
    seed: int
    device: str
    wall: Clock
    progress: Callable[[Outcome], None]
    alone: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    grader_errors: list[str] = field(default_factory=list)
    _leaning: set[str] = field(default_factory=set)
    _unimportable: dict[str, tuple[Attempt, Verdict]] = field(default_factory=dict)
    _desk: Desk | None = None
    _current: str = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse a suite whose points, promises or probes do not add up."""
        collection.check(self.assignments, items)
        items.sort(key=lambda item: (self._assignment(item).order, "hidden" in item.path.name))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run assignment by assignment; after a timeout the rest of that class or function waits.

        So a loop that never ends uses up its own time before that of the neighbours.
        """
        waiting = list(session.items)
        while waiting:
            item = waiting.pop(0)
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)  # pytest-timeout's alarm is set here
            except (Exception, TrustedTimeout) as problem:  # around the test: no verdict, whatever the reason
                self.grader_errors.append(_account(item, problem))
                if not self.outcomes or self.outcomes[-1].nodeid != item.nodeid:
                    self._keep(item, NO_VERDICT, None, 0.0)
            last = self.outcomes[-1]
            if last.verdict.status == "timeout":
                waiting.sort(key=lambda later: (self._assignment(later).order, _of(later) == last.grading.of))
        order = {item.nodeid: number for number, item in enumerate(session.items)}
        self.outcomes.sort(key=lambda outcome: order[outcome.nodeid])
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool:
        """Let pytest-timeout's alarm raise what `judge` knows for the grader's own trouble, not the student's.

        Its own way is to fail the test and to write to a terminal that is switched off here.
        """

        def ring(number: int, frame: object) -> None:
            raise TrustedTimeout(f"{item.nodeid} took more than {settings.timeout:g} s")

        def cancel() -> None:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)

        handler = signal.signal(signal.SIGALRM, ring)  # both are put back: whoever runs this may have an alarm too
        timer = signal.setitimer(signal.ITIMER_REAL, settings.timeout)
        item.cancel_timeout = cancel  # type: ignore[attr-defined]  # where pytest-timeout looks for it
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run one test, again alone if it failed in company, and keep its outcome.

        In place of pytest's own protocol, whose set-up and reports for what no test here asks for take
        as long as the tests.
        """
        assert isinstance(item, pytest.Function)  # `collection.check` saw to it
        assignment = self._assignment(item)
        grading = grading_of(item.obj)
        assert grading is not None
        started = time.perf_counter()
        verdict = self.preset(assignment, grading)
        attempt = None
        if verdict is None:
            attempt, verdict = self._run(item, assignment, grading)
        self._keep(item, verdict, attempt, time.perf_counter() - started)
        return True

    def _run(self, item: pytest.Function, assignment: Assignment, grading: Grading) -> tuple[Attempt, Verdict]:
        """Try with the student's own, alone if it failed in company, then with a stand-in for what it builds on.

        Where a test has needed the stand-in, it goes first from then on: most will need it again, and a
        loop in `cells` must not use up the time of `language_model`. What cannot be imported, alone and with
        the stand-in, is not imported again for each test.
        """
        if assignment.name in self._unimportable:
            attempt, verdict = self._unimportable[assignment.name]
            return dataclasses.replace(attempt, cpu_s=0.0, probe_s=0.0), verdict
        leans = assignment.has_stand_in(grading.of)
        leant: tuple[Attempt, Verdict] | None = None
        if leans and assignment.name in self._leaning:
            leant = self._try(item, assignment, grading, fresh=self.alone, stand_in=True)
            if leant[1] is PASSED:
                return leant[0], PASSED_WITH_STAND_IN
        attempt, verdict = self._try(item, assignment, grading, fresh=self.alone)
        ran_out = verdict.status == "timeout"
        if ran_out and assignment.leaning and not leans:
            self._leaning.add(assignment.name)
        if verdict is not PASSED and attempt.shared and not verdict.final and not (ran_out and leans):
            attempt, verdict = self._try(item, assignment, grading, fresh=True)
        underneath = verdict
        if verdict is not PASSED and leans and verdict.kind not in NOT_THE_PREREQUISITE:
            if leant is None or leant[0].shared:
                leant = self._try(item, assignment, grading, fresh=True, stand_in=True)
            again, underneath = leant
            if underneath is PASSED:
                self._leaning.add(assignment.name)
                return again, PASSED_WITH_STAND_IN
            if verdict.kind in OF_THE_PREREQUISITE and underneath.kind != verdict.kind:
                return again, underneath  # what is said of the part itself
            attempt.on_stand_in = again.exchanges
            if ran_out and attempt.shared and not verdict.final:
                attempt, verdict = self._try(item, assignment, grading, fresh=True)
        if verdict.kind == underneath.kind == "import":
            self._unimportable[assignment.name] = attempt, verdict
        return attempt, verdict

    def _keep(self, item: pytest.Item, verdict: Verdict, attempt: Attempt | None, duration_s: float) -> None:
        grading = grading_of(getattr(item, "obj", None))
        assert grading is not None  # `collection.check` saw to it
        assignment = self._assignment(item)
        public = "public" in item.path.name
        worth = grading.scaled(assignment.scale)
        outcome = Outcome(item.nodeid, assignment, item.name, public, worth, verdict, attempt, duration_s)
        self.outcomes.append(outcome)
        self.progress(outcome)

    def _try(
        self, item: pytest.Function, assignment: Assignment, grading: Grading, fresh: bool, stand_in: bool = False
    ) -> tuple[Attempt, Verdict]:
        seed = derive_seed(self.seed, assignment.name, item.name)
        attempt = Attempt(self._desk_for(assignment), seed, self.device, fresh, stand_in)
        given: dict[str, Any] = {"submission": attempt}
        if "rng" in item.fixturenames:
            given["rng"] = torch.Generator().manual_seed(seed)
        try:
            item.obj(**given)
        except KeyboardInterrupt:
            raise
        except BaseException as problem:
            verdict = judge(problem, assignment, grading.of, self.place)
            if verdict.status == "grader-error":
                attempt.desk.close()  # whatever happened may have left a session in mid-sentence
                self.grader_errors.append(_account(item, problem))
            return attempt, verdict
        return attempt, PASSED

    def _desk_for(self, assignment: Assignment) -> Desk:
        if self._desk is None or self._current != assignment.name:
            self.close()
            self._current = assignment.name
            self._desk = Desk(self.compartment, assignment, self.files, Clock(ASSIGNMENT_WALL_S, self.wall))
        return self._desk

    def _assignment(self, item: pytest.Item) -> Assignment:
        folder = item.path.parent.name
        return next(assignment for assignment in self.assignments if assignment.name == folder)

    def close(self) -> None:
        """End the session of the last assignment."""
        if self._desk is not None:
            self._desk.close()
            self._desk = None


def _of(item: pytest.Item) -> str:
    grading = grading_of(getattr(item, "obj", None))
    return grading.of if grading else ""


def _account(item: pytest.Item, problem: BaseException) -> str:
    """What went wrong on the trusted side, for the instructor's eyes only."""
    return "".join([f"{item.nodeid}\n", *traceback.format_exception(problem, limit=-4)])


def derive_seed(seed: int, *names: str) -> int:
    """A seed for one test from the course's seed: the same on every machine and Python."""
    text = "/".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
