"""What the gradebooks of learning platforms have in common: reading theirs, and finding whose submission is whose.

A submission is placed by what its name says: the platform's number in the file name under which it hands
submissions out, and only without one by an id or login of the gradebook, or by the student's full name if only
one has it. Whoever can't be placed for sure is named and left out; nobody gets a guessed grade.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.intake import submission_name

GRADEBOOK_LIMIT = 32 * 2**20
FIELD_LIMIT = 2**20


class GradebookError(Exception):
    """The gradebook can't be filled in; one line says why and what to do."""


@dataclass
class Filled:
    """The file to import, how many grades stand in it, and the submissions that are not in it, with why."""

    text: str
    grades: int
    left_out: list[str] = field(default_factory=list)
    doubt: str = ""  # what to look at before importing, if anything


@dataclass(frozen=True)
class Claim:
    """One student of a document: the platform's numbers they may have, their ids and logins, what they are called."""

    numbers: Sequence[str]
    keys: Sequence[str]
    names: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A gradebook as it was read: its rows, and how it separates cells."""

    rows: list[list[str]]
    delimiter: str
    bom: bool


def read_gradebook(path: Path) -> str:
    """The text of a gradebook file. Raises GradebookError."""
    try:
        if path.stat().st_size > GRADEBOOK_LIMIT:
            raise GradebookError(f"{path} is larger than {GRADEBOOK_LIMIT >> 20} MiB. Is it a gradebook?")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise GradebookError(f"{path} is no UTF-8. Export the gradebook again and leave it as it comes.") from None
    except OSError as problem:
        raise GradebookError(f"{path} can't be read ({problem.strerror}). Give --gradebook a CSV file.") from None


def parse(text: str) -> Table:
    """The rows of a CSV file with `,` or `;` between its cells; one shape for all rows."""
    bom = text.startswith("\ufeff")
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    csv.field_size_limit(FIELD_LIMIT)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as problem:
        raise GradebookError(f"the gradebook is no CSV ({problem}). Export it again and leave it so.") from None
    if not rows:
        raise GradebookError("the gradebook is empty. Export it again from the course.")
    width = len(rows[0])
    return Table([row[:width] + [""] * (width - len(row)) for row in rows], delimiter, bom)


def write(table: Table, rows: Iterable[Sequence[str]]) -> str:
    """Rows in the form that the gradebook had."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=table.delimiter, lineterminator="\r\n").writerows(rows)
    return ("\ufeff" if table.bom else "") + text.getvalue()


def claims(document: dict[str, Any], platform: str, named: re.Pattern[str]) -> list[Claim]:
    """Whose a document is: what its roll says of each student, else what its name says, read by `named`."""
    name = document["submission"]
    told = document.get("handed_in")
    if not told:
        return [Claim(named.findall(name), [name], [name])]
    found = []
    for student in told["students"]:
        numbers = [each.partition(":")[2] for each in student.get("ids", []) if each.startswith(f"{platform}:")]
        keys = [student[key] for key in ("login", "sid", "email") if key in student]
        found.append(Claim(numbers, keys, [student["name"]] if "name" in student else []))
    return found


def place(
    documents: Sequence[dict[str, Any]],
    ids: Sequence[Sequence[str]],
    called: Sequence[Sequence[str]],
    given: Sequence[Sequence[Claim]],
    numbers: Sequence[str],
) -> tuple[dict[int, dict[str, Any]], list[str]]:
    """Whose document is whose: by row, and an account of each student that has no row. A group has several rows.

    `ids` and `called` are the rows' ids and names in order of trust, `given` whose each document claims to be, and
    `numbers` the rows' numbers on the platform. Numbers are placed first, and whoever has one is placed by nothing
    else. A claim may have several: students choose part of a file's name, so two that are both in the gradebook
    place nobody.
    """
    rows: dict[int, dict[str, Any]] = {}
    left_out = []
    by_id, by_name = _index(ids), _index(called)
    (by_number,) = _index([[number] for number in numbers]) or [{}]
    strangers = False
    claimed = [
        (document, claim, len(several)) for document, several in zip(documents, given, strict=True) for claim in several
    ]
    for document, claim, members in sorted(claimed, key=lambda each: (_absent(each[0]), not each[1].numbers)):
        name = document["submission"]
        if members > 1:
            name += f" ({', '.join([*claim.keys, *claim.names])})"
        if claim.numbers:
            found = sorted({line for number in claim.numbers for line in by_number.get(same(number), ())})
        else:
            found = _known_as(claim.keys, by_id) or _known_as(claim.names, by_name)
        strangers = strangers or len(found) != 1
        if not document["complete"]:
            left_out.append(f"{name}: no verdict")
        elif strangers and _absent(document):
            left_out.append(f"{name}: no 0 for having handed in nothing while it is open whose the others are")
        elif not found and claim.numbers:
            left_out.append(f"{name}: nobody in the gradebook has the number {' or '.join(claim.numbers)}")
        elif not found:
            left_out.append(f"{name}: nobody in the gradebook is called that")
        elif len(found) > 1:
            left_out.append(f"{name}: {len(found)} in the gradebook are called that")
        elif found[0] in rows:
            left_out.append(f"{name}: {rows[found[0]]['submission']} has that row already")
        else:
            rows[found[0]] = document
    return rows, left_out


def _index(rows: Sequence[Sequence[str]]) -> list[dict[str, list[int]]]:
    """For each column the rows in which a key stands."""
    index: list[dict[str, list[int]]] = [{} for _ in range(max((len(row) for row in rows), default=0))]
    for line, row in enumerate(rows):
        for column, key in enumerate(row):
            if key:
                index[column].setdefault(same(key), []).append(line)
    return index


def _known_as(keys: Sequence[str], index: Sequence[dict[str, list[int]]]) -> list[int]:
    """The rows with one of these keys in the first column that has any."""
    return next((column[same(key)] for column in index for key in keys if same(key) in column), [])


def _absent(document: dict[str, Any]) -> bool:
    return bool(document.get("handed_in", {}).get("nothing"))


def points(document: dict[str, Any], comma: bool) -> str:
    """The score with two decimals, with a decimal comma where the gradebook has one."""
    text = f"{document['score']:.2f}"
    return text.replace(".", ",") if comma else text


def doubt_about(documents: Sequence[dict[str, Any]], most: str, where: str) -> str:
    """A sentence if the platform's maximum, as it stands in the gradebook, is not the documents'."""
    ours = max((document["max_score"] for document in documents), default=0.0)
    try:
        theirs = float(most.strip().replace(",", "."))
    except ValueError:
        return ""
    return "" if abs(theirs - ours) < 0.005 else f"{where} is out of {theirs:g} points and these grades out of {ours:g}"


def same(name: str) -> str:
    """Names as submissions carry them, in one case: `René` in a gradebook is `Ren\\xe9` on a document."""
    name = unicodedata.normalize("NFC", name.strip())  # a Mac writes é as two characters
    return submission_name(Path(name.replace("/", "_") or "_")).casefold()
