"""`grader release`: makes the students' bundle, writes it, and says what was handed out."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.course import CHOICES, SOLUTIONS, CourseError, chosen, own_choices
from grader.release.bundle import make_bundle
from grader.release.pack import PackError, form_of, refuse_taken, write_bundle


class ReleaseError(Exception):
    """No bundle can be made of what was asked; the message says why and what to do."""


def release(out: Path, options: Path | None, form: str | None) -> None:
    """Make the bundle of these options, or of the checkout's course.toml. Raises ReleaseError."""
    if not SOLUTIONS.is_dir():
        raise ReleaseError("this is a students' bundle itself: it has no solutions to make stubs of. Take a checkout")
    try:
        choices = own_choices(options)
    except CourseError as problem:
        raise ReleaseError(f"{problem}. Mend it, or leave --options out") from None
    assignments = chosen(choices)
    form = form_of(out, form)
    try:
        refuse_taken(out, form)
        print(f"Running every known mistake of {len(assignments)} assignments for its fingerprint.", file=sys.stderr)
        files = make_bundle(choices)
        write_bundle(files, out, form)
    except PackError as problem:
        raise ReleaseError(str(problem)) from None
    names = ", ".join(f"{assignment.name} ({assignment.points:g})" for assignment in assignments)
    print(f"{out} is ready to hand out: {len(files)} files, {sum(map(len, files.values())) / 2**20:.1f} MiB.")
    print(f"Assignments (points): {names}")
    if (choices.points or choices.assignments) and options is not None and not _is_own(options):
        print(
            f"Grading follows {CHOICES.name} at the top of the checkout. So that points agree: cp {options} {CHOICES}"
        )


def _is_own(options: Path) -> bool:
    return CHOICES.is_file() and CHOICES.read_bytes() == options.read_bytes()
