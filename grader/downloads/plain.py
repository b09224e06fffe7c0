"""A plain folder: every folder or file in it is a submission, named after its student.

Hidden names, links and the lists that platforms put beside submissions (`.csv`, `.yml`, `.json`) are none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from grader.downloads.arrival import Arrival, Part, Student
from grader.downloads.box import Box
from grader.intake import without_ending

NOT_HANDED_IN = (".csv", ".yml", ".yaml", ".json")


def arrivals(box: Box, among: Iterable[str] | None = None) -> tuple[list[Arrival], list[str]]:
    """A submission for each name, or each of some names, in their order, and the names that are no submission."""
    names = [*box.folders, *box.files] if among is None else among
    found, ignored = [], []
    for top in sorted(names, key=os.fsencode):
        if top in box.files and Path(top).suffix.lower() in NOT_HANDED_IN:
            ignored.append(top)
        else:
            label = top if top in box.folders else without_ending(top)
            found.append(Arrival(label, [Student(login=label)], [Part(top, top if top in box.files else "")]))
    return found, ignored
