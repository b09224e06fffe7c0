"""What each known mistake costs, and where: the table behind the laws of fairness. `make fairness` prints it.

A mistake is an edit of a line or two, so it should cost no more than the points of the class or function
that it sits in, and a mistake in `cells` nothing in the parts that build on cells. A class that inherits the
mistake has it too: what the solution's `CharLSTM` takes from `CharRNN` sits in both. No law is stated here.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.course import SOLUTIONS, Assignment, load_course
from grader.diagnosis import load_misconceptions, mutate
from grader.diagnosis.misconception import Misconception
from grader.intake import receive
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import Sandbox
from grader.suite.plugin import Outcome
from grader.suite.run import run_suites

COURSE = load_course()
KNOWN = [(assignment, misconception) for assignment in COURSE for misconception in load_misconceptions(assignment)]


@dataclass(frozen=True)
class Cost:
    """One mistake: the part it sits in, that part's points, and what was lost there and in other parts."""

    assignment: str
    misconception: str
    part: str
    worth: float
    lost: float
    elsewhere: dict[str, float]

    @property
    def altogether(self) -> float:
        """All that it costs."""
        return self.lost + sum(self.elsewhere.values())

    def __str__(self) -> str:
        others = "".join(f", {points:g} in {part}" for part, points in self.elsewhere.items())
        return f"{self.misconception}: {self.lost:g} of {self.worth:g} in {self.part}{others}"


def costs(chosen: Iterable[tuple[Assignment, Misconception]], sandbox: Sandbox) -> Iterator[Cost]:
    """Grade each mistake beside the solutions of what its assignment builds on."""
    for assignment, misconception in chosen:
        outcomes = graded(assignment, misconception, (assignment,), sandbox)
        lost: dict[str, float] = {}
        for outcome in outcomes:
            part, points = outcome.grading.of, outcome.grading.points
            lost[part] = lost.get(part, 0.0) + (points if outcome.verdict.status != "passed" else 0.0)
        part = misconception.of
        sits_in = {part, *heirs(assignment, part)}
        worth = sum(outcome.grading.points for outcome in outcomes if outcome.grading.of in sits_in)
        here = lost.pop(part, 0.0)
        elsewhere = {name: points for name, points in lost.items() if points}
        yield Cost(assignment.name, misconception.id, part, worth, here, elsewhere)


def heirs(assignment: Assignment, part: str) -> list[str]:
    """The contract's classes that inherit from this one in the solution."""
    tree = ast.parse((SOLUTIONS / assignment.file).read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name in assignment.names]
    return [node.name for node in classes if any(ast.unparse(base) == part for base in node.bases)]


def lost_by_assignment(assignment: Assignment, misconception: Misconception, sandbox: Sandbox) -> dict[str, float]:
    """What a whole submission with this one mistake loses, by assignment; those that lose nothing are left out."""
    lost: dict[str, float] = {}
    for outcome in graded(assignment, misconception, COURSE, sandbox):
        if outcome.verdict.status != "passed":
            name = outcome.assignment.name
            lost[name] = lost.get(name, 0.0) + outcome.grading.points
    return lost


def graded(
    assignment: Assignment, misconception: Misconception, course: tuple[Assignment, ...], sandbox: Sandbox
) -> list[Outcome]:
    """The outcomes of the solutions with this one mistake in them. RuntimeError if one has no verdict."""
    with tempfile.TemporaryDirectory(prefix="fairness-") as folder:
        for path in SOLUTIONS.glob("*.py"):
            Path(folder, path.name).write_bytes(path.read_bytes())
        Path(folder, assignment.file).write_text(mutate(assignment.name, misconception), encoding="utf-8")
        submission = receive(Path(folder), course)
        with sandbox.compartment() as compartment:  # not by `grade`: nobody asks for the causes here
            outcomes = run_suites(course, submission, compartment).outcomes
    without = [outcome.name for outcome in outcomes if outcome.verdict.status == "grader-error"]
    if without:
        raise RuntimeError(f"{misconception.id}: no verdict in {', '.join(without)}")
    return outcomes


def table(found: list[Cost]) -> str:
    """Part by part: how many mistakes are known of it, and what they cost, the mildest, the middle and the dearest."""
    lines = [
        f"{'part':40} {'points':>6} {'mistakes':>8}   {'least':>6} {'middle':>6} {'most':>6}   lost in other parts"
    ]
    for assignment, part in dict.fromkeys((cost.assignment, cost.part) for cost in found):
        here = [cost for cost in found if (cost.assignment, cost.part) == (assignment, part)]
        sums = sorted(cost.altogether for cost in here)
        afar = sum(1 for cost in here if cost.elsewhere)
        least, middle, most = sums[0], sums[len(sums) // 2], sums[-1]
        lines.append(
            f"{assignment + '.' + part:36} {here[0].worth:6g} {len(here):8}   {least:6g} {middle:6g} {most:6g}   {afar}"
        )
    return "\n".join(lines)


def main() -> int:
    """Print the table, then every mistake that costs more than its part is worth."""
    with start_sandbox(GradeOptions(COURSE)) as sandbox:
        found = list(costs(KNOWN, sandbox))
    print(table(found))
    too_dear = [cost for cost in found if cost.altogether > cost.worth + 1e-9]
    for cost in too_dear:
        print(f"too dear: {cost}")
    return 1 if too_dear else 0


if __name__ == "__main__":
    raise SystemExit(main())
