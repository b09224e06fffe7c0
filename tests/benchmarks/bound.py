"""Against the bound: the same suite, with the probes called in the warm trusted process.

    python -m tests.benchmarks.bound [-a NAME]… [--rounds 7] [--rung namespaced]

The bound has everything but the wall: pytest, oracles, the probes on the reference solutions, their inputs and
replies as frames' bytes. What a grading takes beyond it is the price of reading the submission and of keeping
its code in processes of its own. The two take turns. Of the bound it is shown what the probes take and what the
tests themselves do, oracles and comparisons, for which the aim is 0.1 s; the rest is pytest.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.course import select
from grader.diagnosis.local import LocalStudent, replay
from grader.grade import grade
from grader.intake import receive
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import ProbeRaised
from grader.suite.run import run_suites
from grader.wire.values import decode, encode
from tests.benchmarks import submissions
from tests.benchmarks.measuring import Spent, Table, load, spent


class Here:
    """Stands where a compartment stands, and has no walls: its sessions are in this process."""

    def __init__(self) -> None:
        self.probes = Spent()

    def open(self, assignment: str, module: str, files: Mapping[str, bytes], *_: Any, **__: Any) -> Here.Session:
        """A session with modules of its own."""
        return self.Session(assignment, files, self.probes)

    class Session:
        """Answers probes as a student's process would."""

        alive, printed, cpu_used_s = True, "", 0.0

        def __init__(self, assignment: str, files: Mapping[str, bytes], probes: Spent) -> None:
            sources = {name.removesuffix(".py"): text.decode() for name, text in files.items()}
            self._student = LocalStudent(assignment, others=sources)
            self._probes = importlib.import_module(f"assignments.{assignment}.probes")
            self.calls = 0
            self._spent = probes

        def call(self, probe: str, inputs: dict[str, Any], seed: int, device: str = "cpu") -> Any:
            """Run one probe right here. Raises ProbeRaised."""
            self.calls += 1
            with spent() as time:
                reply, raised = replay(self._student, getattr(self._probes, probe), decode(*encode(inputs)), seed)
                tree, body = encode(reply)
            self._spent.add(time)
            if raised is not None:
                raise ProbeRaised(raised)
            return decode(tree, body)

        def close(self) -> None:
            """Nothing to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both medians, and how many times the bound a grading takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-a", "--assignment", action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rung")
    options = parser.parse_args(arguments)
    course = select(options.assignment)
    choice = GradeOptions(course, rung=options.rung)
    table = Table("", "wall s", "trusted CPU s")
    with tempfile.TemporaryDirectory(prefix="bound-") as folder, start_sandbox(choice) as sandbox:
        path = submissions.write(Path(folder, "solved"), submissions.solved(course))
        submission = receive(path, course)
        for number in range(options.rounds + 1):
            here = Here()
            with spent() as bound:
                outcomes = run_suites(course, submission, here).outcomes  # type: ignore[arg-type]
            with spent() as whole:
                document = grade(path, choice, sandbox).document
            tests = [test for row in document["assignments"] for test in row["tests"]]
            lost = [outcome.name for outcome in outcomes if outcome.verdict.status != "passed"]
            lost += [test["name"] for test in tests if test["status"] != "passed"]
            if lost or len(outcomes) != len(tests):
                raise RuntimeError(f"not both did the same work, or without a loss: {lost}")
            if number:  # the first fills the caches
                table.add("the bound: all in one process", bound.wall, bound.cpu)
                table.add("  of it the probes", here.probes.wall, here.probes.cpu)
                own = sum(outcome.duration_s for outcome in outcomes) - here.probes.wall
                table.add("  of it the tests' own work", own, own)
                table.add(f"graded on {sandbox.level}", whole.wall, whole.cpu)
        level = sandbox.level
    table.show(against="the bound: all in one process")
    print(f"medians of {options.rounds} rounds, {len(tests)} tests, on {level}; {load()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
