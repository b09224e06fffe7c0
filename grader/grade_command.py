"""`grader grade` as a person sees it: one submission graded, shown, and written where asked."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.documents import as_json, percent, try_writing, write_whole
from grader.intake import IntakeError
from grader.messages import printable
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import SandboxError, below_the_floor, rank
from grader.status import BELOW, DONE, GRADER_FAILED, UNUSABLE, Stop
from grader.streams import put

Document = dict[str, Any]


def run(options: argparse.Namespace, path: Path, choice: GradeOptions) -> int:
    """Grade the submission at `path` and say how it went; returns the exit status. Raises Stop."""
    form = _format(options.format)
    destination = _destination(options, path)
    try:
        starting = start_sandbox(choice)
        from grader.export import show_document  # these need torch; the sandbox loads its own meanwhile
        from grader.grade import grade
        from grader.progress import console_for, counting

        with starting as sandbox:
            if rank(sandbox.level) < rank(options.require_isolation):
                raise Stop(GRADER_FAILED, below_the_floor(sandbox.level, options.require_isolation))
            with counting(choice.assignments, sys.stderr) as progress:
                graded = grade(path, choice, sandbox, progress)
    except SandboxError as problem:
        raise Stop(GRADER_FAILED, f"{problem}. Type: grader doctor") from None
    except IntakeError as problem:
        raise Stop(GRADER_FAILED, f"{problem}. No grade; try again.") from None
    document = graded.document
    for account in graded.grader_errors:
        print(f"grader: an error of the grader itself, not of the submission:\n{printable(account)}", file=sys.stderr)
    if destination == "-":
        put(as_json(document))
    elif destination is not None:
        write_whole(Path(destination), as_json(document))
    if form is not None:
        put(form(document))
    elif destination != "-":
        show_document(document, console_for(sys.stdout))
    if not document["complete"]:
        return GRADER_FAILED
    if options.min_score is not None and percent(document) < options.min_score - 1e-9:
        share = math.floor(10 * percent(document) + 1e-6) / 10  # 99.96 % is not 100.0 %
        print(f"grader: {share:.1f} % is below --min-score {options.min_score:g}.", file=sys.stderr)
        return BELOW
    return DONE


def _format(name: str) -> Callable[[Document], str] | None:
    """What writes one document in this format; None for the two that are always there. Raises Stop."""
    if name in ("text", "json"):
        return None
    from grader.export.formats import FORMATS

    if name not in FORMATS or FORMATS[name].one is None:
        known = ", ".join(["text", *(form.name for form in FORMATS.values() if form.one)])
        raise Stop(UNUSABLE, f"there is no format {name!r} for one submission. There are: {known}")
    return FORMATS[name].one


def _destination(options: argparse.Namespace, submission: Path) -> str | None:
    """Where the document goes: a path, "-" or nowhere. Tried before the grading, so that a bad path costs no time."""
    target: str | None = options.json
    if target == "-" and options.format not in ("text", "json"):
        raise Stop(UNUSABLE, f"--json - and --format {options.format} both want standard output. Give --json a file.")
    if options.format == "json" and target is None:
        target = "-"
    if target not in (None, "-"):
        target = os.path.realpath(str(target))
        try:
            try_writing(Path(target))
            if _is_part_of(Path(target), submission.resolve()):
                raise OSError(0, "it is part of what was handed in")
        except OSError as problem:
            raise Stop(UNUSABLE, f"{target} can't be written ({problem.strerror}). Give --json another file.") from None
    return target


def _is_part_of(target: Path, submission: Path) -> bool:
    """Whether this file was handed in: it is there, and neither empty nor a document of an earlier grading."""
    if not target.exists() or submission not in (target, *target.parents):
        return False
    with target.open("rb") as file:
        head = file.read(100)
    return target == submission or target.suffix == ".py" or (bool(head) and b'"schema_version"' not in head)
