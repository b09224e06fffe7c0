"""Names don't lie: a known mistake is named whoever made it, and what is merely wrong is given no name.

The ordinary run takes a sample; `make test-names` takes every program.
"""

from __future__ import annotations

import pytest

from grader.course import SOLUTIONS, load_course
from grader.diagnosis import load_misconceptions, mutate
from tests.laws.another_hand import rewrite
from tests.laws.wrong_programs import wrong_programs
from tests.support import rows_of

SAMPLED, SAMPLED_WRONG = 12, 4  # one in so many is tried in the ordinary run
COURSE = load_course()
KNOWN = [(assignment, misconception) for assignment in COURSE for misconception in load_misconceptions(assignment)]
each_assignment = pytest.mark.parametrize("assignment", COURSE, ids=[a.name for a in COURSE])


def in_part(cases, one_in, label):
    """The cases as parameters; all but one in so many take long together."""
    for number, case in enumerate(cases):
        yield pytest.param(*case, id=label(case), marks=[pytest.mark.long] if number % one_in else [])


each_mistake = pytest.mark.parametrize(
    ("assignment", "misconception"), list(in_part(KNOWN, SAMPLED, lambda case: case[1].id))
)


def files_of(assignment, source):
    """A submission of one module and the solutions of what it builds on."""
    needed = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_text() for need in assignment.needs}
    return {**needed, assignment.file: source}


@each_assignment
def test_the_solution_in_another_hand_is_right(assignment, grade_own):
    source = (SOLUTIONS / assignment.file).read_text()
    other = rewrite(source, assignment.names)
    assert len(set(source.split("\n")) & set(other.split("\n"))) < len(source.split("\n")) * 0.6
    document = grade_own(files_of(assignment, other), [assignment.name])
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}


@each_mistake
def test_a_known_mistake_is_named_whoever_made_it(assignment, misconception, grade_own):
    source = rewrite(mutate(assignment.name, misconception), assignment.names)
    document = grade_own(files_of(assignment, source), [assignment.name])
    named = {row["misconception"] for row in rows_of(document, "failed", "error", "timeout").values()}
    right = misconception.same_as or misconception.id
    assert right in named
    assert named <= {right, None}, "another mistake was named"


@pytest.mark.parametrize(
    ("label", "assignment", "source"), list(in_part(wrong_programs(), SAMPLED_WRONG, lambda case: case[0]))
)
def test_what_is_merely_wrong_is_given_no_name(label, assignment, source, grade_own):
    document = grade_own(files_of(assignment, source), [assignment.name])
    failed = rows_of(document, "failed", "error", "timeout")
    assert failed
    named = {test: row["misconception"] for test, row in failed.items() if row["misconception"]}
    assert named == {}


def test_a_tie_broken_otherwise_refutes_no_name(grade_own):
    """A beam that begins as equal copies is greedy, and where all texts are equally good it may choose its own."""
    assignment = next(one for one in COURSE if one.name == "beam_search")
    source = (SOLUTIONS / assignment.file).read_text()
    start = "live, finished = [(0.0, [])], []"
    assert source.count(start) == 1
    copies = f"""logits = logits.repeat(beam_width, 1, 1)
    states = [(h.repeat(beam_width, 1), c.repeat(beam_width, 1)) for h, c in states]
    {start.replace("[(0.0, [])]", "[(0.0, [])] * beam_width")}"""
    document = grade_own(files_of(assignment, source.replace(start, copies)), [assignment.name])
    named = {row["misconception"] for row in rows_of(document, "failed", "error", "timeout").values()}
    assert "beam-greedy" in named
    assert named <= {"beam-greedy", None}
