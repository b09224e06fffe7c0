"""A list of the class as CSV, to join submissions on: one's own, or what a platform gives out.

Known by their headings: Canvas' gradebook, Moodle's grading worksheet, Gradescope's roster and scores,
GitHub classroom tools' rosters, and any file with columns like name, email, login, id. Two students that
can't be told apart by what a submission says are nobody's: no grade is placed by a guess.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.downloads.arrival import Arrival, DownloadError, Student, moment

ROSTER_LIMIT = 32 * 2**20
FIELD_LIMIT = 2**20
CELL_LIMIT = 300
COLUMNS = {
    "name": ("name", "full name", "student", "student name"),
    "first": ("first name", "first_name", "firstname", "given name"),
    "last": ("last name", "last_name", "lastname", "surname", "family name"),
    "email": ("email", "email address", "e-mail", "mail"),
    "login": ("login", "login id", "sis login id", "username", "github_username", "github username", "github"),
    "group": ("group", "group name", "team"),
    "sid": ("sid", "student id", "id number", "sis user id", "identifier", "roster_identifier", "id"),
    "late": ("late", "lateness (h:m:s)", "status"),
    "at": ("submission time", "submission_timestamp", "at"),
    "due": ("due", "extension"),
}
TEST_STUDENT = ("Student, Test", "Test Student")  # one that every course of Canvas has
YES, NO = ("true", "yes", "late", "1"), ("false", "no", "0", "")
_PARTICIPANT = re.compile(r"\D+ (\d+)")
_LATENESS = re.compile(r"(\d+):(\d\d):(\d\d)")
_SAID_LATE = re.compile(r"\d+ \w+ late\b")  # Moodle: Submitted for grading - 2 hours 5 mins late


@dataclass(frozen=True)
class Row:
    """One student of the list, and what it says of their submission, if anything."""

    student: Student
    late: bool | None = None
    at: datetime | None = None
    due: datetime | None = None
    group: str = ""


class Roster:
    """The rows of the list, and which of them an arrival's student is."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self._index: dict[tuple[str, str], list[int]] = {}
        for number, row in enumerate(rows):
            for key in set(_keys(row.student)):
                self._index.setdefault(key, []).append(number)

    def find(self, student: Student, logins: Sequence[str] = ()) -> int | None:
        """The row of a student, by what is surest; None if there is none, or none for sure."""
        for choice in _choices(student, logins):
            rows = {number for key in choice for number in self._index.get(key, ())}
            rows = {number for number in rows if may_be(student, self.rows[number].student)}
            if rows:
                return rows.pop() if len(rows) == 1 else None
        return None

    def members(self, student: Student, logins: Sequence[str] = ()) -> list[Student]:
        """Who handed in: the student, or everybody of the group if one is called that and no student is.

        A name alone makes nobody a group: whoever has an address, a school's id or a number of their own is a
        student, but for Moodle's teams, whose members' numbers the worksheet has.
        """
        group = _alike(student.name or student.login)
        teams = bool(student.ids) and all(each.startswith("moodle:") for each in student.ids)
        own = student.email or student.sid or (student.ids and not teams)
        if not group or own or self.find(student, logins) is not None:
            return [student]
        found = [row.student for row in self.rows if row.group and _alike(row.group) == group]
        return found if found and all(one.ids for one in found if teams) else [student]


def read(path: Path) -> Roster:
    """Read a list of the class. Raises DownloadError."""
    try:
        if path.stat().st_size > ROSTER_LIMIT:
            raise DownloadError(f"{path} is larger than {ROSTER_LIMIT >> 20} MiB. Is it a list of the class?")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DownloadError(f"{path} is no UTF-8. Save it as a UTF-8 CSV and try again.") from None
    except OSError as problem:
        raise DownloadError(f"{path} can't be read ({problem.strerror}). Give --roster a CSV file.") from None
    first = text.partition("\n")[0]
    csv.field_size_limit(FIELD_LIMIT)
    try:
        delimiter = ";" if first.count(";") > first.count(",") else ","
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as problem:
        raise DownloadError(f"{path} is no CSV ({problem}). Give --roster a CSV file with a row of headings.") from None
    return Roster(list(_rows(table, path)))


def may_be(student: Student, row: Student) -> bool:
    """False where Moodle's numbers agree and names don't: a team's number there is no participant's.

    `Team A-Jane Doe`, as older ones write a member of a team, may be Jane Doe.
    """
    if not any(each.startswith("moodle:") for each in set(student.ids) & set(row.ids)):
        return True
    return not student.name or not row.name or squeezed(student.name).endswith(squeezed(row.name))


