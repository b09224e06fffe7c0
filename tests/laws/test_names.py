"""Names don't lie: a known mistake is named whoever made it, and what is merely wrong is given no name.

The ordinary run takes a sample; `make test-names` takes all known mistakes.
"""

from __future__ import annotations

import os

import pytest

from grader.course import SOLUTIONS, load_course
from grader.diagnosis import load_misconceptions, mutate
from tests.laws.another_hand import rewrite
from tests.support import rows_of

EVERY = bool(os.environ.get("EVERY_NAME"))
SAMPLED = 12  # one in so many of the known mistakes
COURSE = load_course()
KNOWN = [(assignment, misconception) for assignment in COURSE for misconception in load_misconceptions(assignment)]
SAMPLE = KNOWN if EVERY else KNOWN[::SAMPLED]
each_assignment = pytest.mark.parametrize("assignment", COURSE, ids=[a.name for a in COURSE])
each_sampled = pytest.mark.parametrize(("assignment", "misconception"), SAMPLE, ids=[m.id for _, m in SAMPLE])


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


@each_sampled
def test_a_known_mistake_is_named_whoever_made_it(assignment, misconception, grade_own):
    source = rewrite(mutate(assignment.name, misconception), assignment.names)
    document = grade_own(files_of(assignment, source), [assignment.name])
    named = {row["misconception"] for row in rows_of(document, "failed", "error", "timeout").values()}
    right = misconception.same_as or misconception.id
    assert right in named
    assert named <= {right, None}, "another mistake was named"


# Wrong programs that are no known mistake. Each is the solution with one of its names wrapped, so that all
# its replies are wrong in a way that nothing on the list explains.
WRAPPED = """

import torch as _torch

_right_{name} = {name}


{wrapper}
"""
CELL = """class {name}(_right_{name}):
    def forward(self, *arguments):
        h, c = super().forward(*arguments)
        return {h}, {c}
"""
MODEL = """class {name}(_right_{name}):
    def forward(self, *arguments):
        logits, states = super().forward(*arguments)
        return {logits}, states
"""
FUNCTION = """def {name}(*arguments, **named):
    right = _right_{name}(*arguments, **named)
    return {result}
"""


def wrapped(assignment, name, wrapper, **parts):
    """The solution with `name` wrapped."""
    source = (SOLUTIONS / assignment.file).read_text()
    return source + WRAPPED.format(name=name, wrapper=wrapper.format(name=name, **parts))


def wrong_programs():
    """(label, assignment, source): programs that no misconception describes."""
    by_name = {assignment.name: assignment for assignment in COURSE}
    cells, lm = by_name["cells"], by_name["language_model"]
    numbers = {
        "random": "_torch.randn_like({0})",
        "zeros": "{0} * 0",
        "nearly": "{0} + 1e-3",
        "backwards": "{0}.flip(0, 1)",
        "transposed": "{0}.mT.reshape({0}.shape)",
        "nan": "{0} * float('nan')",
        "a constant": "_torch.full_like({0}, 0.5)",
        "of a tenth": "{0} * 0.1",
    }
    for label, formula in numbers.items():
        for name in cells.names:
            source = wrapped(cells, name, CELL, h=formula.format("h"), c=formula.format("c"))
            yield f"{name}: {label}", cells, source
        for name in lm.names:
            yield f"{name}: {label}", lm, wrapped(lm, name, MODEL, logits=formula.format("logits"))
    results = {
        "batching": {
            "build_vocab": ["({}, {})", "({c: i * 7 for c, i in right[0].items()}, right[1])"],
            "encode": ["right * 0", "right.flip(0)", "right + 1", "_torch.randint_like(right, 9)", "None"],
            "decode": ["'constant'", "right[::-1]", "''", "right.upper() + '!'", "None"],
            "create_batches": [
                "[(x * 0, y * 0) for x, y in right]",
                "[(x.flip(1), y.flip(1)) for x, y in right]",
                "[(_torch.randint_like(x, 99), _torch.randint_like(y, 99)) for x, y in right]",
                "list(right)[::-1]",
                "[]",
                "None",
            ],
        },
        "training": {"train": ["[0.0 for _ in right]", "[loss + 1e-2 for loss in right]", "right[::-1]", "None"]},
        "sampling": {
            "sample_next": ["0", "(right + 1) % len(arguments[0])", "len(arguments[0]) - 1 - right", "None"],
            "generate_text": ["'constant'", "right[::-1]", "right.swapcase() + '.'", "''", "None"],
        },
        "beam_search": {"beam_search": ["'constant'", "right[::-1]", "right + right[-1]", "''", "None"]},
    }
    for assignment_name, names in results.items():
        assignment = by_name[assignment_name]
        for name, formulas in names.items():
            for result in formulas:
                yield f"{name}: {result}", assignment, wrapped(assignment, name, FUNCTION, result=result)
    for assignment in COURSE:  # always an error, whatever is asked for
        for error in ("ValueError('no')", "RuntimeError('shapes cannot be multiplied')", "KeyError('q')"):
            source = (SOLUTIONS / assignment.file).read_text()
            kind = "class" if f"class {assignment.names[0]}" in source else "def"
            head = "class {0}:\n    def __init__(self, *_, **__):\n" if kind == "class" else "def {0}(*_, **__):\n"
            indent = "        " if kind == "class" else "    "
            thrown = "".join("\n\n" + head.format(name) + f"{indent}raise {error}\n" for name in assignment.names)
            yield f"{assignment.name}: {error}", assignment, source + thrown


WRONG = list(wrong_programs())
WRONG_SAMPLE = WRONG if EVERY else WRONG[::4]


@pytest.mark.parametrize(("label", "assignment", "source"), WRONG_SAMPLE, ids=[label for label, *_ in WRONG_SAMPLE])
def test_what_is_merely_wrong_is_given_no_name(label, assignment, source, grade_own):
    document = grade_own(files_of(assignment, source), [assignment.name])
    failed = rows_of(document, "failed", "error", "timeout")
    assert failed
    named = {test: row["misconception"] for test, row in failed.items() if row["misconception"]}
    assert named == {}
