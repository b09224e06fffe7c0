"""Submissions a minute: this grader, `otter run`, and a fresh pytest process for each submission.

    python -m tests.benchmarks.against_others [-a NAME]… [--rounds 3] [--workers 1 2] [--ours 20]

All three run the same checks, the public tests of the chosen assignments (all nine if none is chosen), on the
same correct answers, which are all earned. Otter gets the kit's own master notebook, made ready by `otter assign`,
a question an assignment; `otter run` grades one notebook without a container, which is the least that Otter does.
The fresh process is plain pytest beside the student's code, without any wall. Ours reads the same notebook in a
warm sandbox, and once more with the hidden tests too, which neither of the others has. They take turns, round
after round; with two workers two submissions are graded at a time.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from grader.course import ROOT, Assignment, select
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from grader.release import master_notebook, student_notebook
from grader.sandbox import Sandbox
from tests.benchmarks import submissions
from tests.benchmarks.measuring import Table, load

FRESH = """
import sys

import pytest

from grader.course import select
from grader.diagnosis.local import modes_kept
from grader.sandbox.inside.student import Student, SubmissionFinder
from grader.suite.in_process import public_tests, run_test

sys.meta_path.insert(0, SubmissionFinder({submission!r}))
CHECKS = [(a, name, test) for a in select({names!r}) for name, (test, _) in public_tests(a).items()]


@pytest.mark.parametrize(("assignment", "name", "test"), CHECKS)
def test_public(assignment, name, test):
    with modes_kept():
        run_test(assignment, name, test, Student(assignment.name), 0)
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

_sandbox: Sandbox | None = None


def warm(names: list[str], rung: str | None) -> None:
    """Give this process a sandbox that lasts as long as it does."""
    global _sandbox
    _sandbox = start_sandbox(GradeOptions(select(names), rung=rung)).__enter__()


def with_ours(names: list[str], path: Path, hidden: bool) -> None:
    """Grade one submission in this process's sandbox; anything but full marks is an error."""
    assert _sandbox is not None
    document = grade(path, GradeOptions(select(names), hidden=hidden), _sandbox).document
    lost = [test["name"] for row in document["assignments"] for test in row["tests"] if test["status"] != "passed"]
    if lost or not document["complete"]:
        raise RuntimeError(f"{path.name} lost {lost}")


def close() -> None:
    """End this process's sandbox."""
    if _sandbox is not None:
        _sandbox.close()


class Otter:
    """A master made ready by Otter, to grade the notebook of its solutions again and again."""

    def __init__(self, assignments: tuple[Assignment, ...], folder: Path) -> None:
        self.name = "all" if len(assignments) > 1 else assignments[0].name
        (folder / f"{self.name}.ipynb").write_text(master_notebook(self.name, assignments), encoding="utf-8")
        _run([sys.executable, "-m", "otter", "assign", "--no-run-tests", f"{self.name}.ipynb", "made"], folder)
        made = folder / "made" / "autograder"
        self.zip, self.notebook = next(made.glob("*.zip")), made / f"{self.name}.ipynb"

    def grade(self, out: Path) -> None:
        """Run Otter on one submission; anything but full marks is an error."""
        out.mkdir(parents=True)
        line = [sys.executable, "-m", "otter", "run", str(self.notebook), "-a", str(self.zip), "-o", str(out)]
        _run(line, out)
        rows = json.loads((out / "results.json").read_text())["tests"]
        lost = [row["name"] for row in rows if row.get("score", 0) != row.get("max_score", 0)]
        if lost or not any(row.get("max_score") for row in rows):
            raise RuntimeError(f"Otter took points for {lost or 'everything'}")


def fresh(test_file: Path) -> None:
    """Run one submission's checks in a pytest process of its own."""
    _run([sys.executable, "-m", "pytest", "-q", "-c", os.devnull, str(test_file)], test_file.parent)


def _run(line: list[str], cwd: Path) -> None:
    done = subprocess.run(line, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line[1:5])} ended with {done.returncode}: {(done.stdout + done.stderr)[-600:]}")


def seconds_each(executor: Executor, work: Callable[..., None], tasks: Sequence[tuple[object, ...]]) -> float:
    """Seconds a submission: all tasks handed to the executor at once, until the last is done."""
    started = time.perf_counter()
    for future in [executor.submit(work, *task) for task in tasks]:
        future.result()
    return (time.perf_counter() - started) / len(tasks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print seconds a submission and submissions a minute, for each way and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-a", "--assignment", action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ours", type=int, default=20, help="submissions a round for this grader; the others get one")
    parser.add_argument("--rung")
    options = parser.parse_args(arguments)
    course = select(options.assignment)
    names = [assignment.name for assignment in course]
    table = Table("way, workers", "s each", "a minute")
    with tempfile.TemporaryDirectory(prefix="against-") as made:
        folder = Path(made)
        otter = Otter(course, folder)
        book = folder / "notebook" / f"{otter.name}.ipynb"
        book.parent.mkdir()
        book.write_text(student_notebook(otter.name, course, solved=True), encoding="utf-8")
        modules = submissions.write(folder / "modules", submissions.solved(course))
        test_file = folder / "fresh" / "test_fresh.py"
        test_file.parent.mkdir()
        test_file.write_text(FRESH.format(submission=str(modules), names=names))
        for workers in options.workers:
            with (
                ThreadPoolExecutor(workers) as threads,
                ProcessPoolExecutor(
                    workers, multiprocessing.get_context("spawn"), warm, (names, options.rung)
                ) as graders,
            ):
                list(graders.map(with_ours, *zip(*[(names, book, True)] * (3 * workers), strict=True)))  # warm by then
                for number in range(options.rounds):
                    outs = [(folder / f"out-{workers}-{number}-{n}",) for n in range(workers)]
                    ours = [(names, book, False)] * options.ours
                    for label, executor, work, tasks in (
                        ("otter run", threads, otter.grade, outs),
                        ("a fresh pytest process", threads, fresh, [(test_file,)] * workers),
                        ("ours, the same checks", graders, with_ours, ours),
                        ("ours, hidden tests too", graders, with_ours, [(*task[:2], True) for task in ours]),
                    ):
                        each = seconds_each(executor, work, tasks)
                        table.add(f"{label}, {workers}", each, 60 / each)
                concurrent.futures.wait([graders.submit(close) for _ in range(workers)])
    first = f", {options.workers[0]}"
    table.show(against=f"ours, the same checks{first}")
    for workers in options.workers:
        ours_each = table.median(f"ours, the same checks, {workers}")
        ratios = [
            f"{table.median(f'{other}, {workers}') / ours_each:.1f} times {other}"
            for other in ("otter run", "a fresh pytest process")
        ]
        print(f"{workers} at a time: {' and '.join(ratios)}")
    print(f"medians of {options.rounds} rounds, {', '.join(names)}; {load()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
