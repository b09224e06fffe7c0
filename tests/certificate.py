"""The kit's certificate: what is claimed of the grades, with figures computed now. `grader proof` prints it.

Each line is one claim with how many cases were tried and how many kept it; `--quick` tries a sample of each,
two or three minutes in all, and says so. The cases themselves live with their tests: misconceptions beside the
assignments, variants, mutants and spinners in `tests/`. They are shared out among a process for each core,
each with a sandbox of its own.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.course import SOLUTIONS, Assignment, load_course
from grader.diagnosis import mutate
from grader.diagnosis.misconception import Misconception
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
from grader.progress import console_for
from grader.result import document as documents
from grader.sandbox import Sandbox
from grader.suite.plugin import Outcome
from tests.benchmarks.steady import CLASS, all_cores_busy, class_of, documents_of, grading, programs, write
from tests.laws.another_hand import rewrite
from tests.laws.fairness import KNOWN, heirs, lost_by_assignment
from tests.laws.wrong_programs import wrong_programs
from tests.mutation.trial import accounts, every_mutant, try_mutants
from tests.support import rows_of

STEADY_RUNS = 1000
NAMING_S = 0.3  # of CPU, for a failed test
Said = tuple[str, ...]  # of one case, for each claim: "" where it holds, else what is wrong


@dataclass(frozen=True)
class Claim:
    """One line of the certificate; `must_hold` is the share of cases that it takes, 0 for a mere figure."""

    words: str
    must_hold: float = 1.0


@dataclass(frozen=True)
class Section:
    """Claims that are judged by the same cases: how many there are, one in how many a sample takes, and the judge."""

    claims: tuple[Claim, ...]
    cases: Callable[[], Sequence[Any]]
    one_in: int
    judge: Callable[[Any, Sandbox], Said]
    busy: bool = False  # judged while other processes keep all cores busy


@dataclass
class Line:
    """A claim with its figures so far."""

    claim: Claim
    tried: int = 0
    failing: list[str] = field(default_factory=list)

    def count(self, problem: str) -> None:
        """Add one case."""
        self.tried += 1
        if problem:
            self.failing.append(problem)

    @property
    def proved(self) -> bool:
        """Whether it held in as many cases as it must."""
        return self.tried > 0 and self.tried - len(self.failing) >= self.claim.must_hold * self.tried

    def __str__(self) -> str:
        mark = " " if not self.claim.must_hold else "✓" if self.proved else "✗"
        lines = [f"{mark} {self.tried - len(self.failing):5} of {self.tried:<5} {self.claim.words}"]
        return "\n".join([*lines, *(f"        not: {case}" for case in self.failing if self.claim.must_hold)])


def main(quick: bool) -> bool:
    """Print the certificate section by section as it is found; True if every claim held."""
    console, waiting = console_for(sys.stdout), console_for(sys.stderr)
    workers = os.cpu_count() or 1
    every = "a sample of everything (grader proof takes all)" if quick else "everything"
    lines: list[Line] = []
    started = time.monotonic()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker) as pool:
        console.print(f"Computed now, from {every}, on the rung {pool.submit(_level).result()}, by {workers}.\n")
        for number, section in enumerate(SECTIONS):
            found = [Line(claim) for claim in section.claims]
            chosen = range(len(section.cases()))[:: section.one_in if quick else 1]
            with all_cores_busy() if section.busy else contextlib.nullcontext(), waiting.status("") as status:
                for done, said in enumerate(_judged(pool, number, chosen, workers)):
                    status.update(f"{section.claims[0].words}: {done + 1} of {len(chosen)}")
                    for line, problem in zip(found, said, strict=True):
                        line.count(problem)
            console.print("\n".join(map(str, found)))
            lines += found
    console.print(f"\n{(time.monotonic() - started) / 60:.0f} minutes by {workers} processes.")
    return all(line.proved for line in lines)


def _judged(pool: ProcessPoolExecutor, section: int, chosen: Sequence[int], workers: int) -> Iterator[Said]:
    """What is said of each case, as it comes; no more are on their way than there are hands, so Ctrl-C is prompt."""
    waiting, under_way = iter(chosen), set()
    while True:
        for case in waiting:
            under_way.add(pool.submit(_judge, section, case))
            if len(under_way) > workers:
                break
        if not under_way:
            return
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


_sandbox: Sandbox  # of this worker


def _start_worker() -> None:
    global _sandbox
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who waits for the workers
    _sandbox = contextlib.ExitStack().enter_context(start_sandbox(GradeOptions(load_course())))
    importlib.import_module("torch._dynamo")  # a process's first optimiser step does, once: not what naming costs


def _level() -> str:
    return _sandbox.level


def _judge(section: int, case: int) -> Said:
    return SECTIONS[section].judge(SECTIONS[section].cases()[case], _sandbox)


def known_mistake(case: tuple[Assignment, Misconception], sandbox: Sandbox) -> Said:
    """A misconception as it is: caught, named, in time, caught by public tests, and no dearer than its part."""
    assignment, misconception = case
    known = misconception.id
    with _naming_timed() as naming:
        document, outcomes = graded(assignment, mutate(assignment.name, misconception), sandbox)
    failed = rows_of(document, "failed", "error", "timeout")
    names = {row["misconception"] for row in failed.values()}
    sits_in = {misconception.of, *heirs(assignment, misconception.of)}
    mine = sum(outcome.grading.points for outcome in outcomes if outcome.grading.of in sits_in)
    lost = sum(outcome.grading.points for outcome in outcomes if outcome.verdict.status != "passed")
    return (
        "" if failed else known,
        "" if names == {right(misconception)} else f"{known}: {names}",
        "" if naming[0] <= NAMING_S * max(1, len(failed)) else f"{known}: {naming[0]:.2f} s for {len(failed)}",
        "" if any(row["visibility"] == "public" for row in failed.values()) else known,
        "" if lost <= mine + 1e-9 else f"{known} costs {lost:g}, {misconception.of} is worth {mine:g}",
    )


@contextlib.contextmanager
def _naming_timed() -> Iterator[list[float]]:
    """Adds up the seconds of CPU that finding causes takes meanwhile, in a list of one."""
    spent, diagnose = [0.0], documents.diagnose

    def timed(*given: Any) -> Any:
        started = time.process_time()
        try:
            return diagnose(*given)
        finally:
            spent[0] += time.process_time() - started

    documents.diagnose = timed
    try:
        yield spent
    finally:
        documents.diagnose = diagnose


def rewritten_mistake(case: tuple[Assignment, Misconception], sandbox: Sandbox) -> Said:
    """A misconception in another hand: other names, other statements, the same mistake."""
    assignment, misconception = case
    source = rewrite(mutate(assignment.name, misconception), assignment.names)
    names = _names(assignment, source, sandbox)
    named = right(misconception) in names and names <= {right(misconception), None}
    return ("" if named else f"{misconception.id}: {names}",)


def wrong_program(case: tuple[str, Assignment, str], sandbox: Sandbox) -> Said:
    """A program that is wrong in a way that nothing on the list describes."""
    label, assignment, source = case
    names = _names(assignment, source, sandbox)
    return ("" if names == {None} else f"{label}: {names}",)


def mistake_in_cells(case: tuple[Assignment, Misconception], sandbox: Sandbox) -> Said:
    """A whole submission with one mistake in its cells."""
    lost = lost_by_assignment(*case, sandbox)
    return ("" if set(lost) == {"cells"} else f"{case[1].id} costs {lost}",)


def correct_program(case: tuple[Assignment, dict[str, bytes]], sandbox: Sandbox) -> Said:
    """A solution or a variant."""
    assignment, files = case
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        document = grade(write(Path(folder), files), GradeOptions((assignment,)), sandbox).document
    lost = rows_of(document, "failed", "error", "timeout", "grader-error")
    return ("" if not lost else f"{assignment.name} {programs().index(case)}: {', '.join(lost)}",)


def small_change(case: Any, sandbox: Sandbox) -> Said:
    """A mutant of a solution."""
    (trial,) = try_mutants([case], sandbox)
    return ("" if trial.killer else str(trial.mutant),)


def steady_grading(case: int, sandbox: Sandbox) -> Said:
    """A correct program on a busy machine."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        return (grading(case, 0, sandbox, Path(folder)),)


