"""A gradebook for Canvas: its own export with the one column that was graded, and only who was graded.

An unknown title would make a new assignment and a blank cell may clear a grade, so the column must be in
the export, and students without a grade are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grader.export.escape import csv_cell
from grader.export.gradebook import Filled, GradebookError, claims, doubt_about, parse, place, points, write

KEYS = ("SIS Login ID", "SIS User ID", "ID")  # in order of trust
_HANDED_OUT = re.compile(r"(?=_(\d+)_(?:\d+_.|text$|link$))")  # `doejane_LATE_123_456_hw1`: the user is 123
_ASSIGNMENT = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")
_COMMA = re.compile(r"\d+,\d+")


def fill(documents: Sequence[dict[str, Any]], text: str, column: str | None) -> Filled:
    """The file to import. Raises GradebookError."""
    table = parse(text)
    head = table.rows[0]
    named = 2 if head[:2] == ["LastName", "FirstName"] else 1  # columns before the number, as the teacher chose
    if (
        "Section" not in head
        or len(head) < 3 + named
        or head[named] != "ID"
        or (named == 1 and "Student" not in head[0])
    ):
        raise GradebookError("this is no gradebook of Canvas: that begins Student, ID, … Section. Export it anew.")
    if named == 2:
        table = replace(table, bom=False)  # behind one, Canvas does not know LastName again
    info = head.index("Section") + 1
    graded = _column(head, info, column)
    start = next((line for line, row in enumerate(table.rows) if row[0].strip().startswith("Points Possible")), None)
    if start is None:
        raise GradebookError("the gradebook has no row Points Possible. Export it again and leave it as it comes.")
    possible, students = table.rows[start], table.rows[start + 1 :]
    trusted = [head.index(key) for key in KEYS if key in head[:info]]
    ids = [[row[place] for place in trusted] for row in students]
    called = [_called(row[:named]) for row in students]
    said = [claims(document, "canvas", _HANDED_OUT) for document in documents]
    rows, left_out = place(documents, ids, called, said, [row[named] for row in students])
    comma = any(_COMMA.fullmatch(cell) for row in table.rows[start:] for cell in row[info:])
    out = [[*head[:info], head[graded]], [*possible[:info], possible[graded]]]
    for line in sorted(rows):
        row = students[line]
        out.append([*(str(csv_cell(cell)) for cell in row[:named]), *row[named:info], points(rows[line], comma)])
    doubt = doubt_about(documents, possible[graded], f"the column {head[graded]!r}")
    return Filled(write(table, out), len(rows), left_out, doubt)


def _column(head: list[str], info: int, asked: str | None) -> int:
    """The place of the assignment's column: by its heading, its title or its id; the only one, if none is asked for."""
    there = {at: match for at in range(info, len(head)) if (match := _ASSIGNMENT.fullmatch(head[at]))}
    titles = ", ".join(repr(head[at]) for at in there) or "none"
    wanted = [at for at, match in there.items() if asked in (None, head[at], match["title"], match["id"])]
    if len(wanted) != 1:
        which = "Say which with --column" if asked is None else f"--column {asked!r} is none, or several, of them"
        raise GradebookError(f"the assignments in this gradebook: {titles}. {which}.")
    return wanted[0]


def _called(cells: Sequence[str]) -> list[str]:
    """What a student may be called: `Doe, Jane`, in one cell or in two, and `Jane Doe`."""
    if len(cells) == 2:
        last, first = cells
        return [f"{last}, {first}", f"{first} {last}"]
    last, comma, first = cells[0].partition(", ")
    return [cells[0], f"{first} {last}" if comma else ""]
