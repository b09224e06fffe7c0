"""Makes the golden texts: what `grader check` says of each known mistake, and all of what it says of untouched stubs.

One file an assignment, a paragraph a submission, as it is read on a terminal of 100 columns. Numbers
with a fraction may differ in their last digits from machine to machine, so `comparable` leaves them out.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from grader.check.once import public_options
from grader.check.show import show_check
from grader.course import SOLUTIONS, STARTER, Assignment
from grader.diagnosis import load_misconceptions, mutate
from grader.export.terminal import show_failures
from grader.grade import grade
from grader.sandbox import Sandbox

FOLDER = Path(__file__).parent
STUB = "the untouched stub"
WIDTH = 100
_FRACTION = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+e[-+]?\d+")
_SHARE = re.compile(r"\d+%")


def names_of(assignment: Assignment) -> list[str]:
    """What there is a text of: the stub, and every misconception."""
    return [STUB, *(misconception.id for misconception in load_misconceptions(assignment))]


def text_of(assignment: Assignment, name: str, sandbox: Sandbox) -> str:
    """What a student reads who hands this in."""
    if name == STUB:
        files = {file: (STARTER / file).read_text() for file in _files(assignment)}
    else:
        wrong = next(misconception for misconception in load_misconceptions(assignment) if misconception.id == name)
        files = {file: (SOLUTIONS / file).read_text() for file in _files(assignment)}
        files[assignment.file] = mutate(assignment.name, wrong)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "work")
        work.mkdir()
        for file, source in files.items():
            (work / file).write_text(source)
        document = grade(work, public_options((assignment,), 0), sandbox).document
    shown = io.StringIO()
    console = Console(file=shown, width=WIDTH, highlight=False, emoji=False, markup=False, color_system=None)
    if name == STUB:
        show_check(document, (assignment,), (), console)
    else:
        show_failures(document["assignments"][0], console)
    return shown.getvalue().strip() + "\n"


def _files(assignment: Assignment) -> list[str]:
    return [*(f"{need}.py" for need in assignment.needs), assignment.file]


def path_of(assignment: Assignment) -> Path:
    """Where an assignment's texts are kept."""
    return FOLDER / f"{assignment.name}.txt"


def read(path: Path) -> dict[str, str]:
    """The texts of a golden file, by name."""
    parts = re.split(r"^=== (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {name: text.rstrip("\n") + "\n" for name, text in zip(parts[::2], parts[1::2], strict=True)}


def write(path: Path, texts: Iterator[tuple[str, str]]) -> None:
    """Write the texts of a golden file, a heading before each."""
    path.write_text("\n".join(f"=== {name}\n{text}" for name, text in texts), encoding="utf-8")


def comparable(text: str) -> str:
    """A text without what may differ between machines: last digits, and line ends that move with them."""
    return " ".join(_SHARE.sub("#%", _FRACTION.sub("#", text)).split())
