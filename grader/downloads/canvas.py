"""Canvas' bulk download: flat files named `doejane_LATE_123_456_cells.py`, of user 123, the upload numbered 456.

Under anonymous marking it is `LATE_anon_aB3xZ_456_cells.py`; of a quiz `doe_jane123_question_7_456_cells.py`, of the
same user 123, whose answer to question 7 it is. The name before the numbers is the student's,
and so is the file's behind them, so a name may be readable in several ways; all of its ids are kept, and a
grade goes to none of them unless the gradebook knows one only.
"""

from __future__ import annotations

import re

from grader.downloads.arrival import Arrival, Part, Student
from grader.downloads.box import Box

NAMED = re.compile(
    r"(?P<name>.*?)(?:_(?P<late>LATE))?_(?P<user>\d+)_(?:(?P<number>\d+)_(?P<file>.+)|(?P<kind>text|link)\.html)"
)
ANONYMOUS = re.compile(
    r"(?:(?P<late>LATE)_)?anon_(?P<user>[A-Za-z0-9]+)_(?:(?P<number>\d+)_(?P<file>.+)|(?P<kind>text|link)\.html)"
)
_OF_QUIZ = re.compile(r"(?P<name>.*?)_?(?P<user>\d*)_question")  # what stands before the numbers then
_USERS = re.compile(r"(?=_(\d+)_(?:\d+_.|text\.html$|link\.html$))")


def is_one(box: Box) -> bool:
    """Whether most of the names are Canvas'."""
    ours = sum(_read(name) is not None for name in box.files)
    return ours > 0 and 2 * ours > len(box.files) + len(box.folders)


def arrivals(box: Box) -> tuple[list[Arrival], list[str]]:
    """A submission for each student, of all the files that came with it, and the names that are no submission."""
    found: dict[tuple[str, str], Arrival] = {}
    ignored = list(box.folders)
    for top in box.files:
        match = _read(top)
        if match is None:
            ignored.append(top)
            continue
        named, user = match.groupdict().get("name"), match["user"]
        if quiz := _OF_QUIZ.fullmatch(named or ""):
            named, user = quiz["name"], quiz["user"]
        arrival = found.get((named or "", user))
        if arrival is None:
            ids = _users(top) if named is not None else []
            student = Student(name=named or "", ids=tuple(f"canvas:{each}" for each in dict.fromkeys(ids)))
            label = f"{named}_{user}" if named is not None else f"anon_{user}"
            arrival = found[named or "", user] = Arrival(label, [student], late=False)
            if named is None:
                arrival.notes.append("handed in anonymously: Canvas tells the name when grades are posted")
        arrival.late = bool(arrival.late or match["late"])
        file = match["file"] or f"{match['kind']}.html"
        arrival.parts.append(Part(top, file, int((match["number"] or "0")[:18])))
    for arrival in found.values():
        _agree(arrival)
    return list(found.values()), ignored


def _read(name: str) -> re.Match[str] | None:
    return ANONYMOUS.fullmatch(name) or NAMED.fullmatch(name)


def _users(name: str) -> list[str]:
    """The numbers that may be the student's. Of `ada312_question_7_456_x` it is 312, unless she is called Ada3."""
    found: list[str] = _USERS.findall(name)
    match = NAMED.fullmatch(name)
    quiz = _OF_QUIZ.fullmatch(match["name"]) if match else None
    digits = quiz["user"] if quiz else ""
    return [*(digits[n:] for n in range(len(digits)) if digits[n] != "0"), *found]


def _agree(arrival: Arrival) -> None:
    """Keep the ids that all files of a submission could be of: a student chooses only the files' own names."""
    every = [set(_users(part.top)) for part in arrival.parts]
    student = arrival.students[0]
    ids = tuple(each for each in student.ids if all(each.partition(":")[2] in one for one in every))
    arrival.students = [Student(name=student.name, ids=ids)]
