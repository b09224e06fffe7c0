"""Puts one student's files where they can be graded: as they lie, if they do, or copied out of the download.

Of a file that was handed in again the later one counts, and of a whole archive and loose modules whichever
came later; what does not count is named. Names come from students and are checked before anything is
written; one submission's limits are those of an archive.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

from grader.course import load_course
from grader.downloads.arrival import Arrival, DownloadError, Part
from grader.downloads.box import Box
from grader.intake.inside.limits import MEMBER_LIMIT, UNPACKED_LIMIT
from grader.intake.inside.reading import inside_only
from grader.intake.inside.uploads import TOO_LARGE, Notes, Source

ARCHIVES = (".zip", ".tar.gz", ".tgz")
DISK_LEFT = 2**30
MARK = ".unpacked-by-grader"  # in a folder that is ours to empty
_AGAIN = re.compile(r"(.+?)(?:-\d{1,3}| ?\(\d{1,3}\))((?:\.tar)?\.[A-Za-z0-9]+)")  # cells-1.py, cells (2).py


def clear(staging: Path) -> None:
    """Empty the folder that an earlier run unpacked into. Raises DownloadError if it is somebody else's."""
    if not os.path.lexists(staging):
        return
    if staging.is_symlink() or not (staging / MARK).is_file():
        raise DownloadError(f"{staging} is in the way of what has to be unpacked. Give --out another folder.")
    shutil.rmtree(staging)


def _made(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    (target.parent / MARK).touch()
    target.mkdir()
    return target


def lay_out(arrival: Arrival, box: Box, target: Path) -> tuple[Path, list[str]]:
    """What to grade of an arrival, and what there is to say of it. `target` is a folder of ours, not there yet."""
    notes = Notes()
    if not arrival.parts:
        return _made(target), ["nothing was handed in"]
    if len(arrival.parts) == 1 and arrival.parts[0].name in ("", arrival.parts[0].top):
        place = box.place(arrival.parts[0].top)
        if place is not None:
            return place, []
    sources: list[Source] = []
    for name, part in _counted(arrival.parts, notes).items():
        for rest, size, opener in box.sources(part.top, notes):
            sources.append((f"{name}/{rest}".strip("/") if rest else name, size, opener))
    _made(target)
    try:
        _copy(inside_only(iter(sources), notes), target, notes)
    except _TooMuch as problem:
        shutil.rmtree(target)
        target.mkdir()
        notes.append(str(problem))
    return target, notes.shown()


def one_archive(place: Path) -> tuple[Path, list[str]]:
    """The archive in a folder that holds neither modules nor notebooks: a student who handed in a zip.

    Of several the last by name; the folder itself where there is none.
    """
    if not place.is_dir():
        return place, []
    try:
        below = [path for path in sorted(place.iterdir()) if not path.name.startswith(".") and not path.is_symlink()]
    except OSError:
        return place, []
    archives = [path for path in below if path.is_file() and path.name.lower().endswith(ARCHIVES)]
    programs = [path for path in below if path.is_dir() or path.suffix.lower() in (".py", ".ipynb")]
    if not archives or any(path.name != "__MACOSX" for path in programs):
        return place, []
    said = [f"of {len(archives)} archives the last by name counts: {archives[-1].name}"] if len(archives) > 1 else []
    return archives[-1], said


class _TooMuch(Exception):
    """The submission is past a limit; the text says which."""


def _counted(parts: list[Part], notes: Notes) -> dict[str, Part]:
    """The parts that count, by the names they get. Parts without a name are whole folders and all count."""
    if any(not part.name for part in parts):
        for part in parts:
            if part.name:
                notes.append(f"left out, the folder beside it counts: {part.name}")
        return {"" if n == 0 else f"folder {n + 1}": p for n, p in enumerate(p for p in parts if not p.name)}
    modules = {assignment.file for assignment in load_course()}
    handed_in = {part.name for part in parts}
    latest: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: part.order):
        match = _AGAIN.fullmatch(part.name)
        plain = match[1] + match[2] if match else part.name
        again = plain in modules or plain in handed_in
        latest.setdefault(plain if again else part.name, []).append(part)
    for name, several in latest.items():
        if len(several) > 1:
            notes.append(f"{name} was handed in {len(several)} times; the last counts: {several[-1].name}")
        elif several[0].name != name:
            notes.append(f"{several[0].name} counts as {name}")
    found = {name: several[-1] for name, several in latest.items()}
    archives = [name for name in found if name.lower().endswith(ARCHIVES)]
    programs = [name for name in found if name in modules or name.lower().endswith(".ipynb")]
    if not archives:
        return found
    last = max(archives, key=lambda name: found[name].order)
    if programs and max(found[name].order for name in programs) >= found[last].order:
        for name in archives:
            notes.append(f"left out, modules were handed in after it: {name}")
        return {name: part for name, part in found.items() if name not in archives}
    for name in found:
        if name != last:
            notes.append(f"left out, the archive {last} was handed in after it: {name}")
    return {last: found[last]}


def _copy(sources: list[Source], target: Path, notes: Notes) -> None:
    """Write the files below `target`. Raises _TooMuch past a limit, DownloadError where the disk is full."""
    if len(sources) > MEMBER_LIMIT:
        raise _TooMuch("it has more than 2,000 files, so nothing of it counts")
    total = 0
    for name, _, opener in sources:
        if shutil.disk_usage(target).free < DISK_LEFT:
            raise DownloadError(f"the disk is nearly full at {target}. Make room, then type the command again.")
        path = target.joinpath(*name.split("/"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except OSError:  # a file where a folder is needed, or a name this machine cannot write
            notes.leave_out("its name clashes with another", name)
            continue
        with file:
            try:
                with opener() as packed:
                    while chunk := packed.read(2**20):
                        total += len(chunk)
                        if total > UNPACKED_LIMIT:
                            raise _TooMuch(TOO_LARGE.replace("the archive unpacks to", "it is") + ", so nothing counts")
                        file.write(chunk)
                continue
            except (_TooMuch, DownloadError):
                raise
            except Exception as problem:  # a damaged member raises whatever its decoder happens to meet
                if getattr(problem, "errno", None) == errno.ENOSPC:
                    raise DownloadError(f"the disk is full at {target}. Make room and try again.") from None
                notes.leave_out("it can't be unpacked", name)
        path.unlink()
