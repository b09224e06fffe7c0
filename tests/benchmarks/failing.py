"""What a submission costs in which everything fails, beside a correct one.

    python -m tests.benchmarks.failing [--rounds 5] [-a NAME]… [--rung namespaced]

One warm sandbox grades them in turn, round after round. A failure is tried again in a process of its
own, and explained; the aim is to take at most twice the time of the correct submission all the same.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.course import select
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from tests.benchmarks import submissions
from tests.benchmarks.measuring import Table, load, spent


def main(arguments: Sequence[str] | None = None) -> int:
    """Print medians, and each as a multiple of the correct one's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-a", "--assignment", action="append")
    parser.add_argument("--rung")
    options = parser.parse_args(arguments)
    course = select(options.assignment)
    choice = GradeOptions(course, rung=options.rung)
    kinds = {
        "correct": submissions.solved(course),
        "untouched": submissions.untouched(course),
        "raises everywhere": submissions.raising(course),
        "not a number": submissions.not_a_number(course),
        "a mistake in each": submissions.mistaken(course, 0),
        "others in each": submissions.mistaken(course, 1),
    }
    table = Table("submission", "wall s", "CPU s", "score")
    with tempfile.TemporaryDirectory(prefix="failing-") as folder, start_sandbox(choice) as sandbox:
        paths = {kind: submissions.write(Path(folder, kind.replace(" ", "-")), files) for kind, files in kinds.items()}
        for number in range(options.rounds + 1):
            for kind, path in paths.items():
                with spent() as time:
                    document = grade(path, choice, sandbox).document
                if number:  # the first fills the caches
                    table.add(kind, time.wall, time.cpu, document["score"])
        level = sandbox.level
    table.show(against="correct")
    print(f"medians of {options.rounds} rounds on {level}, CPU of the trusted side; {load()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
