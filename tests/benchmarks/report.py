"""How long the class report takes: `grader report` on a class of synthetic students, all assignments.

    python -m tests.benchmarks.report [--students 500] [--rounds 3]

The aim is ten seconds for 500. A few submissions are graded for real; each student takes every test's row
from one of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.course import load_course
from grader.options import GradeOptions, start_sandbox
from tests.benchmarks.measuring import Table, load, spent
from tests.report.synthetic import graded_pool, make_class, write_class


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    table = Table("report of", "wall s")
    with tempfile.TemporaryDirectory(prefix="report-") as name:
        folder = Path(name)
        (folder / "pool").mkdir()
        with start_sandbox(GradeOptions(load_course(), rung="split")) as sandbox:
            pool = graded_pool(folder / "pool", sandbox)
        batch = write_class(make_class(pool, options.students), folder / "class")
        for number in range(options.rounds):
            command = [sys.executable, "-m", "grader", "report", str(batch), "--out", str(folder / str(number))]
            with spent() as time:
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            table.add(f"{options.students} students", time.wall)
    table.show()
    print(f"medians of {options.rounds} rounds; {load()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
