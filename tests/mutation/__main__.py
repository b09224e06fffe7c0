"""Tries every mutant of the solutions and prints the mutation score: `make mutants`.

    python -m tests.mutation [NAME ...] [--every N] [--out FILE]

The score is the share of mutants that lose points, of all but those that `equivalent.toml` lists. Ends with 1
if it lies below the aim, if an account is stale, or if a listed mutant is caught after all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from grader.course import load_course
from grader.options import GradeOptions, start_sandbox
from tests.mutation.trial import accounts, every_mutant, stale, try_mutants

AIM = 0.97


def main() -> int:
    """Print survivors as they are found, then the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these assignments")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only one mutant in N")
    parser.add_argument("--rung", default=None, help="of the sandbox; the best one if left out")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the trials as JSON lines")
    options = parser.parse_args()
    listed = accounts()
    problems = [f"stale, there is no such mutant: {key}" for key in stale(listed)]
    chosen = [m for m in every_mutant() if not options.names or m.assignment in options.names][:: options.every]
    killed, survived, excused, statuses = Counter(), Counter(), Counter(), Counter()
    started, cpu = time.monotonic(), time.process_time()
    with start_sandbox(GradeOptions(load_course(), rung=options.rung)) as sandbox:
        out = options.out.open("w", encoding="utf-8") if options.out else None
        for number, trial in enumerate(try_mutants(chosen, sandbox), start=1):
            mutant = trial.mutant
            if out:
                row = {"key": mutant.key, "killer": trial.killer, "status": trial.status}
                print(json.dumps(row, ensure_ascii=False), file=out, flush=True)
            if trial.killer:
                killed[mutant.assignment] += 1
                statuses[trial.status] += 1
                if mutant.key in listed:
                    problems.append(f"listed, and caught by {trial.killer}: {mutant}")
            elif mutant.key in listed:
                excused[mutant.assignment] += 1
            else:
                survived[mutant.assignment] += 1
                print(f"survived: {mutant}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(chosen)}", end="", file=sys.stderr)
    print(f"\n{'assignment':16} {'mutants':>8} {'listed':>7} {'killed':>7} {'survived':>9} {'score':>8}")
    for name in [*dict.fromkeys(m.assignment for m in chosen), "together"]:
        counts = [counter.total() if name == "together" else counter[name] for counter in (excused, killed, survived)]
        listed_here, dead, alive = counts
        score = dead / max(1, dead + alive)
        print(f"{name:16} {sum(counts):8} {listed_here:7} {dead:7} {alive:9} {score:8.2%}")
    how = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    print(f"killed by the first lost test's status: {how}")
    took = f"{time.monotonic() - started:.0f} s, {time.process_time() - cpu:.0f} s of CPU on the trusted side"
    print(f"rung {sandbox.level}, {took}")
    for problem in problems:
        print(problem)
    return 1 if problems or killed.total() < AIM * (killed.total() + survived.total()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
