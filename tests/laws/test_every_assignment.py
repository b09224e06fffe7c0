"""Laws that hold for every assignment: what is handed out, what is graded, and what is known to be wrong."""

from __future__ import annotations

import ast
import re

import pytest

from grader.course import ROOT, SOLUTIONS, STARTER, load_course
from grader.diagnosis import load_misconceptions, mutate
from grader.release import make_stub
from tests.support import rows_of

COURSE = load_course()
MUTANTS = [(assignment, misconception) for assignment in COURSE for misconception in load_misconceptions(assignment)]
each_assignment = pytest.mark.parametrize("assignment", COURSE, ids=[a.name for a in COURSE])
each_mutant = pytest.mark.parametrize(("assignment", "misconception"), MUTANTS, ids=[m.id for _, m in MUTANTS])


def solution_files(assignment, source=None):
    """The submission that hands in one assignment, and the solutions of what it builds on."""
    files = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_text() for need in assignment.needs}
    return {**files, assignment.file: source or (SOLUTIONS / assignment.file).read_text()}


@each_assignment
def test_the_solution_earns_everything(assignment, grade_own, device):
    document = grade_own(solution_files(assignment), [assignment.name], device=device)
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}
    row = document["assignments"][0]
    assert row["score"] == assignment.points
    assert document["max_score"] == (0 if assignment.bonus else assignment.points)


@each_assignment
def test_the_stub_earns_nothing_and_says_what_is_missing(assignment, grade_own):
    files = [f"{name}.py" for name in (*assignment.needs, assignment.name)]
    document = grade_own({file: (STARTER / file).read_text() for file in files}, [assignment.name])
    assert document["score"] == 0
    for test in rows_of(document).values():
        assert "not implemented yet" in test["message"], test
        assert "Traceback" not in test["message"]


@each_assignment
def test_the_stub_is_what_the_solution_makes_now(assignment):
    source = (SOLUTIONS / assignment.file).read_text()
    assert (STARTER / assignment.file).read_text() == make_stub(source, assignment.name), "type: grader build"


@each_assignment
def test_every_task_of_the_stub_names_the_command_that_checks_it(assignment):
    tree = ast.parse((STARTER / assignment.file).read_text())
    raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    assert raised
    for node in raised:
        assert f"grader check -a {assignment.name}" in ast.unparse(node)
    mentioned = " ".join(ast.unparse(node) for node in raised)
    for name in assignment.names:
        assert f"{assignment.name}: write {name}" in mentioned


@each_assignment
def test_every_promise_stands_in_the_handout(assignment):
    handout = (assignment.folder / "handout.md").read_text()
    flowing = re.sub(r"\s+", " ", handout)
    for identifier, sentence in assignment.promises.items():
        assert re.sub(r"\s+", " ", sentence) in flowing, identifier


@each_assignment
def test_the_handout_has_its_parts(assignment):
    handout = (assignment.folder / "handout.md").read_text()
    headings = re.findall(r"^## (.+)$", handout, re.MULTILINE)
    assert headings == [
        "The idea",
        "The task",
        "The promise",
        "A worked example",
        "Check yourself",
        "Hints",
        "Further reading",
    ]
    assert handout.count("<details>") == handout.count("</details>") == 3
    assert f"grader check -a {assignment.name}" in handout
    assert f"{assignment.points:g} points" in handout


@each_assignment
def test_misconceptions_are_known_by_distinct_ids(assignment):
    known = load_misconceptions(assignment)
    assert len({misconception.id for misconception in known}) == len(known) >= 8
    for misconception in known:
        assert misconception.of in assignment.names
        assert len(misconception.says) > 60
        assert misconception.symptom


@each_mutant
def test_each_misconception_is_caught_and_named(assignment, misconception, grade_own, device):
    source = mutate(assignment.name, misconception)
    document = grade_own(solution_files(assignment, source), [assignment.name], device=device)
    failed = rows_of(document, "failed", "error", "timeout")
    assert any(test["visibility"] == "hidden" for test in failed.values()), "the hidden tests do not see it"
    if device == "cpu":  # elsewhere other numbers are drawn, and names are found by the numbers
        assert {test["misconception"] for test in failed.values()} == {misconception.same_as or misconception.id}
    assert document["complete"]


def test_the_points_of_the_course_are_one_hundred_at_most():
    assert sum(assignment.points for assignment in COURSE if not assignment.bonus) <= 100
    assert [assignment.order for assignment in COURSE] == sorted(a.order for a in COURSE)


def test_no_source_of_ours_holds_a_path_of_somebodys_machine():
    for path in [*ROOT.glob("assignments/**/*"), *ROOT.glob("solutions/*"), *ROOT.glob("starter/*")]:
        if path.is_file() and path.suffix in (".py", ".md", ".toml"):
            assert not re.search(r"/(home|root|work|Users)/\w", path.read_text()), path
