"""Correct programs pass, whatever their style: each `NAME/STYLE.py`, and each folder `NAME/STYLE/`, earns full marks.

A folder is a submission of several files. What an assignment builds on comes from the solutions, and
once more from the other variants: whole submissions in which no two parts are of one hand.
"""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import pytest

from grader.course import SOLUTIONS, load_course
from tests.support import rows_of

HERE = Path(__file__).parent
COURSE = load_course()
AT_LEAST = 80
WHOLE_SUBMISSIONS = 6  # in the ordinary run; every variant has its own test besides


def variants_of(assignment):
    """The files and folders below the assignment's name."""
    return sorted(
        path for path in (HERE / assignment.name).iterdir() if path.suffix == ".py" or any(path.glob("**/*.py"))
    )


def files_of(assignment, path):
    """A variant as the files of a submission."""
    if path.is_file():
        return {assignment.file: path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.glob("**/*.py"))}


VARIANTS = [(assignment, path) for assignment in COURSE for path in variants_of(assignment)]


@pytest.mark.parametrize(("assignment", "path"), VARIANTS, ids=[f"{p.parent.name}-{p.stem}" for _, p in VARIANTS])
def test_a_correct_program_passes_whatever_its_style(assignment, path, grade_own, device):
    needed = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_bytes() for need in assignment.needs}
    document = grade_own({**needed, **files_of(assignment, path)}, [assignment.name], device=device)
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}
    assert document["assignments"][0]["score"] == assignment.points


@pytest.mark.parametrize("number", range(WHOLE_SUBMISSIONS))
def test_a_submission_of_many_hands_passes(number, grade_own, device):
    # Of each assignment another variant and, with the number, another seed of the inputs.
    files = {}
    for assignment in COURSE:
        variant = next(islice(cycle(variants_of(assignment)), 2 * number, None))
        files |= files_of(assignment, variant)
    document = grade_own(files, [assignment.name for assignment in COURSE], seed=number, device=device)
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}
    assert all("stand-in" not in row["message"] for row in rows_of(document).values())
    assert document["score"] == sum(assignment.points for assignment in COURSE)


def test_there_are_many_variants_of_every_assignment():
    assert len(VARIANTS) >= AT_LEAST
    for assignment in COURSE:
        assert len(variants_of(assignment)) >= 6, assignment.name
