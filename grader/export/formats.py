"""The registry: which formats there are, and what writes each.

A format writes one document, or a whole class, or both. Those for gradebooks fill in the file that the
learning platform gives out, and say whom they could not place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grader.documents import as_json
from grader.export import actions, canvas, gradescope, junit, moodle, plain
from grader.export.gradebook import Filled, GradebookError

Document = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """`one` writes a document, `many` a class, `files` a class as one file a submission, `fill` a gradebook."""

    name: str
    what: str
    one: Callable[[Document], str] | None = None
    many: Callable[[Sequence[Document]], str] | None = None
    files: str = ""  # the ending of the files, where a class is written as one each
    fill: Callable[[Sequence[Document], str, str | None], Filled] | None = None


FORMATS = {
    form.name: form
    for form in (
        Format("json", "the result documents", as_json, plain.class_json),
        Format("csv", "a row for each submission", lambda document: plain.csv_scores([document]), plain.csv_scores),
        Format("csv-tests", "a row for each test", lambda document: plain.csv_tests([document]), plain.csv_tests),
        Format("gradescope", "Gradescope's results.json", gradescope.results, files=".json"),
        Format(
            "junit", "JUnit XML, hidden tests by their names", lambda document: junit.report([document]), junit.report
        ),
        Format(
            "github-summary",
            "Markdown for $GITHUB_STEP_SUMMARY",
            lambda document: actions.summary([document]),
            actions.summary,
        ),
        Format(
            "github-annotations",
            "a log for GitHub Actions with annotations",
            lambda document: actions.log([document]),
            actions.log,
        ),
        Format("canvas", "a gradebook for Canvas to import", fill=canvas.fill),
        Format("moodle", "a grading worksheet for Moodle to import", fill=moodle.fill),
    )
}

__all__ = ["FORMATS", "Filled", "Format", "GradebookError"]
