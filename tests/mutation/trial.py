"""Grades mutants in one warm sandbox and keeps account of those that nobody need catch.

A mutant is killed when it loses points of its own assignment with public and hidden tests; the first lost
test ends its trial. It is graded as a submission is, with shorter guards, for code that runs into a loop.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.course import SOLUTIONS, Assignment, load_course, select
from grader.grade import grade
from grader.options import GradeOptions
from grader.sandbox import Sandbox
from grader.suite.plugin import Outcome
from tests.mutation.operators import Mutant, mutants

ACCOUNTS = Path(__file__).with_name("equivalent.toml")
SHORT_CPU_S = 2.0  # of a probe; the dearest of the reference takes 0.02


@dataclass(frozen=True)
class Trial:
    """A mutant and the test that lost points, with its status; None for a survivor."""

    mutant: Mutant
    killer: str | None
    status: str = ""


@functools.cache
def every_mutant() -> tuple[Mutant, ...]:
    """The mutants of all solutions, assignment by assignment."""
    found: list[Mutant] = []
    for assignment in load_course():
        found += mutants(assignment.name, (SOLUTIONS / assignment.file).read_text(encoding="utf-8"))
    return tuple(found)


def accounts() -> dict[tuple[str, str, str, str], str]:
    """Why each listed mutant need not be caught, by its key. Raises ValueError for one that is listed twice."""
    listed: dict[tuple[str, str, str, str], str] = {}
    for reason, entries in tomllib.loads(ACCOUNTS.read_text(encoding="utf-8")).items():
        for entry in entries["mutants"]:
            for after in [entry["after"]] if isinstance(entry["after"], str) else entry["after"]:
                key = (entry["assignment"], entry["function"], entry["before"], after)
                if key in listed:
                    raise ValueError(f"listed twice: {key}")
                listed[key] = f"{reason}: {entries['why']}"
    return listed


def stale(listed: Iterable[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """The accounts of mutants that there are none of."""
    return sorted(set(listed) - {mutant.key for mutant in every_mutant()})


def try_mutants(chosen: Iterable[Mutant], sandbox: Sandbox) -> Iterator[Trial]:
    """Grade each mutant beside the solutions of what its assignment builds on."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for mutant in chosen:
            yield _try(mutant, Path(folder), sandbox)


def _try(mutant: Mutant, folder: Path, sandbox: Sandbox) -> Trial:
    (assignment,) = select([mutant.assignment])
    for path in folder.iterdir():
        path.unlink()
    for need in assignment.needs:
        (folder / f"{need}.py").write_bytes((SOLUTIONS / f"{need}.py").read_bytes())
    (folder / assignment.file).write_text(mutant.source, encoding="utf-8")
    lost = first_loss(folder, assignment, sandbox)
    return Trial(mutant, *lost) if lost else Trial(mutant, None)


def first_loss(folder: Path, assignment: Assignment, sandbox: Sandbox) -> tuple[str, str] | None:
    """The name and status of the first test that a submission loses, or None. RuntimeError if it has no verdict."""
    hurried = dataclasses.replace(assignment, cpu_s=min(assignment.cpu_s, SHORT_CPU_S))
    losses: list[tuple[str, str]] = []

    def watch(outcome: Outcome) -> None:
        if outcome.verdict.status == "grader-error":
            raise RuntimeError(f"{outcome.name} came to no verdict")
        if outcome.verdict.status != "passed":
            losses.append((outcome.name, outcome.verdict.status))
            raise KeyboardInterrupt  # what stops pytest at once

    try:
        grade(folder, GradeOptions((hurried,)), sandbox, watch)
    except KeyboardInterrupt:
        if not losses:
            raise
    return losses[0] if losses else None
