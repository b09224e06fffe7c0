"""A class is graded again when the course chooses otherwise."""

from __future__ import annotations

from grader.classroom.ledger import course_digest
from grader.course import ROOT, select


def test_what_the_course_chooses_is_part_of_what_a_grade_depends_on(monkeypatch):
    before = course_digest(select(["cells"]))
    monkeypatch.setattr("grader.classroom.ledger.CHOICES", ROOT / "pyproject.toml")  # any file: there is no course.toml
    assert course_digest(select(["cells"])) != before
