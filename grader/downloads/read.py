"""A download made into a class: recognized, read, joined on a roster, each student's latest submission laid out.

Whoever is in the roster and handed in nothing has an empty submission, and is graded like everybody else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.documents import file_stem
from grader.downloads import canvas, clones, gradescope, moodle, plain, roster
from grader.downloads.arrival import Arrival, DownloadError, Student
from grader.downloads.box import Box
from grader.downloads.layout import clear, lay_out, one_archive
from grader.intake import printable_name
from grader.messages import one_line, quote

Reader = Callable[[Box], tuple[list[Arrival], list[str]]]
READERS: dict[str, Reader] = {
    "canvas": canvas.arrivals,
    "moodle": moodle.arrivals,
    "gradescope": gradescope.arrivals,
    "clones": clones.arrivals,
    "folder": lambda box: plain.arrivals(box),
}
FORMS = tuple(READERS)
RECOGNIZED = {"gradescope": gradescope.is_one, "moodle": moodle.is_one, "canvas": canvas.is_one}
NESTED = ("canvas", "moodle", "gradescope")  # a zip that a student uploaded lies in a folder there


@dataclass(frozen=True)
class Entry:
    """One submission, ready to be graded: its name in documents, unique in the class, and where it lies.

    `told` is what its document says of how it came in, None where nothing is known but the name.
    """

    name: str
    path: Path
    told: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def signed(self, document: dict[str, Any]) -> dict[str, Any]:
        """A grade as this submission's document. The grade itself is the same whoever handed it in, and when."""
        signed = {**document, "submission": self.name}
        if self.notes:
            signed["notes"] = [*document.get("notes", []), *(one_line(quote(note, 200)) for note in self.notes)]
        if self.told is not None:
            signed["handed_in"] = self.told
        return signed


@dataclass
class Class:
    """The submissions of a download, the names in it that are none, and what an instructor should know."""

    form: str
    submissions: list[Entry] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def collect(
    path: Path, staging: Path, *, form: str | None = None, listed: Path | None = None, due: datetime | None = None
) -> Class:
    """Read the download at `path`, a folder or a zip. Raises DownloadError.

    `staging` is where what has to be unpacked goes; what lay there before is ours and goes away. `listed` is
    a roster, `form` one of FORMS if it is known.
    """
    clear(staging)
    with Box(path, staging) as box:
        form = recognize(box, form)
        found, others = READERS[form](box)
        strangers, ignored = plain.arrivals(box, others) if form != "folder" else ([], others)
        known = Class(form, ignored=sorted([*box.ignored, *ignored], key=os.fsencode))
        known.remarks += [f"graded, though {form} names nothing so: {each.parts[0].top}" for each in strangers]
        found += strangers
        _refuse_a_lone_submission(box, form)
        found = _join(found, roster.read(listed) if listed else None, due, known.remarks, box)
        bare = form == "folder" and listed is None  # nothing is known but the name, so nothing is told
        taken: set[str] = set()
        for arrival in found:
            name = _unique(printable_name(arrival.label), taken)
            place, notes = lay_out(arrival, box, staging / file_stem(name))
            if form in NESTED or (box.zipped and arrival.parts and arrival.parts[0].name):
                place, said = one_archive(place)
                notes += said
            notes = [*arrival.notes, *notes]
            known.submissions.append(Entry(name, place, None if bare else _told(form, arrival), tuple(notes)))
        return known


def recognize(box: Box, form: str | None = None) -> str:
    """Which of FORMS a download is, `form` if that is known; a folder that wraps it is taken away."""
    wanted = RECOGNIZED if form is None else {name: is_one for name, is_one in RECOGNIZED.items() if name == form}
    found = next((name for name, is_one in wanted.items() if is_one(box)), None)
    if found is None and box.unwrap():
        found = next((name for name, is_one in wanted.items() if is_one(box)), None)
    if found:
        return found
    if box.inside and not (box.zipped and not _is_a_lone_submission(box)):  # else it is a zipped folder of submissions
        box.wrap()
    return form or ("clones" if not box.zipped and clones.is_one(box) else "folder")


def _is_a_lone_submission(box: Box) -> bool:
    return any(name.endswith((".py", ".ipynb")) for name in box.files)


def _refuse_a_lone_submission(box: Box, form: str) -> None:
    if form == "folder" and box.zipped and _is_a_lone_submission(box):
        raise DownloadError(f"{box.path} is one submission, not a class. Type: grader grade {box.path}")


