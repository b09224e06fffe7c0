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
    known = ("name", "email", "login", "sid", "late", "at") if any("handed_in" in each for each in documents) else ()
    rows: list[list[Any]] = [["submission", "score", "max_score", "complete", "isolation", *names, *known]]
    for document in documents:
        scores = {row["name"]: row["score"] for row in document["assignments"]}
        level = document["isolation"]["level"]
        complete = "true" if document["complete"] else "false"
        head = [document["submission"], document["score"], document["max_score"], complete, level]
        coming = _coming(document.get("handed_in") or {})
        rows.append([*head, *(scores.get(name) for name in names), *(coming[key] for key in known)])
    return write_csv(rows)


def _coming(told: dict[str, Any]) -> dict[str, str]:
    """Who handed in, and when; the members of a group are set apart by `; `."""
    students = told.get("students", [])
    found = {key: "; ".join(one.get(key, "") for one in students) for key in ("name", "email", "login", "sid")}
    return found | {"late": {True: "yes", False: "no", None: ""}[told.get("late")], "at": told.get("at") or ""}


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
