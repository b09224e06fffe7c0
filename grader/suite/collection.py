"""What must hold of a suite before it may grade anyone; each breach is an error that names its place.

Checked at every collection: every test has points and a known promise and asks for nothing but what it
is given, names are unique, the points add up to the assignment's, public tests carry 40 to 60 %, side
promises at most 15 %, every promise has a public test, no probe imports a solution, an oracle or a
test, and no stand-in takes the place of what is graded with it.
"""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from grader.course import Assignment, CourseError
from grader.suite.attempt import LENT, STAND_IN
from grader.suite.points import Grading, grading_of

SHARE_OF_PUBLIC = (0.40, 0.60)
SHARE_OF_SIDE = 0.15
GIVEN = frozenset({"submission", "rng"})  # what a test may ask for; pytest's own fixtures are not set up
SECRET_MODULES = ("oracle", "misconceptions", "test_hidden", "test_public", "solutions")
PROBE_ROOTS = frozenset(
    {
        "torch",
        "numpy",
        "math",
        "copy",
        "contextlib",
        "threading",
        "random",
        "assignments",
        "__future__",
        "typing",
        "collections",
        "dataclasses",
        "itertools",
        "functools",
        "inspect",
        "sys",
        "types",
        "unicodedata",
    }
)


def check(assignments: Iterable[Assignment], items: Iterable[pytest.Item]) -> None:
    """Raise CourseError for the first rule that the collected tests break.

    The rules on sums are checked where both test files of an assignment were collected.
    """
    everything = list(items)
    for assignment in assignments:
        own = [item for item in everything if item.path.parent.name == assignment.name]
        marks = {item.name: _mark(item, assignment) for item in own}
        twice = [name for name, count in Counter(item.name for item in own).items() if count > 1]
        if twice:
            raise CourseError(f"{assignment.name}: two tests are named {twice[0]}")
        check_probes(assignment.folder / "probes.py")
        _check_stand_in(assignment)
        files = {item.path.name for item in own}
        if files == {"test_public.py", "test_hidden.py"}:
            public = {item.name for item in own if item.path.name == "test_public.py"}
            _check_sums(assignment, marks, public)


def _mark(item: pytest.Item, assignment: Assignment) -> Grading:
    grading = grading_of(getattr(item, "obj", None))
    place = f"assignments/{assignment.name}/{item.path.name}: {item.name}"
    unknown = sorted({*getattr(item, "fixturenames", ())} - GIVEN)
    if unknown:
        raise CourseError(f"{place} asks for {unknown[0]!r}; a test is given {' and '.join(sorted(GIVEN))}, no more")
    if grading is None:
        raise CourseError(f"{place} has no points; mark it with @points(…)")
    if grading.promise not in assignment.promises:
        raise CourseError(f"{place} names the promise {grading.promise!r}, which assignment.toml does not have")
    if grading.of not in assignment.names:
        raise CourseError(f"{place} is of {grading.of!r}, which assignment.toml does not list")
    return grading


def _check_sums(assignment: Assignment, marks: dict[str, Grading], public: set[str]) -> None:
    total = sum(mark.points for mark in marks.values())
    told = assignment.points / assignment.scale
    if abs(total - told) > 1e-9:
        raise CourseError(f"{assignment.name}: its tests carry {total:g} points, assignment.toml says {told:g}")
    share = sum(marks[name].points for name in public) / total
    if not SHARE_OF_PUBLIC[0] <= share <= SHARE_OF_PUBLIC[1]:
        raise CourseError(f"{assignment.name}: public tests carry {share:.0%} of the points, not 40 to 60 %")
    side = sum(mark.points for mark in marks.values() if mark.side) / total
    if side > SHARE_OF_SIDE + 1e-9:
        raise CourseError(f"{assignment.name}: side promises carry {side:.0%} of the points, over 15 %")
    untouched = set(assignment.promises) - {marks[name].promise for name in public}
    if untouched:
        raise CourseError(f"{assignment.name}: no public test checks the promise {min(untouched)!r}")


def _check_stand_in(assignment: Assignment) -> None:
    """What leans on a part of its own module has a stand-in that defines other parts, and nothing else.

    What it may use of another can be lent, and its own tests know of no other numbers.
    """
    for used in assignment.may_use:
        if not (assignment.folder.parent / used / LENT).is_file():
            raise CourseError(f"assignments/{used}/{LENT} is missing; {assignment.name} may use {used!r}")
    if assignment.may_use and (assignment.needs or assignment.leaning):
        raise CourseError(f"{assignment.name}: assignment.toml has `may_use` beside `needs` or `leaning`")
    if not assignment.leaning:
        return
    place, path = f"assignments/{assignment.name}/{STAND_IN}", assignment.folder / STAND_IN
    if not path.is_file():
        raise CourseError(f"{place} is missing; {min(assignment.leaning)!r} leans on it, says assignment.toml")
    if assignment.needs:
        raise CourseError(f"{assignment.name}: assignment.toml has `leaning` and `needs`; only one of them can be")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    if not defined or not defined <= set(assignment.names) - assignment.leaning:
        raise CourseError(f"{place} must define what {min(assignment.leaning)!r} leans on, and no other name")


@functools.cache
def check_probes(path: Path) -> None:
    """Raise CourseError if a probe file imports anything that could hold an answer."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if any(part in SECRET_MODULES for part in name.split(".")) or name.split(".")[0] not in PROBE_ROOTS:
                raise CourseError(f"{path.parent.name}/{path.name}, line {node.lineno}: a probe must not import {name}")
