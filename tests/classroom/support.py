"""A small class to grade: submissions of which it is known what they earn."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from grader.course import ROOT, SOLUTIONS, STARTER
from tests.support import without_timing

CELLS = (SOLUTIONS / "cells.py").read_text()
PROGRAMS = {
    "right": (CELLS, 18.0),
    "stub": ((STARTER / "cells.py").read_text(), 0.0),
    "broken": ("def (", 0.0),
    "no-rnn": (CELLS.replace("class RNNCellFromScratch", "class Renamed"), None),
}


def make_class(folder: Path, size: int) -> Path:
    """Write `size` submissions of `cells`, folders and archives in turn."""
    folder.mkdir()
    kinds = list(PROGRAMS)
    for number in range(size):
        kind = kinds[number % len(kinds)]
        source = f"# student {number}\n{PROGRAMS[kind][0]}"
        name = f"{number:03}-{kind}"
        if number % 3:
            (folder / name).mkdir()
            (folder / name / "cells.py").write_text(source)
        else:
            with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
                archive.writestr("cells.py", source)
    return folder


def command(folder: Path, out: Path, *options: str) -> list[str]:
    """The command line that grades a class in `cells`."""
    arguments = ["batch", str(folder), "--out", str(out), "-a", "cells", "--require-isolation", "split", *options]
    return [sys.executable, "-m", "grader", *arguments]


def run(folder: Path, out: Path, *options: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Grade a class to the end."""
    done = subprocess.run(command(folder, out, *options), cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == expect, done.stderr
    return done


def documents(out: Path) -> dict[str, Any]:
    """The documents in a batch folder, without what is timed."""
    return {path.name: without_timing(json.loads(path.read_text())) for path in sorted((out / "documents").iterdir())}
