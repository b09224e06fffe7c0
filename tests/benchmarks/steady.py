"""Correct programs on a busy machine: not one point may be lost, and no document may change. `make steady` runs it.

    python -m tests.benchmarks.steady [--runs 1000] [--seed 0] [--rung namespaced]

Every core is kept busy by a process that does nothing else while solutions and variants are graded, one after
the other, each with another seed of its inputs from round to round; every tenth is graded twice and the two
documents compared. Then a class of them is graded by one worker and by two, and the documents are compared
again. Prints what was run and each point lost; ends with 1 if there is any, or any difference.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.cli import main as grader
from grader.course import SOLUTIONS, Assignment, load_course, select
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import Sandbox
from tests.support import rows_of, without_timing

VARIANTS = Path(__file__).parent.parent / "variants"
TWICE = 10  # one in so many is graded twice
CLASS = 10  # submissions of the class that one and two workers grade

Program = tuple[Assignment, dict[str, bytes]]


@functools.cache
def programs() -> list[Program]:
    """The solution and every variant of each assignment, with the solutions of what it builds on."""
    found: list[Program] = []
    for assignment in load_course():
        needed = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_bytes() for need in assignment.needs}
        found.append((assignment, {**needed, assignment.file: (SOLUTIONS / assignment.file).read_bytes()}))
        for path in sorted((VARIANTS / assignment.name).iterdir()):
            if path.suffix == ".py":
                found.append((assignment, {**needed, assignment.file: path.read_bytes()}))
            elif any(path.glob("**/*.py")):
                own = {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.glob("**/*.py"))}
                found.append((assignment, {**needed, **own}))
    return found


def spin() -> None:
    """Keep a core busy until this process is ended."""
    while True:
        pass


@contextlib.contextmanager
def all_cores_busy() -> Iterator[int]:
    """One process that only spins for each core; how many there are."""
    process = multiprocessing.get_context("spawn").Process
    spinners = [process(target=spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for spinner in spinners:
        spinner.start()
    try:
        yield len(spinners)
    finally:
        for spinner in spinners:
            spinner.terminate()
            spinner.join()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """The files of a submission, in a new folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def grading(number: int, seed: int, sandbox: Sandbox, folder: Path) -> str:
    """Grade one of the programs, each round of them with another seed: what is wrong with that, "" for nothing."""
    every = programs()
    assignment, files = every[number % len(every)]
    path = write(folder / f"{number:05}", files)
    options = GradeOptions((assignment,), seed=seed + number // len(every))
    document = grade(path, options, sandbox).document
    lost = rows_of(document, "failed", "error", "timeout", "grader-error")
    problem = "; ".join(f"{name} {row['status']}: {row['message']}" for name, row in lost.items())
    if number % TWICE == 0:
        again = grade(path, options, sandbox).document
        if without_timing(again) != without_timing(document):
            problem += "; a second document differs"
    return f"{assignment.name} {number}, seed {options.seed}: {problem}" if problem else ""


def class_of(size: int, folder: Path, skip: int = 0) -> Path:
    """A class of whole submissions, each of other variants, for the batch command; `skip` makes other classes."""
    every = programs()
    for number in range(size):
        for assignment in select(None):
            mine = [files for owner, files in every if owner is assignment]
            write(folder / f"member-{number:02}", mine[(number + skip * size) % len(mine)])
    return folder


def documents_of(class_folder: Path, out: Path, jobs: int) -> dict[str, Any]:
    """A class graded by so many workers: every document without what is timed."""
    status = grader(["batch", str(class_folder), "--out", str(out), "--jobs", str(jobs)])
    if status != 0:
        raise RuntimeError(f"grader batch ended with {status}")
    return {path.name: without_timing(json.loads(path.read_text())) for path in sorted(out.glob("documents/*.json"))}


def main() -> int:
    """Run both parts and print what was run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rung", default=None, help="of the sandbox; the best one if left out")
    options = parser.parse_args()
    started = time.monotonic()
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="steady-") as folder, all_cores_busy() as spinners:
        with start_sandbox(GradeOptions(load_course(), rung=options.rung)) as sandbox:
            for number in range(1, options.runs + 1):
                problem = grading(number - 1, options.seed, sandbox, Path(folder))
                if problem:
                    problems.append(problem)
                    print(problem, flush=True)
                if number % 50 == 0:
                    print(f"{number} of {options.runs} gradings", flush=True)
        print(f"{options.runs} gradings of {len(programs())} correct programs on {sandbox.level}: {len(problems)} lost")
        members = class_of(max(2, min(CLASS, options.runs // 10)), Path(folder, "class"))
        one, two = (documents_of(members, Path(folder, f"by-{jobs}"), jobs) for jobs in (1, 2))
        differing = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
        print(f"{len(one)} submissions by one worker and by two: {len(differing)} documents differ {differing or ''}")
    load = f"{spinners} processes that only spin, load {os.getloadavg()[0]:.1f}"
    print(f"{time.monotonic() - started:.0f} s beside {load}")
    return 1 if problems or differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
