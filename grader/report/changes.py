"""What differs between two gradings of a class: whose score changed, by how much, because of which tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader import messages

NEAR = 1e-9


@dataclass(frozen=True)
class TestChange:
    """One test that earns another score or has another status; `None` where it was not there."""

    assignment: str
    name: str
    before: str | None
    after: str | None
    points: float


@dataclass(frozen=True)
class Change:
    """One submission: scores before and after (`None` where it was not in that class), and the tests behind it."""

    submission: str
    before: float | None
    after: float | None
    tests: tuple[TestChange, ...]
    most: tuple[float, float] | None = None  # the maxima, where they differ

    @property
    def points(self) -> float:
        """What was gained; a loss is negative."""
        return (self.after or 0.0) - (self.before or 0.0)


def compare(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[Change]:
    """Every submission that differs, the greatest loss first, then by name."""
    before = {document["submission"]: document for document in old}
    after = {document["submission"]: document for document in new}
    found = []
    for name in sorted(before.keys() | after.keys()):
        change = _change(name, before.get(name), after.get(name))
        if change:
            found.append(change)
    return sorted(found, key=lambda change: (change.points, change.submission))


def _change(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Change | None:
    if old is None or new is None:
        return Change(name, old["score"] if old else None, new["score"] if new else None, ())
    before, after = _tests(old), _tests(new)
    tests = []
    for key in [*before, *(key for key in after if key not in before)]:
        was, now = before.get(key), after.get(key)
        points = (now["score"] if now else 0.0) - (was["score"] if was else 0.0)
        if was is None or now is None or was["status"] != now["status"] or abs(points) > NEAR:
            tests.append(TestChange(*key, was["status"] if was else None, now["status"] if now else None, points))
    most = None if abs(old["max_score"] - new["max_score"]) < NEAR else (old["max_score"], new["max_score"])
    if tests or most or abs(new["score"] - old["score"]) > NEAR:
        return Change(name, old["score"], new["score"], tuple(tests), most)
    return None


def _tests(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["name"], test["name"]): test for row in document["assignments"] for test in row["tests"]}


def show_changes(changes: Sequence[Change], size: int, console: Console) -> None:
    """Print who changes, by how much, and because of which tests; names are shown as text and nothing else."""
    for change in changes:
        head = Text(f"{_text(change.submission)}: ", style="bold")
        if change.before is None:
            head.append(f"new, {change.after:g} points")
        elif change.after is None:
            head.append(f"not there any more, had {change.before:g} points")
        else:
            head.append(f"{change.before:g} → {change.after:g} ({change.points:+g})")
        console.print(head)
        if change.most:
            console.print(Padding(f"the maximum was {change.most[0]:g} and is {change.most[1]:g}", (0, 0, 0, 2)))
        for test in change.tests:
            says = f"{_text(test.assignment)}: {_text(test.name)}, {test.before or 'absent'} → {test.after or 'absent'}"
            console.print(Padding(Text(f"{says} ({test.points:+g})"), (0, 0, 0, 2), expand=False))
    scores = sum(abs(change.points) > NEAR for change in changes)
    others = f"; {len(changes) - scores} more differ without another score" if len(changes) > scores else ""
    console.print(Text(f"{scores} of {size} scores changed{others}.", style="bold"))


def _text(name: str) -> str:
    return messages.disarm(messages.one_line(name))
