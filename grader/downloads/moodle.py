"""Moodle's "Download all submissions": `Jane Doe_501_assignsubmission_file_/` with the student's files in it.

With folders switched off it is `Jane Doe_501_assignsubmission_file_cells.py`. The number is the
participant's, as in the grading worksheet; of a team, name and number are the team's. Neither times nor late
marks are in the download; the worksheet, given as the roster, has them. Text typed into Moodle (`onlinetext`)
is no program.
"""

from __future__ import annotations

import re

from grader.downloads.arrival import Arrival, Part, Student
from grader.downloads.box import Box

NAMED = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<plugin>file|onlinetext)(?:_(?P<file>.*))?")
NOBODY = "Participant"  # everybody's name where names are hidden


def is_one(box: Box) -> bool:
    """Whether most of the names are Moodle's."""
    names = box.folders + box.files
    ours = sum(NAMED.fullmatch(name) is not None for name in names)
    return ours > 0 and 2 * ours > len(names)


def arrivals(box: Box) -> tuple[list[Arrival], list[str]]:
    """A submission for each participant, and the names that are no submission."""
    found: dict[tuple[str, str], Arrival] = {}
    ignored = []
    for top in [*box.folders, *box.files]:
        match = NAMED.fullmatch(top)
        if match is None:
            ignored.append(top)
            continue
        name, number = match["name"], match["number"]
        arrival = found.get((name, number))
        if arrival is None:
            student = Student(name="" if name == NOBODY else name, ids=(f"moodle:{number}",))
            arrival = found[name, number] = Arrival(f"{name}_{number}", [student])
        if match["plugin"] == "onlinetext":
            arrival.notes.append("text typed into Moodle is not graded")
        elif top in box.folders:
            arrival.parts.append(Part(top))
        elif match["file"]:
            arrival.parts.append(Part(top, match["file"]))
    return list(found.values()), ignored
