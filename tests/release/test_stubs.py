"""Stubs: what is marked goes, what is not stays, and marks that do not balance are refused by line."""

from __future__ import annotations

import ast

import pytest

from grader.release import StubError, make_stub

SOURCE = '''"""A module."""

import math

# BEGIN SOLUTION NO PROMPT
SECRET = 42


def helper():
    return SECRET


# END SOLUTION


def area(r):
    """The area."""
    # BEGIN SOLUTION
    return math.pi * r * r
    # END SOLUTION


class Shape:
    def size(self):
        """Its size."""
        kept = 1
        # BEGIN SOLUTION
        return helper() + kept
        # END SOLUTION
'''


def test_the_marked_lines_go_and_the_rest_stays():
    stub = make_stub(SOURCE, "shapes")
    for gone in ("SECRET", "helper", "math.pi", "SOLUTION"):
        assert gone not in stub
    for kept in ('"""The area."""', "kept = 1", "import math"):
        assert kept in stub
    names = [ast.unparse(node) for node in ast.walk(ast.parse(stub)) if isinstance(node, ast.Raise)]
    assert ["shapes: write area" in names[0], "shapes: write Shape.size" in names[1]] == [True, True]
    assert all("grader check -a shapes" in name for name in names)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("    # END SOLUTION\n\n\nclass", "\n\n\nclass", "begins inside another"),
        ("    # BEGIN SOLUTION\n    return math", "    return math", "ends that never began"),
        ("        # END SOLUTION\n", "", "never ends"),
        ("# BEGIN SOLUTION NO PROMPT\nSECRET", "# BEGIN SOLUTION\nSECRET", "outside any function"),
        ("    # BEGIN SOLUTION\n    return math", "    # BEGIN SOLUTOIN\n    return math", "unknown mark"),
    ],
)
def test_marks_that_do_not_balance(old, new, line):
    assert old in SOURCE
    with pytest.raises(StubError, match=rf"line \d+.*{line}"):
        make_stub(SOURCE.replace(old, new, 1), "shapes")