def _join(
    found: list[Arrival], listed: roster.Roster | None, due: datetime | None, remarks: list[str], box: Box
) -> list[Arrival]:
    """The arrivals with what the roster knows, one for each student, and an empty one for who has none."""
    owners: dict[Any, list[_Claim]] = {}
    for arrival in found:
        if listed:
            arrival.students = [each for one in arrival.students for each in listed.members(one, arrival.logins)]
        for student in arrival.students:
            row = listed.find(student, arrival.logins) if listed else None
            claim = _Claim(arrival, student)
            owners.setdefault(row if row is not None else _known_by(student) or claim, []).append(claim)
    for owner, claims in list(owners.items()):
        if listed and isinstance(owner, int) and _are_different_people(claims):
            name = listed.rows[owner].student.name or listed.rows[owner].student.login
            remarks.append(f"{len(claims)} students hand in as {name}, so none of them is joined on the roster")
            owners[owner] = []  # and that student is not said to have handed in nothing
            owners.update((claim, [claim]) for claim in claims)
    for owner, claims in owners.items():
        own = listed.rows[owner] if listed and isinstance(owner, int) else None
        for claim in claims:
            arrival, at = claim.arrival, claim.arrival.students.index(claim.student)
            if own:
                claim.student = arrival.students[at] = roster.merged(claim.student, own.student)
            elif listed:
                remarks.append(f"not in the roster: {claim.student.name or arrival.label}")
            roster.dated(arrival, own, due)
        _latest_counts(claims, remarks, box)
    found = [arrival for arrival in found if arrival.students]
    if listed:
        unjoined = [claim.student for owner, claims in owners.items() if not isinstance(owner, int) for claim in claims]
        found += _absent(listed, owners, unjoined, remarks)
    return found


def _absent(
    listed: roster.Roster, owners: Container[Any], unjoined: list[Student], remarks: list[str]
) -> Iterator[Arrival]:
    """An empty submission for each of the roster that surely handed in nothing."""
    if any(not student.document() for student in unjoined):
        remarks.append("some submissions are anonymous, so nobody can be said to have handed in nothing")
        return
    perhaps = {each for student in unjoined for each in student.ids}
    for number, row in enumerate(listed.rows):
        one = row.student
        label = one.login or one.email or one.sid or one.name or one.ids[0]
        if number in owners:
            continue
        if perhaps.intersection(one.ids):
            remarks.append(f"{one.name or label} may have handed in what could not be joined, and is left out")
            continue
        remarks.append(f"handed in nothing: {one.name or label}")
        yield Arrival(label, [one])


@dataclass(eq=False)
class _Claim:
    """A student of an arrival."""

    arrival: Arrival
    student: Student


def _known_by(student: Student) -> tuple[str, ...]:
    """What tells a student from all others without a roster, if anything does."""
    return student.ids or tuple(filter(None, (student.sid or student.email,)))


def _are_different_people(claims: list[_Claim]) -> bool:
    """Whether the platform tells apart those who look like one student of the roster, to which names alone led."""
    students = [claim.student for claim in claims]
    ids = [set(one.ids) for one in students if one.ids]
    return (
        any(not one & ids[0] for one in ids)
        or len({one.email.casefold() for one in students if one.email}) > 1
        or len({one.sid for one in students if one.sid}) > 1
    )


def _latest_counts(claims: list[_Claim], remarks: list[str], box: Box) -> None:
    """Take a student out of all but their latest submission."""
    oldest_first = sorted(claims, key=lambda claim: (_when(claim.arrival, box), claim.arrival.label))
    earlier = oldest_first[:-1]
    if earlier:
        last = oldest_first[-1]
        last.arrival.notes.append(f"of {len(claims)} submissions of one student the latest counts, this one")
    for claim in earlier:
        who = claim.student.name or claim.student.login or last.arrival.label
        remarks.append(f"{who}: the earlier submission {claim.arrival.label} gives way to {last.arrival.label}")
        claim.arrival.students = [one for one in claim.arrival.students if one is not claim.student]


def _when(arrival: Arrival, box: Box) -> float:
    """When it was handed in, or its files were written if nothing better is known."""
    if arrival.at is not None:
        return arrival.at.timestamp()
    times = [found.timestamp() for part in arrival.parts if (found := box.modified(part.top))]
    return max(times, default=0.0)


def _told(form: str, arrival: Arrival) -> dict[str, Any]:
    """What a document says of the coming of its submission."""
    return {
        "from": form,
        "students": [student.document() for student in arrival.students],
        "late": arrival.late,
        "at": arrival.at.isoformat(timespec="seconds") if arrival.at else None,
        "nothing": not arrival.parts,
    }


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique.lower() in taken:  # some file systems don't tell Ada from ada
        number += 1
        unique = f"{name[: 100 - len(str(number)) - 1]}~{number}"
    taken.add(unique.lower())
    return unique
