"""Runs the suites of some assignments against one submission and returns the outcomes.

pytest runs in this process, in its main thread: pytest-timeout guards nothing elsewhere. Its
terminal, cache and the plugins that cost time without use here stay off.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from grader import messages
from grader.course import ROOT, Assignment, CourseError
from grader.intake import Submission
from grader.sandbox import Clock, Compartment
from grader.suite.plugin import TRUSTED_TEST_WALL_S, Outcome, SuitePlugin
from grader.suite.points import Grading
from grader.suite.verdict import CALLED, Verdict, library_called

SUBMISSION_WALL_S = 90.0
OFF = (
    *("terminal", "cacheprovider", "unraisableexception", "threadexception", "faulthandler", "logging", "warnings"),
    *("junitxml", "pastebin", "stepwise", "doctest"),
)
OPTIONS = (
    *(part for name in OFF for part in ("-p", f"no:{name}")),
    *("-p", "pytest_timeout", "-o", f"timeout={TRUSTED_TEST_WALL_S:g}", "-o", "timeout_method=signal"),
    *("--import-mode=importlib", "-s", "-c", os.devnull, "--noconftest"),
)


@dataclass(frozen=True)
class SuiteReport:
    """The outcomes in the order the tests ran, and accounts of the grader's own errors."""

    outcomes: list[Outcome]
    grader_errors: list[str]


def run_suites(
    assignments: tuple[Assignment, ...],
    submission: Submission,
    compartment: Compartment,
    *,
    seed: int = 0,
    device: str = "cpu",
    hidden: bool = True,
    alone: bool = False,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> SuiteReport:
    """Run public and, if asked, hidden tests. Raises CourseError for a suite that breaks a rule."""
    torch.set_num_threads(1)  # oracles are small: more threads would only wait, on the cores of other workers
    kinds = ("test_public.py", "test_hidden.py") if hidden else ("test_public.py",)
    files = [str(assignment.folder / kind) for assignment in assignments for kind in kinds]
    plugin = SuitePlugin(
        assignments,
        compartment,
        submission.files,
        lambda assignment, grading: settled(submission, assignment, grading),
        submission.place,
        seed,
        device,
        Clock(SUBMISSION_WALL_S),
        progress,
        alone,
    )
    watch = _CollectionWatch()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        # nothing above the assignments' folder is listed on the way to the files
        places = [f"--rootdir={ROOT}", f"--confcutdir={assignments[0].folder.parent}"]
        status = pytest.main([*OPTIONS, *places, *files], plugins=[plugin, watch])
    plugin.close()
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if watch.problem:
        raise CourseError(watch.problem)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise CourseError(
            f"the suite could not be run (pytest ended with {status!r}: {said.getvalue().strip()[-300:]})"
        )
    return SuiteReport(_without_library_calls(plugin.outcomes), plugin.grader_errors)


def _without_library_calls(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes, where a library cell that was called in one test costs all tests of its class."""
    called = {(outcome.assignment.name, outcome.grading.of) for outcome in outcomes if outcome.verdict.kind == CALLED}
    return [
        dataclasses.replace(outcome, verdict=library_called(outcome.grading.of))
        if (outcome.assignment.name, outcome.grading.of) in called and outcome.verdict.status == "passed"
        else outcome
        for outcome in outcomes
    ]


def settled(submission: Submission, assignment: Assignment, grading: Grading) -> Verdict | None:
    """The verdict that is clear without running anything: no file, an unreadable one, a library cell."""
    file = assignment.file
    if submission.whole:
        detail = messages.UNREADABLE.format(file="The submission", reason=submission.whole)
        return Verdict("error", "unreadable", detail, final=True)
    if file in submission.unreadable:
        detail = messages.UNREADABLE.format(file=file, reason=submission.unreadable[file])
        return Verdict("error", "unreadable", detail, final=True)
    if file not in submission.files and f"{assignment.name}/__init__.py" not in submission.files:
        return Verdict("error", "missing", messages.MISSING_FILE.format(file=file), final=True)
    for finding in submission.findings.get(grading.of, []):
        if finding.certain and assignment.refuses_library_cells:
            detail = messages.LIBRARY_CELL_SEEN.format(name=grading.of, place=finding.place, code=finding.code)
            return Verdict("failed", "library-seen", detail, final=True)
    return None


class _CollectionWatch:
    """Keeps the first thing that went wrong before any test ran."""

    def __init__(self) -> None:
        self.problem = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.problem:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            self.problem = f"{Path(report.nodeid)}: {lines[-1].strip() if lines else 'it can not be collected'}"

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self) -> object:
        try:
            return (yield)
        except CourseError as problem:
            self.problem = str(problem)
            raise

    def pytest_internalerror(self, excrepr: object) -> bool:
        self.problem = self.problem or str(excrepr)[-500:]
        return True
