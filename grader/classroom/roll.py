"""Who handed in what: the submissions in a folder, their names, and what tells one's bytes from another's.

Nothing is unpacked or parsed here; links are never followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.intake.receive import submission_name

NOT_HANDED_IN = (".csv", ".yml", ".yaml", ".json")  # what a platform puts beside the submissions
CHUNK = 2**20


@dataclass(frozen=True)
class Entry:
    """One submission: its name in documents (unique in the class), and where it lies."""

    name: str
    path: Path


def call(folder: Path) -> tuple[list[Entry], list[str]]:
    """The submissions in `folder` in the order of their file names, and the names of what is none.

    A folder or a file is a submission, whatever it holds; hidden names, links and the lists of a
    platform (`.csv`, `.yml`, `.json`) are not. Of two with one name (`ada.zip`, `ada.tar.gz`) the second
    is `ada~2`.
    """
    entries: list[Entry] = []
    ignored: list[str] = []
    taken: set[str] = set()
    for path in sorted(folder.iterdir(), key=lambda path: os.fsencode(path.name)):
        mode = path.lstat().st_mode
        handed_in = stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and path.suffix.lower() not in NOT_HANDED_IN)
        if path.name.startswith(".") or path.name == "__MACOSX" or not handed_in:
            ignored.append(path.name)
            continue
        entries.append(Entry(_unique(submission_name(path), taken), path))
    return entries, ignored


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique.lower() in taken:  # some file systems don't tell Ada from ada
        number += 1
        unique = f"{name[: 100 - len(str(number)) - 1]}~{number}"
    taken.add(unique.lower())
    return unique


def digest(path: Path) -> str:
    """A hash of a submission's bytes: of the file, or of a folder's regular files and their names."""
    total = hashlib.sha256(path.name.encode(errors="surrogateescape"))
    if not path.is_dir():
        total.update(b"file")
        _add(total, path)
    else:
        for file in _files_below(path):
            total.update(b"\0" + os.fsencode(file.relative_to(path)) + b"\0")
            _add(total, file)
    return total.hexdigest()


def _files_below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(root, name)


def _add(total: hashlib._Hash, path: Path) -> None:
    """Add a regular file's own hash; anything else counts by its kind alone."""
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        total.update(b"not a file %d" % stat.S_IFMT(mode))
        return
    own = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                own.update(chunk)
    except OSError as problem:
        own.update(f"unreadable {problem.errno}".encode())
    total.update(own.digest())
