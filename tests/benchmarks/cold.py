"""Beside what torch itself takes: one grading from cold, and a whole warm submission.

    python -m tests.benchmarks.cold [-a NAME] [--rounds 5] [--rung namespaced]

Fresh processes take turns: one that imports torch, one that also takes one step of Adam, and a `grader grade` of
one assignment (cells, if none is named) and of all nine. Between them the same nine are graded in a warm sandbox,
by this process alone and by two at a time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from grader.course import ROOT, select
from tests.benchmarks import submissions
from tests.benchmarks.against_others import close, seconds_each, warm, with_ours
from tests.benchmarks.measuring import Table, load, spent

IMPORT = "import torch"
STEP = (
    "import torch; w = torch.nn.Parameter(torch.ones(2)); optimizer = torch.optim.Adam([w]); "
    "w.sum().backward(); optimizer.step()"
)
WARM_EACH = 4  # submissions that a worker grades in one round


def main(arguments: Sequence[str] | None = None) -> int:
    """Print medians; the last column is in units of `import torch`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-a", "--assignment", default="cells")
    parser.add_argument("--all", nargs="+", default=None, help="what 'all nine' are; for a quick try")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rung")
    options = parser.parse_args(arguments)
    course = select(options.all)
    names = [assignment.name for assignment in course]
    floor = ["--require-isolation", "split"]
    table = Table("", "s")
    with tempfile.TemporaryDirectory(prefix="cold-") as folder:
        path = submissions.write(Path(folder, "solved"), submissions.solved(course))
        grader = ["-m", "grader", "grade", str(path), *floor]
        chosen = [part for name in options.all or () for part in ("-a", name)]
        fresh = {
            "a fresh process: import torch": ["-c", IMPORT],
            "a fresh process: torch and one Adam step": ["-c", STEP],
            f"cold: grader grade -a {options.assignment}": [*grader, "-a", options.assignment],
            f"cold: grader grade, {len(names)} assignments": [*grader, *chosen],
        }
        spawn = multiprocessing.get_context("spawn")
        with (
            ProcessPoolExecutor(1, spawn, warm, (names, options.rung)) as one,
            ProcessPoolExecutor(2, spawn, warm, (names, options.rung)) as two,
        ):
            pools = {f"warm: {len(names)} assignments, one worker": one, "warm: the same, two workers, each": two}
            task = (names, path, True)
            for pool in pools.values():
                seconds_each(pool, with_ours, [task] * 6)  # fills their caches
            for _ in range(options.rounds):
                for label, line in fresh.items():
                    with spent() as time:
                        subprocess.run([sys.executable, *line], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
                    table.add(label, time.wall)
                for workers, (label, pool) in enumerate(pools.items(), start=1):
                    table.add(label, seconds_each(pool, with_ours, [task] * (WARM_EACH * workers)))
            for workers, pool in enumerate(pools.values(), start=1):
                for future in [pool.submit(close) for _ in range(workers)]:
                    future.result()
    table.show(against="a fresh process: import torch")
    cold, step = (table.median(label) for label in list(fresh)[2:0:-1])
    print(f"grader grade -a {options.assignment} takes {cold / step:.2f} times torch and one Adam step")
    print(f"medians of {options.rounds} rounds; {load()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
