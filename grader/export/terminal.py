"""The result on a terminal: points per assignment, then each failed test with what to do next.

Colour only repeats what words already say; rich leaves it out where NO_COLOR is set or the output
is no terminal. A document may come from a file, so whatever is shown of it is made printable here
once more, and printed as plain text, never as markup.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader import messages

MARKS = {"passed": "✓", "failed": "✗", "error": "✗", "timeout": "✗", "grader-error": "!"}
STYLES = {"passed": "green", "failed": "red", "error": "red", "timeout": "yellow", "grader-error": "magenta"}


def show_document(document: dict[str, Any], console: Console) -> None:
    """Print the result document of a graded submission."""
    show_points(document, console)
    for row in document["assignments"]:
        show_failures(row, console)
    if document.get("notes"):
        console.print()
    for note in document.get("notes", []):
        indented(f"note: {messages.one_line(note)}", console, by=2, style="dim")
    console.print()
    console.print(Text(last_line(document, None), style="bold"))


def show_points(document: dict[str, Any], console: Console) -> None:
    """The submission's name, and a table of its points and tests."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("assignment", overflow="fold")
    table.add_column("points", justify="right", overflow="fold")
    table.add_column("tests", justify="right", overflow="fold")
    for row in document["assignments"]:
        passed = sum(test["status"] == "passed" for test in row["tests"])
        most = row["max_score"] or row.get("bonus", 0.0)
        points = f"{row['score']:g} / {most:g}" + (" bonus" if "bonus" in row else "")
        table.add_row(Text(messages.one_line(row["name"])), points, f"{passed} of {len(row['tests'])}")
    name = Text(messages.disarm(messages.one_line(document["submission"])), style="bold")
    console.print(name, no_wrap=True, overflow="ellipsis")  # a line begun anew could pass for one of ours
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def last_line(document: dict[str, Any], hidden: int | None) -> str:
    """All points in one line, and what they are worth; `hidden` tests were not run in a self-check."""
    if hidden is None:
        unsure = "" if document["complete"] else "; the grader failed in places, so this is no grade yet"
        return f"{_total(document, '')} (isolation: {document['isolation']['level']}){unsure}"
    total = _total(document, " of the public tests")
    if all(test["status"] == "passed" for row in document["assignments"] for test in row["tests"]):
        return f"{total}. {messages.ALL_PUBLIC_PASS.format(hidden=hidden)}"
    return f"{total}; {messages.HIDDEN_LEFT.format(hidden=hidden)}"


def _total(document: dict[str, Any], of_what: str) -> str:
    """`98 of 88 points, 10 of them bonus`, or `10 of 10 bonus points` where there are no others."""
    bonus = [row for row in document["assignments"] if "bonus" in row]
    if bonus and len(bonus) == len(document["assignments"]):
        return f"{document['score']:g} of {sum(row['bonus'] for row in bonus):g} bonus points{of_what}"
    earned = sum(row["score"] for row in bonus)
    aside = f", {earned:g} of them bonus" if earned else ""
    return f"{document['score']:g} of {document['max_score']:g} points{of_what}{aside}"


def show_failures(row: dict[str, Any], console: Console, most: int | None = None) -> None:
    """The failed tests of one assignment, or the first `most` kinds; those with one cause are told together.

    And how many passed, but not on the student's own of what they build on.
    """
    assignment = messages.one_line(row["name"])
    groups: dict[str, list[dict[str, Any]]] = {}
    for test in row["tests"]:
        if test["status"] != "passed":
            groups.setdefault(test["misconception"] or messages.gist(test["message"]), []).append(test)
    for tests in list(groups.values())[:most]:
        console.print()
        _show_group(assignment, tests, console)
    helped = sum(test["message"] == messages.STAND_IN for test in row["tests"])
    if helped and most is None:
        console.print()
        told = messages.STAND_IN_TESTS.format(tests=f"{helped} test{'s' * (helped != 1)}")
        indented(f"{MARKS['passed']} {assignment}: {told}", console, by=0, style=STYLES["passed"])


def _show_group(assignment: str, tests: list[dict[str, Any]], console: Console) -> None:
    first = tests[0]
    lost = sum(test["max_score"] - test["score"] for test in tests)
    heading = Text(f"{MARKS[first['status']]} {assignment}: ", style=STYLES[first["status"]])
    heading.append(readable(first), style="bold")
    heading.append(f" ({first['visibility']}, {messages.verdict(first)})")
    if len(tests) > 1:
        heading.append(f" and {len(tests) - 1} more")
    heading.append(f", −{lost:g} point{'s' * (lost != 1)}", style="dim")
    console.print(heading)
    indented(first["message"], console)
    if len(tests) > 1:
        others = ", ".join(readable(test) for test in tests[1:6])
        rest = f" and {len(tests) - 6} other{'s' * (len(tests) > 7)}" if len(tests) > 6 else ""
        indented(f"The same goes for: {others}{rest}", console, style="dim")


def indented(text: str, console: Console, by: int = 4, style: str = "") -> None:
    """Print text with a margin, wrapped to the terminal, and nothing behind its lines."""
    for line in Text(messages.printable(text), style=style).wrap(console, max(8, console.width - by)):
        line.rstrip()
        console.print(Text(" " * by) + line)


def readable(test: dict[str, Any]) -> str:
    """A test's name in words."""
    return messages.one_line(str(test["name"])).removeprefix("test_").replace("_", " ")
