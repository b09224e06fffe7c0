"""Hints, one at a time: those that stand folded up at the end of an assignment's handout."""

from __future__ import annotations

import re

from grader import messages
from grader.course import Assignment

_HINT = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL)


class Hints:
    """Hands out an assignment's hints in their order, and then says that there are no more."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def next(self, assignment: Assignment) -> str:
        """The next hint in full, with its number."""
        hints = hints_of(assignment)
        given = self._given.get(assignment.name, 0)
        if given >= len(hints):
            return (
                f"{assignment.name} has no more hints. The handout's promises, read slowly, are the next best thing; "
                f"or {messages.CHECK} -a {assignment.name} --pdb, to look at your own variables."
            )
        self._given[assignment.name] = given + 1
        title, text = hints[given]
        return f"Hint {given + 1} of {len(hints)} for {assignment.name}: {title}\n{text}"


def hints_of(assignment: Assignment) -> list[tuple[str, str]]:
    """Title and text of each hint of a handout; none where the handout is gone."""
    if not assignment.handout.is_file():
        return []
    found = _HINT.findall(assignment.handout.read_text(encoding="utf-8"))
    return [(title.strip(), " ".join(text.split())) for title, text in found]
