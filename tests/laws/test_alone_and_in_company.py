"""A verdict is the same whether probes share a process or each has one to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import SOLUTIONS, load_course
from grader.diagnosis import load_misconceptions, mutate
from tests.support import without_timing

VARIANTS = Path(__file__).parent.parent / "variants"
PROGRAMS = {
    f"{assignment.name}-{name}": (assignment, source)
    for assignment in load_course()
    for name, source in [
        *((path.stem, path.read_text()) for path in sorted((VARIANTS / assignment.name).glob("*.py"))),
        *((wrong.id, mutate(assignment.name, wrong)) for wrong in load_misconceptions(assignment)),
    ]
}
SAMPLE = list(PROGRAMS)[::19]  # all of them in `make test-long`


def documents_differ(assignment, source, grade_own) -> bool:
    """Whether a program's document depends on how its probes are spread over processes."""
    files = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_text() for need in assignment.needs}
    together, alone = (
        grade_own({**files, assignment.file: source}, [assignment.name], alone=alone) for alone in (False, True)
    )
    for document in (together, alone):
        document["submission"] = "same"
    return without_timing(together) != without_timing(alone)


@pytest.mark.parametrize("name", SAMPLE)
def test_sampled_programs_get_the_same_document(name, grade_own):
    assert not documents_differ(*PROGRAMS[name], grade_own)


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
def test_all_programs_get_the_same_document(name, grade_own):
    assert not documents_differ(*PROGRAMS[name], grade_own)
