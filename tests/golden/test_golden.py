"""The messages are those that were read through: a change of one is seen here, and renewed by a command."""

from __future__ import annotations

import re

import pytest

from grader.course import load_course
from grader.diagnosis import load_misconceptions
from tests.golden import errors, texts

RENEW = "read the difference as a student would; if it is meant: python -m tests.golden"
CASES = [(assignment, name) for assignment in load_course() for name in texts.names_of(assignment)]
SAME_IN_PUBLIC = {
    "beam-stops-when-the-best-ends": "beam-stops-by-present-length",
    "train-retain-graph": "train-not-detached",
    "text-states-of-the-seed": "text-without-states",
    "text-seed-without-states": "text-without-states",
    "beam-length-penalty-multiplies": "beam-no-length-penalty",
    "beam-divides-every-step": "beam-end-not-counted-in-length",
    "beam-finished-compete": "beam-finished-hold-places",
    "greedy-only-first-row-ends": "greedy-first-end-ends-all",
    "fast-backward-by-autograd": "fast-weight-gradient-at-every-step",
}
EVERY = 23  # a sample that meets every assignment


@pytest.mark.parametrize("assignment", load_course(), ids=lambda assignment: assignment.name)
def test_there_is_a_text_of_every_mistake(assignment):
    assert list(texts.read(texts.path_of(assignment))) == texts.names_of(assignment), RENEW


def _holds(assignment, name, sandbox):
    golden = texts.read(texts.path_of(assignment))[name]
    assert texts.comparable(texts.text_of(assignment, name, sandbox)) == texts.comparable(golden), RENEW


@pytest.mark.parametrize(("assignment", "name"), CASES[::EVERY], ids=[f"{a.name}-{n}" for a, n in CASES[::EVERY]])
def test_a_text_is_what_it_was(assignment, name, trusted_sandbox):
    _holds(assignment, name, trusted_sandbox)


@pytest.mark.long
@pytest.mark.parametrize(("assignment", "name"), CASES, ids=[f"{a.name}-{n}" for a, n in CASES])
def test_every_text_is_what_it_was(assignment, name, trusted_sandbox):
    _holds(assignment, name, trusted_sandbox)


def test_the_errors_are_explained_as_they_were():
    assert texts.read(errors.PATH) == dict(errors.explained()), RENEW


@pytest.mark.parametrize("assignment", load_course(), ids=lambda assignment: assignment.name)
def test_each_failure_has_its_parts_in_their_order(assignment):
    for name, text in texts.read(texts.path_of(assignment)).items():
        for told in re.split(r"^✗ ", text, flags=re.MULTILINE)[1:]:
            parts = [part for part in ("Called: ", "Likely cause: ", "Next: ") if part in told]
            assert [told.index(part) for part in parts] == sorted(told.index(part) for part in parts), (name, told)
            assert told.count("Next: ") == 1, (name, told)
            assert "Called: " in told or name == texts.STUB, (name, told)
        assert max(map(len, text.splitlines())) <= texts.WIDTH


@pytest.mark.parametrize("assignment", load_course(), ids=lambda assignment: assignment.name)
def test_the_cause_that_is_told_is_the_mistakes_own(assignment):
    """Or that of another which replies the same to every public test: its words have to be true of both."""
    known = {misconception.id: misconception for misconception in load_misconceptions(assignment)}
    for name, text in texts.read(texts.path_of(assignment)).items():
        if name == texts.STUB or not text.strip():
            continue  # it has no cause, or hidden tests alone catch it
        told = known[SAME_IN_PUBLIC.get(name) or known[name].same_as or name].says
        assert f"Likely cause: {' '.join(told.split())} " in " ".join(text.split()), name


def test_a_change_of_words_is_seen():
    text = "c is off by up to 1.75, most at step 0"
    assert texts.comparable(text) == texts.comparable("c is off by up to 1.7512,\n most at step 0")
    assert texts.comparable(text) != texts.comparable(text.replace("step 0", "step 1"))
    assert texts.comparable(text) != texts.comparable(text.replace("most", "at most"))
