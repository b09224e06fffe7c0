"""A grading worksheet for Moodle: the one that was downloaded, with grades filled in and all else kept.

The importer goes by Identifier, Grade and `Last modified (grade)`; those cells, and feedback, stay as
they came but for the grades. Headings in another language than English are not understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from grader.export.escape import csv_cell
from grader.export.gradebook import Filled, GradebookError, claims, doubt_about, parse, place, points, write

NEEDED = ("identifier", "grade", "last modified (grade)")
KEYS = ("id number", "email address", "full name")  # in order of trust
READ_BACK = ("identifier", "grade", "last modified", "feedback", "maximum grade")
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
    said = [claims(document, "moodle", _HANDED_OUT) for document in documents]
    numbers = [row[identifier].rpartition(" ")[2] for row in students]
    rows, left_out = place(documents, [[row[key] for key in keys] for row in students], said, numbers)
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
