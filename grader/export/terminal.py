"""The result on a terminal: points per assignment, then each failed test with what to do next.

Colour only repeats what words already say; rich leaves it out where NO_COLOR is set or the output
is no terminal. Everything shown of a submission has been cleaned when the document was built, and
is printed as plain text, never as markup.
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


def show_document(document: dict[str, Any], console: Console, *, hidden: int | None = None) -> None:
    """Print a result document. With `hidden`, the number of tests not run, it reads as a self-check."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("assignment")
    table.add_column("points", justify="right")
    table.add_column("tests", justify="right")
    for row in document["assignments"]:
        passed = sum(test["status"] == "passed" for test in row["tests"])
        most = row["max_score"] or row.get("bonus", 0.0)
        points = f"{row['score']:g} / {most:g}" + (" bonus" if "bonus" in row else "")
        table.add_row(row["name"], points, f"{passed} of {len(row['tests'])}")
    console.print(Text(document["submission"], style="bold"))
    console.print(Padding(table, (0, 0, 0, 2)))
    for row in document["assignments"]:
        _show_failures(row, console)
    if document.get("notes"):
        console.print()
    for note in document.get("notes", []):
        console.print(Text(f"  note: {note}", style="dim"))
    console.print()
    console.print(Text(_last_line(document, hidden), style="bold"))


def _last_line(document: dict[str, Any], hidden: int | None) -> str:
    total = f"{document['score']:g} of {document['max_score']:g} points"
    if hidden is None:
        unsure = "" if document["complete"] else "; the grader failed in places, so this is no grade yet"
        return f"{total} (isolation: {document['isolation']['level']}){unsure}"
    if all(test["status"] == "passed" for row in document["assignments"] for test in row["tests"]):
        return f"{total} of the public tests. {messages.ALL_PUBLIC_PASS.format(hidden=hidden)}"
    return f"{total} of the public tests; {hidden} hidden tests run when you hand in."


def _show_failures(row: dict[str, Any], console: Console) -> None:
    """The failed tests of one assignment; those with one and the same message are told together."""
    told: dict[str, list[dict[str, Any]]] = {}
    for test in row["tests"]:
        if test["status"] != "passed":
            told.setdefault(test["message"], []).append(test)
    if not told:
        return
    console.print()
    for message, tests in told.items():
        first = tests[0]
        heading = Text(f"{MARKS[first['status']]} {row['name']}: ", style=STYLES[first["status"]])
        heading.append(_names(tests), style="bold")
        lost = sum(test["max_score"] - test["score"] for test in tests)
        heading.append(f"  {first['visibility']}, {first['status']}, −{lost:g}", style="dim")
        console.print(heading)
        console.print(Padding(Text(message), (0, 0, 0, 4)))
    console.print(Text(messages.NEXT_CHECK.format(assignment=row["name"]), style="cyan"))


def _names(tests: list[dict[str, Any]]) -> str:
    names = [test["name"].removeprefix("test_").replace("_", " ") for test in tests]
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more"
