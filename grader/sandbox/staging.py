"""Copies into a fresh folder exactly the files that may enter the student's process, one by one.

The list below is the whole of it. Hidden tests, oracles and solutions lie in neighbouring files, so
nothing is ever staged by folder or by pattern.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from grader.course import ROOT

HARNESS = (
    "grader/wire/__init__.py",
    "grader/wire/frames.py",
    "grader/wire/values.py",
    "grader/sandbox/inside/__init__.py",
    "grader/sandbox/inside/canary.py",
    "grader/sandbox/inside/compartment.py",
    "grader/sandbox/inside/confine.py",
    "grader/sandbox/inside/forks.py",
    "grader/sandbox/inside/gpu.py",
    "grader/sandbox/inside/library_cells.py",
    "grader/sandbox/inside/namespaces.py",
    "grader/sandbox/inside/session.py",
    "grader/sandbox/inside/student.py",
    "grader/sandbox/inside/zygote.py",
)
CPUINFO = "cpuinfo"
SCRIPTED = "assignments/scripted.py"


def stage_kit(folder: Path, assignments: Iterable[str]) -> None:
    """Copy the harness' inside and the probes of the named assignments below `folder`."""
    names = [*HARNESS, SCRIPTED, *(f"assignments/{name}/probes.py" for name in assignments)]
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    with contextlib.suppress(OSError):  # torch's half precision wants to know the processor
        (folder / CPUINFO).write_bytes(Path("/proc/cpuinfo").read_bytes())
    for path in [folder, *folder.rglob("*")]:  # readable by the student's own uid
        path.chmod(0o755 if path.is_dir() else 0o644)
    for package in ("grader", "grader/sandbox", "assignments", *(f"assignments/{n}" for n in assignments)):
        init = folder / package / "__init__.py"
        init.touch(mode=0o644)
