"""The course as its files tell it: which assignments there are, their points, limits and promises.

Each `assignments/NAME/assignment.toml` is read here and nowhere else; what a course chooses among them
stands in `course.toml`. Nothing in this module knows how a test is run.
"""

from __future__ import annotations

import ast
import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from grader.choices import ChoiceError, Choices, read_choices

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENTS = ROOT / "assignments"
SOLUTIONS = ROOT / "solutions"
STARTER = ROOT / "starter"
CHOICES = ROOT / "course.toml"


class CourseError(Exception):
    """The course's own files contradict themselves; the message names the file."""


@dataclass(frozen=True, eq=False)  # one object each, made by load_course
class Assignment:
    """One assignment as `assignment.toml` describes it.

    `names` are the contract's names, in the order students meet them; `promises` maps an id to the
    sentence of the handout that a hidden test may quote; `needs` names other assignments whose
    modules this one builds on, `may_use` those whose modules it can do without. `leaning` are those of the
    names that build on another of them, for which `stand_in.py` has a stand-in. `hidden_tests` is how many
    there are, known in a students' bundle too.
    `scale` turns the points that its tests are marked with into those that the course gives.
    """

    name: str
    title: str
    order: int
    points: float
    bonus: bool
    names: tuple[str, ...]
    time: str
    difficulty: str
    needs: tuple[str, ...]
    may_use: tuple[str, ...]
    leaning: frozenset[str]
    warm: frozenset[str]
    refuses_library_cells: bool
    cpu_s: float
    memory_mb: int
    promises: dict[str, str]
    hidden_tests: int
    due: str = ""
    scale: float = 1.0

    @property
    def folder(self) -> Path:
        """Where the assignment's files lie."""
        return ASSIGNMENTS / self.name

    @property
    def file(self) -> str:
        """The module that a student hands in: `cells.py`."""
        return f"{self.name}.py"

    def has_stand_in(self, name: str) -> bool:
        """Whether there is a stand-in for something that this name of the assignment builds on."""
        return bool(self.needs) or name in self.leaning

    @property
    def handout(self) -> Path:
        """Its handout: beside its tests, or in a students' bundle where all of them lie in the open."""
        own = self.folder / "handout.md"
        return own if own.is_file() else ROOT.parent / "handouts" / f"{self.name}.md"


@functools.cache
def whole_course() -> tuple[Assignment, ...]:
    """All assignments there are, in the order they are taken. Raises CourseError for a malformed file."""
    found = [_load(path) for path in sorted(ASSIGNMENTS.glob("*/assignment.toml"))]
    return tuple(sorted(found, key=lambda assignment: assignment.order))


@functools.cache
def load_course() -> tuple[Assignment, ...]:
    """The assignments as `course.toml` chooses them; all of them where there is none. Raises CourseError."""
    return chosen(own_choices())


def own_choices(path: Path | None = None) -> Choices:
    """What this course.toml says, or the one of the checkout, if there is one. Raises CourseError."""
    if path is None and not CHOICES.is_file():
        return Choices()
    try:
        return read_choices(path or CHOICES, tuple(assignment.name for assignment in whole_course()))
    except ChoiceError as problem:
        raise CourseError(str(problem)) from None


def chosen(choices: Choices) -> tuple[Assignment, ...]:
    """The assignments of these choices, with their points and dates."""
    wanted = [a for a in whole_course() if not choices.assignments or a.name in choices.assignments]
    return tuple(_as_chosen(assignment, choices) for assignment in wanted)


def _as_chosen(assignment: Assignment, choices: Choices) -> Assignment:
    worth, due = choices.points.get(assignment.name, assignment.points), choices.due.get(assignment.name, "")
    if worth == assignment.points and not due:
        return assignment  # one object each, for those who keep something by it
    return replace(assignment, points=worth, scale=worth / assignment.points, due=due)


def count_tests(path: Path) -> int:
    """How many test functions a file has; 0 where there is no such file."""
    if not path.is_file():
        return 0
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return sum(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body)


def select(names: Iterable[str] | None) -> tuple[Assignment, ...]:
    """The assignments of these names in course order, or all of them. Raises KeyError for an unknown one."""
    course = load_course()
    if not names:
        return course
    known = {assignment.name for assignment in course}
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise KeyError(name)
    return tuple(assignment for assignment in course if assignment.name in wanted)


def _load(path: Path) -> Assignment:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        limits = table["limits"]
        return Assignment(
            name=path.parent.name,
            title=str(table["title"]),
            order=int(table["order"]),
            points=float(table["points"]),
            bonus=bool(table.get("bonus", False)),
            names=tuple(table["names"]),
            time=str(table["time"]),
            difficulty=str(table["difficulty"]),
            needs=tuple(table.get("needs", ())),
            may_use=tuple(table.get("may_use", ())),
            leaning=frozenset(table.get("leaning", ())),
            warm=frozenset(table.get("warm", ())),
            refuses_library_cells=bool(table.get("refuses_library_cells", False)),
            cpu_s=float(limits["cpu_s"]),
            memory_mb=int(limits["memory_mb"]),
            promises={str(key): str(sentence) for key, sentence in table["promises"].items()},
            hidden_tests=int(table.get("hidden_tests", count_tests(path.with_name("test_hidden.py")))),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as problem:
        raise CourseError(f"{path}: {problem}") from problem
