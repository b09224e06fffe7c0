"""`grader export`: a class in one format, to a file, a folder or standard output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.documents import file_stem, write_whole
from grader.export.formats import FORMATS, Filled, Format, GradebookError
from grader.export.gradebook import read_gradebook
from grader.messages import one_line
from grader.streams import put

Document = dict[str, Any]
SHOWN = 20


class ExportError(Exception):
    """Nothing was written; one line says why and what to do."""


def export(documents: Sequence[Document], options: argparse.Namespace) -> None:
    """Write the class as the options say. Raises ExportError."""
    form = FORMATS[options.format]
    if options.out is not None and _is_of_batch(options.out.resolve(), options.path.resolve()):
        raise ExportError(f"{options.out} is part of the class itself. Give --out another name.")
    if options.assignment:
        documents = [_only(document, options.assignment) for document in documents]
    if form.fill is None and (options.gradebook or options.column):
        raise ExportError(f"--gradebook and --column are for canvas and moodle; {form.name} needs neither.")
    try:
        if form.fill is not None:
            _fill(form, documents, options)
        elif form.many is not None:
            _write(form.many(documents), options.out)
        else:
            _write_each(form, documents, options.out)
    except OSError as problem:
        if options.out is None:
            raise
        raise ExportError(f"{options.out} can't be written ({problem.strerror}). Give --out another name.") from None


def _is_of_batch(target: Path, folder: Path) -> bool:
    """Whether writing there would overwrite what this is exported from."""
    own = [folder / name for name in ("documents", "ledger.sqlite", "summary.csv")]
    return any(place in (target, *target.parents) for place in own)


def _fill(form: Format, documents: Sequence[Document], options: argparse.Namespace) -> None:
    assert form.fill is not None
    if options.gradebook is None:
        raise ExportError(f"{form.name} needs the file to fill in: export it from the course, give it as --gradebook.")
    if options.out is not None and options.out.resolve() == options.gradebook.resolve():
        raise ExportError(f"{options.out} is the gradebook itself, which you may need again. Give --out another name.")
    try:
        filled = form.fill(documents, read_gradebook(options.gradebook), options.column)
    except GradebookError as problem:
        raise ExportError(str(problem)) from None
    _write(filled.text, options.out)
    _tell(filled)


def _tell(filled: Filled) -> None:
    """Say on standard error who has no grade in the file, and what to look at."""
    for account in filled.left_out[:SHOWN]:
        _say(f"not in the file: {account}")
    if len(filled.left_out) > SHOWN:
        _say(f"not in the file: {len(filled.left_out) - SHOWN} more")
    if filled.doubt:
        _say(f"look before you import: {filled.doubt}.")
    _say(f"{filled.grades} grades are in the file.")


def _write(text: str, out: Path | None) -> None:
    if out is None:
        put(text)
        return
    write_whole(out, text)


def _write_each(form: Format, documents: Sequence[Document], out: Path | None) -> None:
    assert form.one is not None
    if out is None:
        if len(documents) > 1:
            raise ExportError(f"{form.name} is one file a submission. Say which folder they go to with --out.")
        put(form.one(documents[0]))
        return
    out.mkdir(parents=True, exist_ok=True)
    for document in documents:
        _write(form.one(document), out / f"{file_stem(document['submission'])}{form.files}")


def _only(document: Document, assignment: str) -> Document:
    """The document as if only this assignment had been graded. Raises ExportError."""
    rows = [row for row in document["assignments"] if row["name"] == assignment]
    if not rows:
        known = ", ".join(row["name"] for row in document["assignments"])
        raise ExportError(f"{document['submission']} was not graded in {assignment!r}. There are: {known}")
    complete = all(test["status"] != "grader-error" for test in rows[0]["tests"])
    sums = {"score": rows[0]["score"], "max_score": rows[0]["max_score"]}
    return {**document, **sums, "complete": document["complete"] and complete, "assignments": rows}


def _say(text: str) -> None:
    print(f"grader: {one_line(text)}", file=sys.stderr)
