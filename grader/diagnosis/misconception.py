"""A misconception: a small edit of the solution, with an id, what it looks like and what to say."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from pathlib import Path

from grader.course import ROOT, SOLUTIONS, Assignment, CourseError


@dataclass(frozen=True)
class Misconception:
    """`edits` are (old, new) pairs, each `old` standing exactly once in the assignment's solution.

    `of` is the contract's name it sits in; `symptom` is for authors, `says` for students: two or
    three sentences that help without giving the answer away. `same_as` names another misconception
    that is the same function and is reported in its place. One that `remembers` keeps something in
    the module from call to call: its mutant is made anew for every probe, as a student's process is.
    """

    id: str
    of: str
    edits: tuple[tuple[str, str], ...]
    symptom: str
    says: str
    same_as: str | None = None
    remembers: bool = False


@functools.cache
def load_misconceptions(assignment: Assignment) -> tuple[Misconception, ...]:
    """The assignment's misconceptions; none where its file is absent, as in a student's bundle."""
    if not (assignment.folder / "misconceptions.py").is_file() or not solution_path(assignment.name).is_file():
        return ()
    module = importlib.import_module(f"assignments.{assignment.name}.misconceptions")
    return tuple(module.MISCONCEPTIONS)


def solution_path(assignment_name: str) -> Path:
    """Where the annotated solution of an assignment lies."""
    return SOLUTIONS / f"{assignment_name}.py"


@functools.cache
def solution_source(assignment_name: str) -> str:
    """The text of an assignment's annotated solution."""
    return solution_path(assignment_name).read_text(encoding="utf-8")


def mutate(assignment_name: str, misconception: Misconception) -> str:
    """The solution's source with the misconception's edits made. Raises CourseError if one does not fit."""
    source = solution_source(assignment_name)
    for old, new in misconception.edits:
        if source.count(old) != 1:
            where = solution_path(assignment_name).relative_to(ROOT)
            raise CourseError(
                f"{misconception.id}: its edit fits {source.count(old)} places of {where}, not one: {old!r}"
            )
        source = source.replace(old, new)
    return source
