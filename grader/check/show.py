"""What a student reads after a check: points, what went wrong, what is left, and what would be handed in.

Everything is said in words; marks and colours only repeat them. It fits a terminal of 40 columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from grader import messages
from grader.course import Assignment
from grader.export.terminal import indented, last_line, readable, show_failures, show_points

Row = Mapping[str, Any]


def show_check(
    document: dict[str, Any], assignments: Sequence[Assignment], handed_in: Sequence[str], console: Console
) -> None:
    """Everything: one assignment that is not begun is told in full, the others are only named as left."""
    show_points(document, console)
    begun = [row for row in document["assignments"] if not is_untouched(row)]
    first = first_failed(document)
    for row in document["assignments"]:
        if row in begun or row is first:
            show_failures(row, console)
            if any(test["status"] != "passed" for test in row["tests"]):
                console.print(Text(messages.NEXT_CHECK.format(assignment=row["name"]), style="cyan"))
    _show_rest(document, assignments, handed_in, console)


def show_change(
    before: dict[str, Any], document: dict[str, Any], assignments: Sequence[Assignment], console: Console
) -> None:
    """What is different since the last check, and the one thing to do next."""
    old = {(row["name"], test["name"]): test["status"] == "passed" for row, test in _tests(before)}
    new = {(row["name"], test["name"]): test["status"] == "passed" for row, test in _tests(document)}
    changed = False
    for row in document["assignments"]:
        for mark, words, passes in (("✓", "now passes", True), ("✗", "fails now", False)):
            keys = [(row["name"], test["name"]) for test in row["tests"]]
            names = [name for name in keys if new[name] is passes and old.get(name, False) is not passes]
            if names:
                changed = True
                told = ", ".join(readable({"name": name}) for _, name in names)
                indented(f"{mark} {row['name']}, {words}: {told}", console, by=0)
    if not changed:
        console.print(Text("Nothing has changed: the same tests pass as before."))
    gained = document["score"] - before["score"]
    console.print(Text(f"{gained:+g} point{'s' * (abs(gained) != 1)}" if gained else "No points gained or lost"))
    unfinished = first_failed(document)
    if unfinished is not None:
        show_failures(unfinished, console, most=1)
    console.print()
    console.print(Text(last_line(document, hidden_tests(assignments)), style="bold"))


def first_failed(document: dict[str, Any]) -> dict[str, Any] | None:
    """The assignment with the next thing to do: the first that has a failed test, one already begun before others."""
    failed = [row for row in document["assignments"] if any(test["status"] != "passed" for test in row["tests"])]
    failed.sort(key=is_untouched)
    return failed[0] if failed else None


def is_untouched(row: Row) -> bool:
    """Whether nothing of an assignment has been written yet."""
    return all(messages.is_not_begun(test["message"]) for test in row["tests"])


def hidden_tests(assignments: Sequence[Assignment]) -> int:
    """How many tests run only when it is handed in."""
    return sum(assignment.hidden_tests for assignment in assignments)


def _show_rest(
    document: dict[str, Any], assignments: Sequence[Assignment], handed_in: Sequence[str], console: Console
) -> None:
    known = {assignment.name: assignment for assignment in assignments}
    left = [line for row in document["assignments"] if (line := _left(row, known[row["name"]]))]
    for title, lines in (("Left to do:", left), ("Handing in what is here now:", handed_in)):
        if lines:
            console.print()
            console.print(Text(title))
        for line in lines:
            indented(messages.one_line(line), console, by=2)
    console.print()
    console.print(Text(last_line(document, hidden_tests(assignments)), style="bold"))


def _left(row: Row, assignment: Assignment) -> str | None:
    """`cells: 4.5 of 9 points; usually 60 to 90 minutes in all; due 2026-10-01`."""
    most = row["max_score"] or row.get("bonus", 0.0)
    if all(test["status"] == "passed" for test in row["tests"]):
        return None
    how_far = messages.NOT_BEGUN if is_untouched(row) else f"{most - row['score']:g} of {most:g} points"
    due = f"; due {assignment.due}" if assignment.due else ""
    return f"{row['name']}: {how_far}; usually {assignment.time} in all{due}"


def _tests(document: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(row, test) for row in document["assignments"] for test in row["tests"]]
