"""What grading one correct submission costs: CPU of the student's process, time of the tests, by assignment.

    python -m tests.benchmarks.probe_cost [--runs 7] [--rung namespaced]

Grades `solutions` again and again in one warm sandbox and prints medians. The CPU of the student's
process is the kernel's own count for that process while it answers probes: torch's import is not in
it. "trusted" is what the tests take beside that: oracles, comparisons, the wire, session starts.
"""

from __future__ import annotations

import argparse
import statistics
import time

from grader.course import SOLUTIONS, load_course
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox


def main() -> int:
    """Print a table of medians over the runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--rung", default=None)
    options = parser.parse_args()
    course = load_course()
    choice = GradeOptions(course, rung=options.rung)
    cpu: dict[str, list[float]] = {assignment.name: [] for assignment in course}
    wall: dict[str, list[float]] = {assignment.name: [] for assignment in course}
    totals: list[float] = []
    trusted: list[float] = []
    with start_sandbox(choice) as sandbox:
        for run in range(options.runs + 1):
            before = time.process_time()
            document = grade(SOLUTIONS, choice, sandbox).document
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
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
