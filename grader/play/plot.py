"""`grader plot NAME`: a picture of what a student's own code does, measured in a process of its own.

The process that runs the student's code only measures (`measure.py`); this one reads its numbers and
draws them (`draw.py`).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from grader.course import ROOT
from grader.messages import quote

NAMES = ("fast_lstm", "gradient_flow")
KINDS = (".svg", ".png")
PATIENCE_S = 300.0
NOTE_LIMIT = 200


class PlotError(Exception):
    """There is no picture; one line says why and what to do."""


def make_plot(name: str, folder: Path, target: Path) -> list[str]:
    """Measure with the code in `folder`, draw into `target`; return what was missing, one sentence each.

    Raises PlotError if nothing can be drawn.
    """
    if target.suffix not in KINDS:
        raise PlotError(f"{target} should end in .svg or .png.")
    found = _measured(name, folder)
    notes = [quote(str(note), NOTE_LIMIT) for note in found["notes"]]
    drawable = found["lines"] if name == "fast_lstm" else [line for panel in found["panels"] for line in panel["lines"]]
    if not drawable:
        raise PlotError(f"there is nothing to draw yet: {notes[0] if notes else 'nothing was measured'}")
    for panel in found.get("panels", []):
        panel["absent"] = quote(panel["absent"], NOTE_LIMIT)
    from grader.play.draw import save

    try:
        save(name, found, target)
    except OSError as problem:
        raise PlotError(f"{target} can't be written ({problem.strerror}). Give --out another file.") from None
    return notes


def _measured(name: str, folder: Path) -> dict[str, Any]:
    """What the measuring process found. Its prints go to standard error; standard output is ours."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "found.json")
        command = [sys.executable, "-m", "grader.play.measure", name, str(folder.resolve()), str(target)]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                env={**os.environ, "PYTHONPATH": path},
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PlotError(
                f"your code was not done after {PATIENCE_S:g} s. Is there a loop that never ends?"
            ) from None
        if done.returncode != 0 or not target.is_file():
            raise PlotError(f"your code ended the measuring before it was done (status {done.returncode}).")
        found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
        return found


def can_draw() -> bool:
    """Whether matplotlib is there; nothing else in the grader needs it."""
    return importlib.util.find_spec("matplotlib") is not None
