"""Gradescope's `results.json`, version of its documentation of January 2025.

A public test is `visible`; a hidden one `after_published`, for `hidden` is meant for tests that carry no
points, and students would never see their total. Until grades are published, Gradescope shows no total.
"""

from __future__ import annotations

from typing import Any

from grader.documents import as_json, for_student

VISIBILITY = {"public": "visible", "hidden": "after_published"}


def results(document: dict[str, Any]) -> str:
    """One submission's `results.json`, in which hidden tests have numbers for names."""
    document = for_student(document)
    found: dict[str, Any] = {
        "score": document["score"],
        "output": _whole(document),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            _test(row, test, f"{place}.{number}")
            for place, row in enumerate(document["assignments"], 1)
            for number, test in enumerate(row["tests"], 1)
        ],
    }
    if document.get("duration_s"):
        found["execution_time"] = document["duration_s"]
    return as_json(found)


def _test(row: dict[str, Any], test: dict[str, Any], number: str) -> dict[str, Any]:
    name = test["name"].removeprefix("test_").replace("_", " ")
    return {
        "name": f"{row['name']}: {name}",
        "number": number,
        "score": test["score"],
        "max_score": test["max_score"],
        "status": "passed" if test["status"] == "passed" else "failed",
        "output": test["message"],
        "visibility": VISIBILITY[test["visibility"]],
        "tags": [row["name"], *(["bonus"] if "bonus" in row else [])],
        "extra_data": {"status": test["status"]},
    }


def _whole(document: dict[str, Any]) -> str:
    lines = [f"{document['score']:g} of {document['max_score']:g} points"]
    if not document["complete"]:
        lines = ["The grader itself failed in places, so this is no grade yet. Please tell your instructor."]
    return "\n".join([*lines, *document.get("notes", [])])
