"""The course as its files tell it: which assignments there are, their points, limits and promises.

Each `assignments/NAME/assignment.toml` is read here and nowhere else. Nothing in this module knows
how a test is run.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENTS = ROOT / "assignments"
SOLUTIONS = ROOT / "solutions"
STARTER = ROOT / "starter"


class CourseError(Exception):
    """The course's own files contradict themselves; the message names the file."""


@dataclass(frozen=True, eq=False)  # one object each, made by load_course
class Assignment:
    """One assignment as `assignment.toml` describes it.

    `names` are the contract's names, in the order students meet them; `promises` maps an id to the
    sentence of the handout that a hidden test may quote; `needs` names other assignments whose
    modules this one builds on.
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
    warm: frozenset[str]
    refuses_library_cells: bool
    cpu_s: float
    memory_mb: int
    promises: dict[str, str]

    @property
    def folder(self) -> Path:
        """Where the assignment's files lie."""
        return ASSIGNMENTS / self.name

    @property
    def file(self) -> str:
        """The module that a student hands in: `cells.py`."""
        return f"{self.name}.py"


@functools.cache
def load_course() -> tuple[Assignment, ...]:
    """All assignments, in the order they are taken. Raises CourseError for a malformed file."""
    found = [_load(path) for path in sorted(ASSIGNMENTS.glob("*/assignment.toml"))]
    return tuple(sorted(found, key=lambda assignment: assignment.order))


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
            warm=frozenset(table.get("warm", ())),
            refuses_library_cells=bool(table.get("refuses_library_cells", False)),
            cpu_s=float(limits["cpu_s"]),
            memory_mb=int(limits["memory_mb"]),
            promises={str(key): str(sentence) for key, sentence in table["promises"].items()},
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as problem:
        raise CourseError(f"{path}: {problem}") from problem
