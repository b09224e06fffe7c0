"""What would be handed in: which files count, what is missing, too big or ignored, and a zip of them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from grader.course import Assignment
from grader.documents import try_writing
from grader.intake import Submission

LISTED = 12


class HandInError(Exception):
    """The zip can't be made; the message says why and what to do."""


def describe_hand_in(path: Path, submission: Submission, assignments: Sequence[Assignment]) -> list[str]:
    """Lines for the student: files that count, modules that are not there, what is left out, and why."""
    if submission.whole:
        return [f"nothing of it can be read: {submission.whole}"]
    wanted = [assignment.file for assignment in assignments]
    modules = [file for file in wanted if file in submission.files and file not in submission.unreadable]
    packages = [a.file for a in assignments if f"{a.name}/__init__.py" in submission.files]
    others = len(set(submission.files) - set(wanted))
    lines = []
    if modules or others:
        sizes = [f"{file} ({_size(len(submission.files[file]))})" for file in modules]
        more = [f"{others} other file{'s' * (others != 1)}"] if others else []
        lines.append(f"counts: {_listed([*sizes, *more])}")
    lines += [f"can't be read: {file}: {why}" for file, why in submission.unreadable.items()]
    missing = [file for file in wanted if file not in {*modules, *packages, *submission.unreadable}]
    if missing:
        lines.append(f"not there: {_listed(missing)}")
    lines += submission.notes
    ignored = _ignored(path, submission)
    if ignored:
        lines.append(f"ignored: {_listed(ignored)}")
    return lines


def try_zip(path: Path, archive: Path) -> None:
    """Raise HandInError if `write_zip` could not write here, or would overwrite a student's work."""
    if not path.is_dir():
        raise HandInError(f"{path} is handed in as it is; only a folder needs a zip.")
    if archive.suffix.lower() != ".zip" or (archive.is_file() and not zipfile.is_zipfile(archive)):
        raise HandInError(f"{archive} is no name for a zip of it. Give --zip one that ends so: hand-in.zip")
    try:
        try_writing(archive)
    except OSError as problem:
        raise HandInError(f"{archive} can't be written ({problem.strerror}). Give --zip another place.") from None


def write_zip(path: Path, submission: Submission, archive: Path) -> int:
    """Write the files of a folder that count into a zip; how many they are. Raises HandInError."""
    names = {name for name in submission.files if (path / name).is_file() and not name.endswith(".zip")}
    names |= {entry.name for entry in path.glob("*.ipynb") if entry.is_file()}
    part = archive.with_name(archive.name + ".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as made:
            for name in sorted(names):
                made.write(path / name, name)
        part.replace(archive)
    except OSError as problem:
        raise HandInError(f"{archive} can't be written ({problem.strerror}). Give --zip another place.") from None
    return len(names)


def _ignored(path: Path, submission: Submission) -> list[str]:
    """What lies at the top of a folder and is no part of a submission, but for what a note names already."""
    if not path.is_dir():
        return []
    used = {name.split("/")[0] for name in submission.files} | set(submission.unreadable)
    said = " ".join(submission.notes)
    entries = sorted(os.listdir(path))
    return [name for name in entries if name not in used and name not in said and not name.endswith(".ipynb")]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:LISTED])
    return f"{shown} and {len(names) - LISTED} more" if len(names) > LISTED else shown


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.0f} kB"
