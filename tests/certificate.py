"""The kit's certificate: what is claimed of the grades, with figures computed now. `grader proof` prints it.

Each line is one law with how many cases were tried and how many kept it; `--quick` tries a sample of each,
a minute or two in all, and says so. The cases themselves live with their tests: misconceptions beside the
assignments, variants, mutants and spinners in `tests/`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from grader.course import SOLUTIONS, Assignment, load_course
from grader.diagnosis import mutate
from grader.diagnosis.misconception import Misconception
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from grader.progress import console_for
from grader.sandbox import Sandbox
from grader.suite.plugin import Outcome
from tests.benchmarks.steady import all_cores_busy, gradings, programs, write
from tests.laws.another_hand import rewrite
from tests.laws.fairness import KNOWN, heirs, lost_by_assignment
from tests.laws.wrong_programs import wrong_programs
from tests.mutation.trial import accounts, every_mutant, try_mutants
from tests.support import rows_of

ONE_IN = {
    "mistakes": 15,
    "rewritten": 30,
    "wrong": 12,
    "cells": 20,
    "programs": 8,
    "mutants": 70,
    "steady": 80,
}  # with --quick
STEADY_RUNS = 1000
Case = TypeVar("Case")


@dataclass
class Line:
    """One law: what is claimed, of how many cases it was found to hold, and the cases where it was not."""

    claim: str
    tried: int = 0
    held: int = 0
    failing: list[str] = field(default_factory=list)
    must_hold: float = 1.0

    def count(self, holds: bool, case: str) -> None:
        """Add one case."""
        self.tried += 1
        self.held += holds
        if not holds:
            self.failing.append(case)

    @property
    def proved(self) -> bool:
        """Whether it held in as many cases as it must."""
        return self.tried > 0 and self.held >= self.must_hold * self.tried


def main(quick: bool) -> bool:
    """Print the certificate line by line as it is found; True if every law held."""
    console = console_for(sys.stdout)
    waiting = console_for(sys.stderr)
    every = "a sample of everything (grader proof takes all)" if quick else "everything"
    lines: list[Line] = []
    with start_sandbox(GradeOptions(load_course())) as sandbox:
        console.print(f"Computed now, from {every}, on the rung {sandbox.level}.\n")
        for section in SECTIONS:
            with waiting.status(f"{section.__name__.replace('_', ' ')} …"):
                found = section(quick, sandbox)
            for line in found:
                mark = "✓" if line.proved else "✗"
                if line.must_hold == 0:
                    mark = " "
                console.print(f"{mark} {line.held:5} of {line.tried:<5} {line.claim}")
                for case in line.failing if line.must_hold else ():
                    console.print(f"        not: {case}")
            lines += found
    return all(line.proved for line in lines)


def known_mistakes(quick: bool, sandbox: Sandbox) -> list[Line]:
    """Misconceptions as they are: caught, named, caught by public tests, and no dearer than their part."""
    caught = Line("known mistakes lose points")
    named = Line("of them are called by their name, and by no other")
    public = Line("of them the public tests catch already", must_hold=0)
    fair = Line("of them cost no more than the points of the class or function they sit in")
    for assignment, misconception in sample(KNOWN, "mistakes", quick):
        document, outcomes = graded(assignment, mutate(assignment.name, misconception), sandbox)
        failed = rows_of(document, "failed", "error", "timeout")
        caught.count(bool(failed), misconception.id)
        named.count({row["misconception"] for row in failed.values()} == {right(misconception)}, misconception.id)
        public.count(any(row["visibility"] == "public" for row in failed.values()), misconception.id)
        sits_in = {misconception.of, *heirs(assignment, misconception.of)}
        mine = sum(outcome.grading.points for outcome in outcomes if outcome.grading.of in sits_in)
        lost = sum(outcome.grading.points for outcome in outcomes if outcome.verdict.status != "passed")
        fair.count(lost <= mine + 1e-9, f"{misconception.id} costs {lost:g}, {misconception.of} is worth {mine:g}")
    return [caught, named, public, fair]


def rewritten_mistakes(quick: bool, sandbox: Sandbox) -> list[Line]:
    """Misconceptions in another hand: other names, other statements, the same mistake."""
    named = Line("known mistakes, rewritten by another hand, are named, and nothing else is")
    for assignment, misconception in sample(KNOWN, "rewritten", quick):
        source = rewrite(mutate(assignment.name, misconception), assignment.names)
        document, _ = graded(assignment, source, sandbox)
        names = {row["misconception"] for row in rows_of(document, "failed", "error", "timeout").values()}
        named.count(right(misconception) in names and names <= {right(misconception), None}, misconception.id)
    return [named]


def unknown_mistakes(quick: bool, sandbox: Sandbox) -> list[Line]:
    """Programs that are wrong in ways that nothing on the list describes."""
    nameless = Line("programs that are wrong in another way lose points, and are given no name")
    for label, assignment, source in sample(list(wrong_programs()), "wrong", quick):
        failed = rows_of(graded(assignment, source, sandbox)[0], "failed", "error", "timeout")
        nameless.count(bool(failed) and not any(row["misconception"] for row in failed.values()), label)
    return [nameless]


def mistakes_in_cells(quick: bool, sandbox: Sandbox) -> list[Line]:
    """A whole submission with one mistake in its cells."""
    apart = Line("mistakes in the cells cost nothing in the parts that build on them")
    cells = [(assignment, misconception) for assignment, misconception in KNOWN if assignment.name == "cells"]
    for assignment, misconception in sample(cells, "cells", quick):
        lost = lost_by_assignment(assignment, misconception, sandbox)
        apart.count(set(lost) == {"cells"}, f"{misconception.id} costs {lost}")
    return [apart]


def correct_programs(quick: bool, sandbox: Sandbox) -> list[Line]:
    """Solutions and variants."""
    full = Line("correct programs, in whatever style, have full marks")
    for number, (assignment, files) in enumerate(sample(programs(), "programs", quick)):
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            document = grade(write(Path(folder), files), GradeOptions((assignment,)), sandbox).document
        full.count(not rows_of(document, "failed", "error", "timeout", "grader-error"), f"{assignment.name} {number}")
    return [full]


def mutation(quick: bool, sandbox: Sandbox) -> list[Line]:
    """Mutants of the solutions, those aside of which it is listed why nobody need catch them."""
    listed = accounts()
    chosen = [mutant for mutant in sample(every_mutant(), "mutants", quick) if mutant.key not in listed]
    killed = Line(f"small changes of the solutions lose points ({len(listed)} are listed as harmless)", must_hold=0.97)
    for trial in try_mutants(chosen, sandbox):
        killed.count(trial.killer is not None, str(trial.mutant))
    return [killed]


def steadiness(quick: bool, sandbox: Sandbox) -> list[Line]:
    """Correct programs while every core is busy."""
    steady = Line("gradings of correct programs on a busy machine lose nothing, and give one document twice")
    runs = STEADY_RUNS // ONE_IN["steady"] if quick else STEADY_RUNS
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, all_cores_busy():
        for problem in gradings(runs, 0, sandbox, Path(folder)):
            steady.count(not problem, problem)
    return [steady]


SECTIONS = (
    known_mistakes,
    rewritten_mistakes,
    unknown_mistakes,
    mistakes_in_cells,
    correct_programs,
    mutation,
    steadiness,
)


def sample(cases: Sequence[Case], kind: str, quick: bool) -> Sequence[Case]:
    """All cases, or one in so many."""
    return cases[:: ONE_IN[kind]] if quick else cases


def right(misconception: Misconception) -> str:
    """The id that a misconception is reported under."""
    return misconception.same_as or misconception.id


def graded(assignment: Assignment, source: str, sandbox: Sandbox) -> tuple[dict[str, Any], list[Outcome]]:
    """The document and the outcomes of a module beside the solutions of what its assignment builds on."""
    outcomes: list[Outcome] = []
    needed = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_bytes() for need in assignment.needs}
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        path = write(Path(folder), {**needed, assignment.file: source.encode()})
        document = grade(path, GradeOptions((assignment,)), sandbox, outcomes.append).document
    return document, outcomes
