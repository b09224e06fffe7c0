"""Result documents as files: written whole or not at all, and read back within limits.

A folder may come from another machine and have been in other hands since, so nothing in it is taken
for granted: what is no result document is refused by name, never half read. Imports nothing that needs
torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

DOCUMENT_LIMIT = 32 * 2**20
CLASS_LIMIT = 100_000
LARGEST = 1e6  # of points and seconds
_PLAIN = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,80}")
STATUSES = ("passed", "failed", "error", "timeout", "grader-error")


class FolderError(Exception):
    """The folder can't be read as a batch folder; one line says what is wrong and what to do."""


def read_batch(folder: Path) -> list[dict[str, Any]]:
    """The documents of a batch folder in the order of their names. Raises FolderError."""
    documents = folder / "documents"
    if not documents.is_dir():
        raise FolderError(f"{folder} is no batch folder: it has no documents/. Make one: grader batch FOLDER --out DIR")
    paths = sorted(path for path in documents.iterdir() if path.suffix == ".json" and not path.name.startswith("."))
    if not paths:
        raise FolderError(f"{documents} holds no document yet. Type: grader batch FOLDER --out {folder}")
    if len(paths) > CLASS_LIMIT:
        raise FolderError(f"{documents} holds {len(paths)} documents; at most {CLASS_LIMIT} can be read.")
    return [_read(path) for path in paths]


def as_json(value: Any) -> str:
    """A document, or several, as JSON text with a last newline.

    A submission may be named `##[error]x`, which GitHub's runner would obey anywhere in a log: the
    bracket is written as JSON's escape for it, so that the value stays the same.
    """
    return json.dumps(value, indent=1, allow_nan=False).replace("##[", "##\\u005b") + "\n"


def write_whole(target: Path, text: str) -> None:
    """Write a file whole or not at all, even if the machine dies half-way. Raises OSError."""
    part = _part(target)
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def try_writing(target: Path) -> None:
    """Raise OSError if `write_whole` could not write here, and leave nothing behind."""
    if target.exists() and not target.is_file():
        raise OSError(0, "it is no regular file")
    _part(target).touch()
    _part(target).unlink()


def _part(target: Path) -> Path:
    """What a file is called while it is being written."""
    return target.with_name(f".{target.name}.part")


def percent(document: dict[str, Any]) -> float:
    """The score as a share of the maximum, in percent; of the bonus where there is nothing else, else 0."""
    most = document["max_score"] or sum(row.get("bonus", 0.0) for row in document["assignments"])
    return 100.0 * float(document["score"]) / float(most) if most else 0.0


def file_stem(submission: str) -> str:
    """A file name, without its ending, for what is written about a submission, on any system and in any link.

    The name itself where it is plain; else as much of it as is, told apart by a hash.
    """
    if _PLAIN.fullmatch(submission):
        return submission
    plain = re.sub(r"[^A-Za-z0-9_.~-]+", "_", submission)[:60].strip("._-") or "student"
    return f"{plain}-{hashlib.sha256(submission.encode(errors='replace')).hexdigest()[:12]}"


def for_student(document: dict[str, Any]) -> dict[str, Any]:
    """The document as the student may see it: hidden tests have numbers for names, and notes to the instructor go."""
    rows = []
    for row in document["assignments"]:
        tests, number = [], 0
        for test in row["tests"]:
            number += test["visibility"] == "hidden"
            shown = {key: value for key, value in test.items() if key != "review"}
            if test["visibility"] == "hidden":
                shown |= {"name": f"hidden test {number}", "of": "", "misconception": None}
            tests.append(shown)
        rows.append({**row, "tests": tests})
    return {**document, "assignments": rows}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        if found.st_size > DOCUMENT_LIMIT:
            raise ValueError(f"it is larger than {DOCUMENT_LIMIT >> 20} MiB")
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_no_number)
        if "\\ud" in text.lower():  # half of a character, which no file could hold again
            json.dumps(document, ensure_ascii=False).encode()
        check_document(document)
        if document["submission"] != path.name.removesuffix(".json"):
            raise ValueError("the submission in it has another name")
    except (OSError, ValueError, RecursionError) as problem:
        raise FolderError(f"{path} is no result document: {problem}. Take it away, or grade it again.") from None
    checked: dict[str, Any] = document
    return checked


def check_document(document: Any) -> None:
    """Raise ValueError, naming the place, unless this has the shape of a result document (contract §4)."""
    _expect(document, dict, "the document")
    for key, kind in (("submission", str), ("complete", bool), ("isolation", dict), ("assignments", list)):
        _expect(document.get(key), kind, key)
    if not document["submission"]:
        raise ValueError("submission is empty")
    _expect(document["isolation"].get("level"), str, "isolation.level")
    _numbers(document, ("score", "max_score"), "the document")
    _expect(document.setdefault("notes", []), list, "notes")
    for note in document["notes"]:
        _expect(note, str, "a note")
    if "handed_in" in document:
        _check_coming(document["handed_in"])
    seen = set()
    for row in document["assignments"]:
        _expect(row, dict, "an assignment")
        _expect(row.get("name"), str, "an assignment's name")
        _numbers(row, ("score", "max_score"), row["name"])
        if "bonus" in row:
            _numbers(row, ("bonus",), row["name"])
        _expect(row.get("tests"), list, f"the tests of {row['name']}")
        for test in row["tests"]:
            _check_test(test, row["name"])
            if (row["name"], test["name"]) in seen:
                raise ValueError(f"{test['name']} stands twice in {row['name']}")
            seen.add((row["name"], test["name"]))
    if len({row["name"] for row in document["assignments"]}) < len(document["assignments"]):
        raise ValueError("an assignment stands in it twice")


def _check_coming(told: Any) -> None:
    _expect(told, dict, "handed_in")
    _expect(told.get("from"), str, "handed_in.from")
    _expect(told.get("nothing"), bool, "handed_in.nothing")
    for key, kind in (("late", bool), ("at", str)):
        if told.get(key) is not None:
            _expect(told[key], kind, f"handed_in.{key}")
    _expect(told.get("students"), list, "handed_in.students")
    for student in told["students"]:
        _expect(student, dict, "a student of handed_in")
        for key, value in student.items():
            for each in value if key == "ids" and isinstance(value, list) else [value]:
                _expect(each, str, f"{key[:40]} of a student of handed_in")


def _check_test(test: Any, assignment: str) -> None:
    _expect(test, dict, f"a test of {assignment}")
    for key in ("name", "visibility", "status", "message"):
        _expect(test.get(key), str, f"{key} of a test of {assignment}")
    _numbers(test, ("score", "max_score"), test["name"])
    if test["status"] not in STATUSES or test["visibility"] not in ("public", "hidden"):
        raise ValueError(f"{test['name']} has the status {test['status']!r} and the visibility {test['visibility']!r}")
    for key in ("misconception", "review", "of"):
        if test.get(key) is not None:
            _expect(test[key], str, f"{key} of {test['name']}")
    curve = test.get("curve", [])
    _expect(curve, list, f"curve of {test['name']}")
    _numbers(dict(enumerate(curve)), range(len(curve)), f"the curve of {test['name']}")
    timing = test.get("timing") or {}
    _expect(timing, dict, f"timing of {test['name']}")
    _numbers({"student_cpu_s": 0.0, **timing}, ("student_cpu_s",), test["name"])


def _expect(value: Any, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{what} is missing or no {kind.__name__}")


def _numbers(table: dict[Any, Any], keys: Iterable[Any], where: str) -> None:
    for key in keys:
        value = table.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise ValueError(f"{key} of {where} is missing or no number up to {LARGEST:g}")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
