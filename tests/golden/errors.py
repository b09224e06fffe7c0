"""The golden text of common errors: the code that provokes each, and what a student is told of it."""

from __future__ import annotations

from collections.abc import Iterator

from grader import messages
from grader.diagnosis import explain
from tests.golden.texts import FOLDER
from tests.suite.test_python_errors import PROVOKED, provoke

PATH = FOLDER / "python_errors.txt"


def explained() -> Iterator[tuple[str, str]]:
    """Each provoking line, and the two lines that its error adds to a message; torch's own words change, ours not."""
    for code, _ in PROVOKED:
        raised = provoke(code)
        cause = messages.CAUSE.format(says=explain(raised))
        yield code.replace("\n", " ⏎ "), f"{raised['type']}\n{cause}\n"
