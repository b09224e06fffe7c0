"""Makes the example class' submissions from `class.toml`, and says what each should earn."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from grader.course import ROOT, SOLUTIONS, load_course
from grader.diagnosis import load_misconceptions, mutate

NOTES = Path(__file__).with_name("class.toml")


@dataclass(frozen=True)
class Member:
    """One submission: where it lies, what it should earn, and what is the matter with it."""

    name: str
    path: Path
    predicted: float
    note: str


def make_members(folder: Path) -> list[Member]:
    """Write the class below `folder`, replacing what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    table = tomllib.loads(NOTES.read_text(encoding="utf-8"))
    members = []
    for name, row in table.items():
        if "path" in row:
            shutil.copytree(ROOT / row["path"], folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            _write_solution(folder / name, set(row.get("misconceptions", ())))
        members.append(Member(name, folder / name, _predicted(row), row["note"]))
    return members


def _write_solution(folder: Path, wrong: set[str]) -> None:
    """The solutions, with the edits of these misconceptions made."""
    folder.mkdir(parents=True)
    for assignment in load_course():
        edits = [m for m in load_misconceptions(assignment) if m.id in wrong]
        source = (SOLUTIONS / assignment.file).read_text(encoding="utf-8")
        for misconception in edits:
            mutate(assignment.name, misconception)  # refuses an edit that does not fit
            for old, new in misconception.edits:
                source = source.replace(old, new)
        (folder / assignment.file).write_text(source, encoding="utf-8")


def _predicted(row: dict) -> float:
    return float(
        sum(row.get(assignment.name, row.get("everything", assignment.points)) for assignment in load_course())
    )
