"""For GitHub Actions: a step summary in Markdown, and a log with annotations.

A summary over 1 MiB is dropped whole, so ours ends well before. A step shows ten errors, so ten are
given. Students see both, so hidden tests have numbers for names. What a student wrote stands in the log
between stop-commands, and in the summary as text.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from grader.documents import for_student
from grader.export.escape import html_text, markdown_text, workflow_log, workflow_message, workflow_property
from grader.export.terminal import show_document
from grader.messages import disarm, one_line, printable, verdict

SUMMARY_LIMIT = 900 * 1024  # bytes
ANNOTATIONS = 10
ANNOTATION_LIMIT = 1000  # characters of a message
WIDTH = 100
CUT = "\n<p>The rest is left out: a summary may not be longer. The result documents have all of it.</p>\n"


def summary(documents: Sequence[dict[str, Any]]) -> str:
    """Points in one table, then what failed, folded away. HTML inside Markdown, without an empty line in it."""
    documents = [for_student(document) for document in documents]
    one = documents[0] if len(documents) == 1 else None
    head = _table(one) if one else _class_table(documents)
    parts = [f"## {_cell(one['submission'])}\n\n" if one else "## Class\n\n"]
    size = len(parts[0]) + len(CUT.encode())
    for part in [*head, *(detail for document in documents for detail in _details(document, one is None))]:
        size += len(part.encode())
        if size > SUMMARY_LIMIT:
            return "".join([*parts, CUT])
        parts.append(part)
    return "".join(parts)


def log(documents: Sequence[dict[str, Any]]) -> str:
    """The result as a log, fenced, then an error for each of the first ten failures and a notice of the points."""
    documents = [for_student(document) for document in documents]
    shown = io.StringIO()
    for document in documents:
        show_document(document, _plain_console(shown))
    lines = [workflow_log(disarm(shown.getvalue()))]
    failures = [
        (document, row, test)
        for document in documents
        for row in document["assignments"]
        for test in row["tests"]
        if test["status"] != "passed"
    ]
    for document, row, test in failures[:ANNOTATIONS]:
        title = f"{document['submission']}: {row['name']}: {test['name']} ({test['status']})"
        lines.append(_command("error", title, printable(test["message"])[:ANNOTATION_LIMIT]))
    for document in documents[:ANNOTATIONS]:
        says = f"{document['score']:g} of {document['max_score']:g} points"
        if not document["complete"]:
            says = f"no grade yet, for the grader itself failed in places; so far {says}"
        lines.append(_command("notice", f"Graded: {document['submission']}", says))
    return "".join(lines)


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={workflow_property(disarm(one_line(title)))}::{workflow_message(disarm(message))}\n"


def _table(document: dict[str, Any]) -> list[str]:
    rows = []
    for row in document["assignments"]:
        passed = sum(test["status"] == "passed" for test in row["tests"])
        most = row["max_score"] or row.get("bonus", 0.0)
        points = f"{row['score']:g} of {most:g}" + (" bonus" if "bonus" in row else "")
        rows.append((row["name"], points, f"{passed} of {len(row['tests'])}"))
    says = f"<p><b>{document['score']:g} of {document['max_score']:g} points</b>"
    says += "" if document["complete"] else ", and no grade yet: the grader itself failed in places"
    notes = [f"<p>Note: {_cell(note)}</p>\n\n" for note in document.get("notes", [])]
    return [*_html_table(("assignment", "points", "tests passed"), rows), f"{says}</p>\n\n", *notes]


def _class_table(documents: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            document["submission"],
            f"{document['score']:g} of {document['max_score']:g}" if document["complete"] else "no verdict",
            str(sum(test["status"] != "passed" for row in document["assignments"] for test in row["tests"])),
        )
        for document in documents
    ]
    return _html_table(("submission", "points", "tests not passed"), rows)


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    heading = "".join(f"<th>{_cell(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return [f"<table>\n<tr>{heading}</tr>\n{lines}</table>\n\n"]


def _details(document: dict[str, Any], named: bool) -> list[str]:
    found = []
    for row in document["assignments"]:
        failed = [test for test in row["tests"] if test["status"] != "passed"]
        if failed:
            who = f"{_cell(document['submission'])}, " if named else ""
            body = "".join(
                f"<p><b>{_cell(test['name'])}</b> ({test['visibility']}, {verdict(test)})</p>\n"
                f"<pre>{_block(test['message'])}</pre>\n"
                for test in failed
            )
            title = f"{who}{_cell(row['name'])}: {len(failed)} not passed"
            found.append(f"<details><summary>{title}</summary>\n{body}</details>\n\n")
    return found


def _cell(text: str) -> str:
    """One line of text in HTML in which Markdown sees nothing of its own either."""
    return markdown_text(disarm(one_line(text)))


def _block(text: str) -> str:
    """Text for `<pre>`; a line break is written as a reference, for an empty line would end the HTML."""
    return html_text(disarm(printable(text))).replace("\n", "&#10;")


def _plain_console(stream: io.StringIO) -> Any:
    from rich.console import Console

    return Console(file=stream, width=WIDTH, highlight=False, emoji=False, markup=False, no_color=True)
