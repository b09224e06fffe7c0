"""A grading worksheet for Moodle: the one that was downloaded, with grades filled in and all else kept.

The importer goes by Identifier, Grade and `Last modified (grade)`; those cells, and feedback, stay as
they came but for the grades. A team's number is no participant's, so the names beside numbers have to agree.
Headings in another language than English are not understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grader.export.escape import csv_cell
from grader.export.gradebook import (
    Claim,
    Filled,
    GradebookError,
    claims,
    doubt_about,
    parse,
    place,
    points,
    same,
    write,
)

NEEDED = ("identifier", "grade", "last modified (grade)")
KEYS = ("id number", "email address")  # in order of trust
NAME = "full name"
READ_BACK = ("identifier", "grade", "last modified", "feedback", "maximum grade")
NOBODY = "Participant"  # everybody's name where names are hidden
_HANDED_OUT = re.compile(r"(?=_(\d+)_assignsubmission_(?:file|onlinetext))")  # `Jane Doe_1234_assignsubmission_file`


def fill(documents: Sequence[dict[str, Any]], text: str, column: str | None) -> Filled:
    """The worksheet to import. Raises GradebookError."""
    if column is not None:
        raise GradebookError("a worksheet of Moodle has one column for grades. Leave --column out.")
    table = parse(text)
    head = [title.strip().lower() for title in table.rows[0]]
    missing = [title for title in NEEDED if title not in head]
    if missing:
        raise GradebookError(
            f"the worksheet has no column {missing[0]!r}. Download it with Moodle's language set to English."
        )
    identifier, grade = head.index("identifier"), head.index("grade")
    students = table.rows[1:]
    keys = [head.index(key) for key in KEYS if key in head]
    numbers = [row[identifier].rpartition(" ")[2] for row in students]
    called = [row[head.index(NAME)] if NAME in head else "" for row in students]
    said = [_claims(document, dict(zip(numbers, called))) for document in documents]
    ids = [[row[key] for key in keys] for row in students]
    rows, left_out = place(documents, ids, [[name] for name in called], said, numbers)
    most = students[0][head.index("maximum grade")] if students and "maximum grade" in head else ""
    comma = "," in most
    out = []
    for line, row in enumerate(students):
        kept = [cell if title.startswith(READ_BACK) else str(csv_cell(cell)) for title, cell in zip(head, row)]
        if line in rows:
            kept[grade] = points(rows[line], comma)
        out.append(kept)
    doubt = doubt_about(documents, most, "the worksheet")
    return Filled(write(table, [table.rows[0], *out]), len(rows), left_out, doubt)


def _claims(document: dict[str, Any], names: dict[str, str]) -> list[Claim]:
    """Whose a document is. A number counts only if the name beside it agrees: a team's is no participant's."""
    told = document.get("handed_in", {}).get("students")
    name = document["submission"].partition("_assignsubmission_")[0].rpartition("_")[0]
    called = [one.get("name", "") for one in told] if told else [name if name != NOBODY else ""]
    return [
        replace(claim, numbers=[number for number in claim.numbers if _agrees(name, names.get(number, ""))])
        for claim, name in zip(claims(document, "moodle", _HANDED_OUT), called, strict=True)
    ]


def _agrees(name: str, full_name: str) -> bool:
    """Whether they may be one person's, as far as names are known; `Team A-Jane Doe` may be Jane Doe."""
    if not name.strip() or not full_name.strip():
        return True
    ours, theirs = (re.sub(r"\W", "", same(one)) for one in (name, full_name))
    return ours.endswith(theirs)