def merged(student: Student, row: Student) -> Student:
    """What the list says of a student, and what only the download knows."""
    return Student(
        row.name or student.name,
        row.email or student.email,
        row.login or student.login,
        row.sid or student.sid,
        tuple(dict.fromkeys([*student.ids, *row.ids])),
    )


def dated(arrival: Arrival, row: Row | None, due: datetime | None) -> None:
    """Give an arrival the time and the late mark that only the list knows, or that the deadline tells."""
    if row is not None:
        arrival.at = arrival.at or row.at
        arrival.late = row.late if arrival.late is None else arrival.late
        due = row.due or due
    if arrival.late is None and due is not None and arrival.at is not None:
        arrival.late = arrival.at > due


def _rows(table: list[list[str]], path: Path) -> Iterator[Row]:
    head = [title.strip().lower() for title in table[0]] if table else []
    places = {kind: [head.index(title) for title in titles if title in head] for kind, titles in COLUMNS.items()}
    if not any(places[kind] for kind in ("name", "last", "email", "login", "sid")):
        raise DownloadError(f"{path} has no column name, email, login or id. Give it a first row of such headings.")
    canvas = "section" in head and (head[:2] == ["student", "id"] or head[:3] == ["lastname", "firstname", "id"])
    number = head.index("id") if canvas else 0
    if canvas:
        places["sid"] = [at for at in places["sid"] if head[at] != "id"]  # Canvas' own number, not the school's
    for line in table[1:]:
        cells = {kind: _first(line, at) for kind, at in places.items()}
        name = cells["name"] or " ".join(filter(None, (cells["first"], cells["last"])))
        if name.startswith("Points Possible") or (canvas and (not _first(line, [number]) or name in TEST_STUDENT)):
            continue  # rows of a gradebook that are no students
        ids: tuple[str, ...] = (f"canvas:{_first(line, [number])}",) if canvas else ()
        sid = cells["sid"]
        participant = _PARTICIPANT.fullmatch(_first(line, [head.index("identifier")]) if "identifier" in head else "")
        if participant and "last modified (grade)" in head:
            ids = (f"moodle:{participant[1]}",)
            sid = _first(line, [head.index("id number")] if "id number" in head else [])
        student = Student(_turned(name), cells["email"], cells["login"], sid, ids)
        if student == Student():
            continue
        yield Row(student, _late(cells["late"]), moment(cells["at"]), moment(cells["due"]), cells["group"])


def _first(line: list[str], places: list[int]) -> str:
    return next((cell for at in places if at < len(line) and (cell := line[at].strip()[:CELL_LIMIT])), "")


def _late(text: str) -> bool | None:
    lateness = _LATENESS.fullmatch(text)
    if lateness:
        return any(int(part) for part in lateness.groups())
    if text.lower() in YES or _SAID_LATE.search(text):
        return True
    return False if text and (text.lower() in NO or text.startswith("Submitted")) else None


def _turned(name: str) -> str:
    """`Doe, Jane` as `Jane Doe`."""
    last, comma, first = name.partition(", ")
    return f"{first} {last}" if comma else name


def _keys(student: Student) -> Iterator[tuple[str, str]]:
    yield from (("id", each) for each in student.ids)
    for kind in ("email", "sid", "login"):
        value = getattr(student, kind)
        if value:
            yield kind, _alike(value)
    if student.name:
        yield "name", _alike(student.name)
        first, _, last = student.name.rpartition(" ")
        yield "squeezed", squeezed(last + first)
        yield "squeezed", squeezed(student.name)
        words = student.name.split(" ")
        yield "squeezed", squeezed("".join(words[1:] + words[:1]))  # Ada | van Gogh, filed under its last words


def _choices(student: Student, logins: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """What a student may be found by, the surest first; several keys in one choice are equally sure."""
    if student.ids:
        yield [("id", each) for each in student.ids]
    if student.email:
        yield [("email", _alike(student.email))]
    if student.sid:
        yield [("sid", _alike(student.sid))]
    if logins:
        yield [("login", _alike(login)) for login in logins]
    elif student.login:
        login = _alike(student.login)
        yield [("login", login), ("sid", login), ("email", login)]
    name = student.name or student.login
    if name:
        yield [("name", _alike(name))]
        yield [("squeezed", squeezed(name))]


def _alike(text: str) -> str:
    """Texts that look alike as one: in one case, and é as one character where a Mac wrote two."""
    return unicodedata.normalize("NFC", text).casefold()


def squeezed(name: str) -> str:
    """A name as Canvas squeezes it: `Doe, Jane` and `doejane` are `doejane`."""
    return re.sub(r"\W", "", _alike(name))
