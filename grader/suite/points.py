"""`@points`: what a test is worth, whose test it is, and which promise of the handout it checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., None])
ATTRIBUTE = "__grading__"


@dataclass(frozen=True)
class Grading:
    """`points` it earns, the contract's name it is `of`, the id of the `promise` it checks.

    `side` marks a promise to raise or to leave something alone; together such tests carry at most
    15 % of an assignment. `curve` names a list of numbers in the reply of a public test's last probe that
    a student may want to see drawn, such as the loss of each epoch. Where `any_choice` holds, several replies
    are right: one that is like the solution's refutes no misconception, which may only have chosen otherwise.
    """

    points: float
    of: str
    promise: str
    side: bool = False
    curve: str = ""
    any_choice: bool = False

    def scaled(self, scale: float) -> Grading:
        """The same, worth `scale` times as much: as much as the course gives for it."""
        return replace(self, points=round(self.points * scale, 6)) if scale != 1.0 else self


def points(
    worth: float, *, of: str, promise: str, side: bool = False, curve: str = "", any_choice: bool = False
) -> Callable[[Test], Test]:
    """Mark a test function as worth `worth` points: `@points(2, of="train", promise="clipping")`."""

    def mark(test: Test) -> Test:
        setattr(test, ATTRIBUTE, Grading(worth, of, promise, side, curve, any_choice))
        return test

    return mark


def grading_of(test: object) -> Grading | None:
    """The mark that `points` left on a test function, or None."""
    mark = getattr(test, ATTRIBUTE, None)
    return mark if isinstance(mark, Grading) else None
