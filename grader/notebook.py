"""The public tests inside a notebook: `from grader.notebook import check`, then `check("cells")`.

They run in the notebook's own process, on the names it has defined, with the probes and tests of
`grader check`, and say what that says: it is the same code. It grades nothing, and does not look for
what is not allowed: handing in does that.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.text import Text

from grader import messages
from grader.course import Assignment, select
from grader.diagnosis.local import modes_kept
from grader.export.terminal import show_failures
from grader.result import assignment_row
from grader.sandbox.inside.session import describe
from grader.suite.in_process import outcome_of, public_tests, run_test

SEED = 0
WIDTH = 88  # columns; a cell of Jupyter's shows some more
PAGE = '<pre style="white-space: pre-wrap; font-family: monospace">{code}</pre>'


class MissingName(NameError):
    """The notebook has not defined a name; `judge` knows this by its own name."""


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
            raise MissingName(f"the notebook has not defined {name} yet") from None

    def module(self, name: str) -> Namespace:
        """The same names: in a notebook, a sibling module is a cell above."""
        return self


def check(assignment_name: str, *names: str) -> None:
    """Run the public tests of an assignment, or of some of its names, on what the notebook defines; show the result.

    `check("cells")`, `check("cells", "LSTMCellFromScratch")`. Raises ValueError for names nobody knows.
    """
    assignment = _assignment(assignment_name)
    for name in names:
        if name not in assignment.names:
            raise ValueError(f"{assignment_name} has no {name!r}. It has: {', '.join(assignment.names)}")
    row = _run(assignment, names, sys._getframe(1).f_globals)
    console = Console(
        file=io.StringIO(), record=True, width=WIDTH, highlight=False, emoji=False, markup=False, force_jupyter=False
    )
    show_failures(row, console)
    passed = sum(test["status"] == "passed" for test in row["tests"])
    all_pass = " ✓" if passed == len(row["tests"]) else ""
    left = messages.HIDDEN_LEFT.format(hidden=assignment.hidden_tests)
    last = f"{passed} of {len(row['tests'])} public tests pass{all_pass}; {left}"
    console.print(Text(last, style="bold"))
    page = console.export_html(code_format=PAGE, inline_styles=True, clear=False)
    _show(console.export_text().lstrip("\n"), page)


def run_public_test(assignment_name: str, test_name: str, known: Mapping[str, Any]) -> None:
    """Run one public test on these names; it raises what the test or the code under it raises.

    This is what the cells of an Otter notebook call. The notebook's random state and modes are kept.
    """
    assignment = _assignment(assignment_name)
    test, _ = public_tests(assignment)[test_name]
    with modes_kept():
        run_test(assignment, test_name, test, Namespace(known), SEED)


def _run(assignment: Assignment, names: tuple[str, ...], known: Mapping[str, Any]) -> dict[str, Any]:
    """The assignment's row of a result document, of the tests of these names, or of all."""

    raised: list[BaseException] = []

    def described(problem: BaseException) -> dict[str, Any]:
        cell = _last_cell(problem.__traceback__, known)
        said = describe(problem, cell or os.devnull)
        if cell:
            said["file"] = assignment.file  # whose stub the cells hold
            if not raised and not isinstance(problem, NotImplementedError):
                raised.append(problem)
        return said

    outcomes = []
    for key, (_, grading) in public_tests(assignment).items():
        if not names or grading.of in names:
            with modes_kept():
                outcomes.append(outcome_of(assignment, key, Namespace(known), SEED, described, _place))
    for problem in raised:  # the first, which %debug opens then
        sys.last_type, sys.last_value, sys.last_traceback = type(problem), problem, problem.__traceback__
        vars(sys)["last_exc"] = problem  # the same since Python 3.12
    return assignment_row(assignment, outcomes, messages.NEXT_IN_NOTEBOOK)


def _place(_: str, line: int) -> str:
    return f"line {line} of its cell"


def _last_cell(trace: TracebackType | None, known: Mapping[str, Any]) -> str | None:
    """The file name that Python gave to the innermost cell on the stack."""
    cells = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(trace) if frame.f_globals is known]
    return cells[-1] if cells else None


def _show(text: str, page: str) -> None:
    """As a page where a notebook can show one, with the text for those that can't; else as text."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        print(text, end="")
        return
    from IPython.display import display

    display({"text/plain": text, "text/html": page}, raw=True)  # type: ignore[no-untyped-call]


def _assignment(name: str) -> Assignment:
    try:
        return select([name])[0]
    except KeyError:
        known = ", ".join(assignment.name for assignment in select(None))
        raise ValueError(f"there is no assignment {name!r}. There are: {known}") from None
