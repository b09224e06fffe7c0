"""What has been graded: one SQLite file that every result goes through, before anything else is told.

A grade is kept under a key of all that determines it, so the same submission is never graded twice and
a changed one always is. A run that is killed loses what it was grading at that moment and nothing more.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sqlite3
from pathlib import Path
from typing import Any

from grader import __version__
from grader.course import CHOICES, ROOT, Assignment

SCHEMA = """
create table if not exists grades (
    key text primary key,        -- of all that determines the grade
    submission text not null,    -- the name it was last asked for under
    document text not null,      -- JSON
    stale integer not null default 0  -- to be graded again, by wish
) strict;
"""


class LedgerError(Exception):
    """The ledger can't be opened or written; the message says why."""


class Ledger:
    """The grades of one batch folder. Every method that writes has written when it returns."""

    def __init__(self, path: Path) -> None:
        try:
            self._base = sqlite3.connect(path, isolation_level=None, timeout=10)
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")
            self._base.execute("pragma locking_mode = exclusive")
            self._base.executescript("begin exclusive;" + SCHEMA + "commit;")
        except sqlite3.OperationalError as problem:
            busy = "locked" in str(problem)
            raise LedgerError("another batch is running there" if busy else str(problem)) from None
        except sqlite3.DatabaseError as problem:
            raise LedgerError(f"{path.name} is no ledger of this grader ({problem})") from None

    def find(self, key: str) -> dict[str, Any] | None:
        """The document kept under a key, unless it is to be graded again."""
        row = self._base.execute("select document from grades where key = ? and not stale", [key]).fetchone()
        return json.loads(row[0]) if row else None

    def keep(self, key: str, document: dict[str, Any]) -> None:
        """Write a document down for good."""
        self._base.execute(
            "insert or replace into grades (key, submission, document) values (?, ?, ?)",
            [key, document["submission"], json.dumps(document)],
        )

    def let_all_go_stale(self) -> None:
        """Have everything graded again; what a run is killed before is still stale for the next."""
        self._base.execute("update grades set stale = 1")

    def close(self) -> None:
        """Close the file."""
        self._base.close()


def course_digest(assignments: tuple[Assignment, ...]) -> str:
    """A hash of everything on our side that a verdict depends on: tests, oracles, grader, torch, Python."""
    versions = f"{__version__} {importlib.metadata.version('torch')} {platform.python_version()}"
    total = hashlib.sha256(versions.encode())
    own = sorted(
        {*(ROOT / "grader").rglob("*.py"), *(ROOT / "solutions").glob("*.py"), ROOT / "assignments/scripted.py"}
    )
    for assignment in assignments:
        own += sorted(path for path in assignment.folder.iterdir() if path.suffix in (".py", ".toml"))
    own += [CHOICES] if CHOICES.is_file() else []
    for path in own:
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def key_of(submission: str, course: str, options: dict[str, Any]) -> str:
    """The key of one grade: `submission` and `course` are digests, `options` whatever else counts."""
    return hashlib.sha256(json.dumps([submission, course, options], sort_keys=True).encode()).hexdigest()
