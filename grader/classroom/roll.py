"""Who handed in what: the submissions in a folder, their names, and what tells one's bytes from another's.

Nothing is unpacked or parsed here; links are never followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from grader.downloads import Entry, collect

CHUNK = 2**20

__all__ = ["Entry", "call", "digest"]


def call(folder: Path) -> tuple[list[Entry], list[str]]:
    """The submissions in a plain folder in the order of their file names, and the names of what is none.

    A folder or a file is a submission, whatever it holds; hidden names, links and the lists of a
    platform (`.csv`, `.yml`, `.json`) are not. Of two with one name (`ada.zip`, `ada.tar.gz`) the second
    is `ada~2`.
    """
    known = collect(folder, folder / ".unpacked", form="folder")
    return known.submissions, known.ignored


def digest(path: Path) -> str:
    """A hash of a submission's bytes: of the file and its name, or of a folder's regular files and theirs.

    A folder's own name is often its student's, and no grade depends on that.
    """
    total = hashlib.sha256(b"" if path.is_dir() else path.name.encode(errors="surrogateescape"))
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
