"""Plain CSV and JSON, for spreadsheets and programs of one's own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from grader.documents import as_json
from grader.export.escape import csv_cell

Document = dict[str, Any]


def class_json(documents: Sequence[Document]) -> str:
    """`{"schema_version": 1, "documents": […]}`."""
    return as_json({"schema_version": 1, "documents": list(documents)})


def csv_scores(documents: Sequence[Document]) -> str:
    """A row a submission, a column an assignment; an assignment that was not graded is left blank."""
    names = list(dict.fromkeys(row["name"] for document in documents for row in document["assignments"]))
    rows: list[list[Any]] = [["submission", "score", "max_score", "complete", "isolation", *names]]
    for document in documents:
        scores = {row["name"]: row["score"] for row in document["assignments"]}
        level = document["isolation"]["level"]
        complete = "true" if document["complete"] else "false"
        head = [document["submission"], document["score"], document["max_score"], complete, level]
        rows.append([*head, *(scores.get(name) for name in names)])
    return write_csv(rows)


def csv_tests(documents: Sequence[Document]) -> str:
    """A row a test of each submission, with its message."""
    columns = ("name", "visibility", "status", "score", "max_score", "misconception", "message")
    rows: list[list[Any]] = [["submission", "assignment", *columns]]
    for document in documents:
        for row in document["assignments"]:
            for test in row["tests"]:
                rows.append([document["submission"], row["name"], *(test.get(column) for column in columns)])
    return write_csv(rows)


def write_csv(rows: Sequence[Sequence[str | float | None]]) -> str:
    """Rows as CSV in which no cell is a formula."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
