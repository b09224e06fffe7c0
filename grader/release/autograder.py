"""The zip that Gradescope's "Configure Autograder" takes: the kit with its hidden tests, and two scripts.

It is for Gradescope alone: whoever has it has every hidden test and solution. The student's code runs in
the kit's own sandbox there, under a uid of its own; the scripts are in `gradescope/`.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Sequence
from pathlib import Path

from grader.course import ROOT, SOLUTIONS

SCRIPTS = Path(__file__).with_name("gradescope")
WHOLE = ("grader", "assignments")  # folders that are taken with all that is in them
BESIDE = ("pyproject.toml", "constraints.txt", "course.toml", "README.md", "LICENSE")
WHEN = (2026, 1, 1, 0, 0, 0)  # the same zip for the same kit


class AutograderError(Exception):
    """There is no zip; one line says why and what to do."""


def autograder_zip(options: Sequence[str]) -> bytes:
    """The zip, whose `run_autograder` gives `options` to `grader grade`. Raises AutograderError."""
    if not SOLUTIONS.is_dir():
        raise AutograderError("the solutions are not here, which grading needs. Take a whole checkout of the kit")
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sorted(_kit())}
    for path in SCRIPTS.iterdir():
        files[path.name] = path.read_text(encoding="utf-8").replace("@OPTIONS@", shlex.join(options)).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, WHEN)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o755 if content.startswith(b"#!") else 0o644) << 16
            archive.writestr(member, content)
    return target.getvalue()


def _kit() -> list[Path]:
    found = [ROOT / name for name in BESIDE if (ROOT / name).is_file()]
    found += SOLUTIONS.glob("*.py")
    for name in WHOLE:
        found += [path for path in (ROOT / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return found
