"""The public tests inside a notebook: `from grader.notebook import check`, then `check("cells")`.

They run in the notebook's own process, on the names it has defined, with the probes and tests of
`grader check`. It grades nothing, and does not look for what is not allowed: handing in does that.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from grader.course import Assignment, select
from grader.diagnosis.local import modes_kept
from grader.messages import one_line, quote
from grader.suite.in_process import public_tests, run_test
from grader.suite.points import Grading

SEED = 0


class Namespace:
    """A probe's `student` over a notebook's names: every assignment's names are in the one namespace."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._names[name]
        except KeyError:
            raise NameError(f"the notebook has not defined {name} yet") from None

    def module(self, name: str) -> Namespace:
        """The same names: in a notebook, a sibling module is a cell above."""
        return self


def check(assignment_name: str, *names: str) -> None:
    """Run the public tests of an assignment, or of some of its names, on what the notebook defines; print the result.

    `check("cells")`, `check("cells", "LSTMCellFromScratch")`. Raises ValueError for names nobody knows.
    """
    assignment = _assignment(assignment_name)
    for name in names:
        if name not in assignment.names:
            raise ValueError(f"{assignment_name} has no {name!r}. It has: {', '.join(assignment.names)}")
    known = sys._getframe(1).f_globals
    wanted = {key: pair for key, pair in _tests(assignment_name).items() if not names or pair[1].of in names}
    failed = 0
    for key in wanted:
        try:
            run_public_test(assignment_name, key, known)
        except Exception as problem:
            failed += 1
            print(f"✗ {_shown(key)}: {_said(problem)}")
    passed = len(wanted) - failed
    print(f"{passed} of {len(wanted)} public tests pass{'.' if failed else ' ✓'}")


def run_public_test(assignment_name: str, test_name: str, known: Mapping[str, Any]) -> None:
    """Run one public test on these names; it raises what the test or the code under it raises.

    This is what the cells of an Otter notebook call. The notebook's random state and modes are kept.
    """
    test, _ = _tests(assignment_name)[test_name]
    with modes_kept():
        run_test(_assignment(assignment_name), test_name, test, Namespace(known), SEED)


def _assignment(name: str) -> Assignment:
    try:
        return select([name])[0]
    except KeyError:
        known = ", ".join(assignment.name for assignment in select(None))
        raise ValueError(f"there is no assignment {name!r}. There are: {known}") from None


@functools.cache
def _tests(assignment_name: str) -> dict[str, tuple[Callable[..., None], Grading]]:
    return public_tests(_assignment(assignment_name))


def _shown(test_name: str) -> str:
    return test_name.removeprefix("test_").replace("_", " ")


def _said(problem: Exception) -> str:
    if type(problem).__name__ in ("Mismatch", "Complaint", "NotImplementedError"):
        return quote(str(problem))
    return one_line(quote("".join(traceback.format_exception_only(problem)).strip()))