def one_worker_or_two(case: int, sandbox: Sandbox) -> Said:
    """A class, graded by `grader batch` twice."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, contextlib.redirect_stdout(io.StringIO()):
        members = class_of(CLASS, Path(folder, "class"), case)
        one, two = (documents_of(members, Path(folder, f"by-{jobs}"), jobs) for jobs in (1, 2))
    differing = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
    return (", ".join(differing) if len(one) == CLASS else f"{len(one)} documents",)


def unlisted_mutants() -> list[Any]:
    """Mutants of the solutions, those aside of which it is listed why nobody need catch them."""
    listed = accounts()
    return [mutant for mutant in every_mutant() if mutant.key not in listed]


SECTIONS = (
    Section(
        (
            Claim("known mistakes lose points"),
            Claim("of them are called by their name, and by no other"),
            Claim(f"of them are named within {NAMING_S} s of CPU a failed test"),
            Claim("of them the public tests catch already", must_hold=0),
            Claim("of them cost no more than the points of the class or function they sit in"),
        ),
        lambda: KNOWN,
        15,
        known_mistake,
    ),
    Section(
        (Claim("known mistakes, rewritten by another hand, are named, and nothing else is"),),
        lambda: KNOWN,
        30,
        rewritten_mistake,
    ),
    Section(
        (Claim("programs that are wrong in another way lose points, and are given no name"),),
        functools.cache(lambda: list(wrong_programs())),
        12,
        wrong_program,
    ),
    Section(
        (Claim("mistakes in the cells cost nothing in the parts that build on them"),),
        lambda: [(assignment, known) for assignment, known in KNOWN if assignment.name == "cells"],
        20,
        mistake_in_cells,
    ),
    Section(
        (Claim("correct programs, in whatever style, have full marks"),),
        functools.cache(programs),
        8,
        correct_program,
    ),
    Section(
        (Claim("small changes of the solutions lose points (those listed as harmless are left out)", must_hold=0.97),),
        functools.cache(unlisted_mutants),
        70,
        small_change,
    ),
    Section(
        (Claim("correct programs on a busy machine lose no point, and have one document twice"),),
        lambda: range(STEADY_RUNS),
        80,
        steady_grading,
        busy=True,
    ),
    Section(
        (Claim(f"classes of {CLASS} have the same documents from one worker and from two"),),
        lambda: range(3),
        3,
        one_worker_or_two,
        busy=True,
    ),
)


def right(misconception: Misconception) -> str:
    """The id that a misconception is reported under."""
    return misconception.same_as or misconception.id


def _names(assignment: Assignment, source: str, sandbox: Sandbox) -> set[str | None]:
    """What the failed tests of a module are put down to; an empty set if none failed."""
    document, _ = graded(assignment, source, sandbox)
    return {row["misconception"] for row in rows_of(document, "failed", "error", "timeout").values()}


def graded(assignment: Assignment, source: str, sandbox: Sandbox) -> tuple[dict[str, Any], list[Outcome]]:
    """The document and the outcomes of a module beside the solutions of what its assignment builds on."""
    outcomes: list[Outcome] = []
    needed = {f"{need}.py": (SOLUTIONS / f"{need}.py").read_bytes() for need in assignment.needs}
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        path = write(Path(folder), {**needed, assignment.file: source.encode()})
        document = grade(path, GradeOptions((assignment,)), sandbox, outcomes.append).document
    return document, outcomes
