"""What determines a grade besides the submission, and the sandbox that these choices ask for.

Imports nothing that needs torch: a command starts its sandbox first and loads torch while it waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.course import Assignment
from grader.sandbox import Sandbox, gpu


@dataclass(frozen=True)
class GradeOptions:
    """The assignments, the seed and device, whether hidden tests run, and a rung if one is forced.

    `alone` gives every probe a fresh process from the start: slow, and never another verdict.
    """

    assignments: tuple[Assignment, ...]
    seed: int = 0
    device: str = "cpu"
    hidden: bool = True
    rung: str | None = None
    alone: bool = False


def start_sandbox(options: GradeOptions) -> Sandbox:
    """Start a sandbox for these options; entering it as a context waits until it is ready."""
    warm = frozenset(need for assignment in options.assignments for need in assignment.warm)
    names = [assignment.name for assignment in options.assignments]
    if options.device == "cpu":
        return Sandbox(names, warm, options.rung)
    return Sandbox(names, warm, options.rung, devices=gpu.device_files(), gpu_mb=gpu.MEMORY_MB)
