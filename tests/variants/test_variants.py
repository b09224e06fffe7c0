"""Correct programs pass, whatever their style: every file `NAME/STYLE.py` here earns full marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import SOLUTIONS, load_course
from tests.support import rows_of

HERE = Path(__file__).parent
VARIANTS = [
    (assignment, path) for assignment in load_course() for path in sorted((HERE / assignment.name).glob("*.py"))
]


@pytest.mark.parametrize(("assignment", "path"), VARIANTS, ids=[f"{p.parent.name}-{p.stem}" for _, p in VARIANTS])
def test_a_correct_program_passes_whatever_its_style(assignment, path, grade_own):
    files = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_text() for need in assignment.needs}
    document = grade_own({**files, assignment.file: path.read_text()}, [assignment.name])
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}
    assert document["assignments"][0]["score"] == assignment.points


def test_every_assignment_has_variants():
    for assignment in load_course():
        assert len([path for own, path in VARIANTS if own is assignment]) >= 3, assignment.name
