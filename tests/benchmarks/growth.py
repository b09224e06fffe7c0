"""What grading takes in memory, and whether a worker grows or slows down over a class.

    python -m tests.benchmarks.growth [-a NAME]… [--submissions 1000] [--rung namespaced]

One warm worker grades that many submissions, correct ones and wrong ones in turn, no two alike. Printed are, for
stretches of the class, seconds a submission and the proportional set size (PSS: shared pages divided among those
who share them) of the trusted process and of its sandbox; then, of one correct submission, how much more its own
processes take at the most.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.course import select
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from tests.benchmarks import submissions
from tests.benchmarks.measuring import Table, load

STRETCHES = (10, 30, 100, 300, 1000, 3000, 10_000)


def pss_mb(pid: int) -> float:
    """Proportional set size of a process in MiB; 0 if it is gone, or may not be looked at."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def below(root: int) -> set[int]:
    """The processes that descend from one."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def sandbox_mb() -> float:
    """What all processes below this one take together."""
    return sum(map(pss_mb, below(os.getpid())))


def peak(every: int) -> tuple[Callable[[object], None], list[float]]:
    """A callback for `grade`'s progress that looks at the sandbox after every so many tests, and what it saw."""
    seen: list[float] = []
    count = 0

    def look(_: object) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            seen.append(sandbox_mb())

    return look, seen


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each stretch of the class, and the memory of one submission."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-a", "--assignment", action="append")
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--rung")
    options = parser.parse_args(arguments)
    course = select(options.assignment)
    choice = GradeOptions(course, rung=options.rung)
    table = Table("after submissions", "s each", "trusted MiB", "sandbox MiB")
    with tempfile.TemporaryDirectory(prefix="growth-") as folder, start_sandbox(choice) as sandbox:
        since, began = 0, time.perf_counter()
        ends = sorted({min(end, options.submissions) for end in STRETCHES})
        for number in range(1, options.submissions + 1):
            sources = submissions.solved(course) if number % 2 else submissions.mistaken(course, number)
            grade(submissions.write(Path(folder, f"student-{number}"), sources, number), choice, sandbox)
            if number in ends:
                each = (time.perf_counter() - began) / (number - since)
                table.add(f"{number}", each, pss_mb(os.getpid()), sandbox_mb())
                since, began = number, time.perf_counter()
        idle = sandbox_mb()
        look, seen = peak(every=5)
        grade(submissions.write(Path(folder, "last"), submissions.solved(course)), choice, sandbox, look)
        level = sandbox.level
    table.show()
    print(f"one submission: its processes take {max(seen, default=0.0) - idle:.0f} MiB more at the most")
    print(f"{options.submissions} submissions on {level}, every other one correct; {load()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
