"""`python -m tests.example_class`: grade the example class and hold the scores against its notes."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from grader.course import ROOT, load_course
from grader.export import show_document
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from grader.progress import console_for, counting
from tests.example_class.members import Member, make_members


def main() -> int:
    """Grade each member in a sandbox of its own; 1 if a score is not as predicted."""
    console = console_for(sys.stdout)
    summary = Table(box=None, pad_edge=False)
    for column in ("submission", "score", "predicted", "note"):
        summary.add_column(column)
    surprises = 0
    for member in make_members(ROOT / "build" / "example_class"):
        document = grade_member(member)
        show_document(document, console)
        console.rule(style="dim")
        score = document["score"]
        surprises += abs(score - member.predicted) > 1e-9
        summary.add_row(member.name, f"{score:g}", f"{member.predicted:g}", Text(member.note))
    console.print(summary)
    console.print(
        f"\nThe submissions lie in {Path('build', 'example_class')}. To grade your own: make grade SUBMISSION=path"
    )
    if surprises:
        print(f"{surprises} scores are not as predicted in tests/example_class/class.toml", file=sys.stderr)
    return 1 if surprises else 0


def grade_member(member: Member) -> dict:
    """The result document of one member."""
    options = GradeOptions(load_course())
    with start_sandbox(options) as sandbox, counting(options.assignments, sys.stderr) as progress:
        return grade(member.path, options, sandbox, progress).document


if __name__ == "__main__":
    raise SystemExit(main())
