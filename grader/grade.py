"""One submission from path to result document: intake, sandbox, suites, document."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.intake import Submission, receive
from grader.messages import NEXT, NEXT_WHEN_GRADED
from grader.options import GradeOptions
from grader.result import build_document
from grader.sandbox import Sandbox
from grader.suite.plugin import Outcome
from grader.suite.run import run_suites


@dataclass(frozen=True)
class Graded:
    """The document, accounts of the grader's own errors for the instructor, and what was read."""

    document: dict[str, Any]
    grader_errors: list[str]
    submission: Submission


def grade(
    path: Path,
    options: GradeOptions,
    sandbox: Sandbox,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Graded:
    """Grade the submission at `path` in a started sandbox."""
    started = time.perf_counter()
    submission = receive(path, options.assignments)
    with sandbox.compartment() as compartment:
        report = run_suites(
            options.assignments,
            submission,
            compartment,
            seed=options.seed,
            device=options.device,
            hidden=options.hidden,
            alone=options.alone,
            progress=progress,
        )
    document = build_document(
        submission,
        options.assignments,
        report.outcomes,
        sandbox,
        device=options.device,
        duration_s=0.0,
        steps=NEXT_WHEN_GRADED if options.hidden else NEXT,
    )
    document["duration_s"] = round(time.perf_counter() - started, 3)
    return Graded(document, report.grader_errors, submission)
