"""What grading one correct submission costs: CPU of the student's process, time of the tests, by assignment.

    python -m tests.benchmarks.probe_cost [-a NAME]… [--runs 7] [--rung namespaced]

Grades the solutions again and again in one warm sandbox and prints medians. The CPU of the student's
process is the kernel's own count for that process while it answers probes: torch's import is not in
it. "trusted CPU" is this side's for a whole grading: pytest, oracles, comparisons, the wire, the document.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from grader.course import select
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from tests.benchmarks import submissions
from tests.benchmarks.measuring import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of medians over the runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-a", "--assignment", action="append")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--rung", default=None)
    options = parser.parse_args(arguments)
    course = select(options.assignment)
    choice = GradeOptions(course, rung=options.rung)
    cpu: dict[str, list[float]] = {assignment.name: [] for assignment in course}
    wall: dict[str, list[float]] = {assignment.name: [] for assignment in course}
    totals: list[float] = []
    trusted: list[float] = []
    with tempfile.TemporaryDirectory(prefix="probe-cost-") as folder, start_sandbox(choice) as sandbox:
        path = submissions.write(Path(folder, "solved"), submissions.solved(course))
        for run in range(options.runs + 1):
            before = time.process_time()
            document = grade(path, choice, sandbox).document
            if run == 0:  # imports and caches
                continue
            trusted.append(time.process_time() - before)
            totals.append(document["duration_s"])
            for row in document["assignments"]:
                cpu[row["name"]].append(sum(test["timing"]["student_cpu_s"] for test in row["tests"]))
                wall[row["name"]].append(sum(test["timing"]["duration_s"] for test in row["tests"]))
    print(f"{'assignment':16} {'student CPU':>12} {'tests, wall':>12}   (seconds, medians of {options.runs})")
    for assignment in course:
        name = assignment.name
        print(f"{name:16} {statistics.median(cpu[name]):12.3f} {statistics.median(wall[name]):12.3f}")
    together = [sum(values) for values in zip(*cpu.values(), strict=True)]
    print(f"{'together':16} {statistics.median(together):12.3f} {statistics.median(totals):12.3f}")
    print(f"{'trusted CPU':16} {statistics.median(trusted):12.3f}")
    print(load())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
