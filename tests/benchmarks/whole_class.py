"""A class of generated submissions, right, wrong and hostile, graded by `grader batch`: is every score as predicted?

    python -m tests.benchmarks.whole_class [--size 300] [--jobs 2] [--seed 0] [-a NAME]…

Of every ten, four are whole submissions put together of variants, which lose nothing. Three hold one known mistake
each: it costs what the same suite takes off for it in this process, without a sandbox, and nothing in the other
assignments. Two are attacks from the corpus, which earn what their honest parts deserve, and all that honest modules
beside them do. One is the untouched starter. Prints the rate, and each score that is not as predicted; ends with 1
if there is any, or a submission without a verdict.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.course import ROOT, Assignment, select
from grader.diagnosis import load_misconceptions, mutate
from grader.intake import receive
from grader.suite.run import run_suites
from tests.attacks.attack import Attack
from tests.attacks.range import load_attacks
from tests.attacks.targets import Targets
from tests.benchmarks import submissions
from tests.benchmarks.bound import Here
from tests.benchmarks.measuring import load
from tests.benchmarks.steady import programs

KINDS = ("variant", "mistake", "variant", "attack", "mistake", "variant", "starter", "mistake", "variant", "attack")
READ = (".zip", ".tar.gz", ".ipynb")
CLOSE = 1e-6

Prediction = Callable[[dict[str, Any]], float]


@dataclass(frozen=True)
class Member:
    """One submission of the class: its name, and what it is to earn, which may take its document's list of tests."""

    name: str
    predicted: Prediction


def make_class(
    folder: Path, size: int, course: tuple[Assignment, ...], seed: int, targets: str, level: str
) -> Iterator[Member]:
    """Write the submissions one by one into `folder`; the same for the same seed."""
    rng = random.Random(seed)
    points = sum(assignment.points for assignment in course)
    variants = {a.name: [files for owner, files in programs() if owner is a] for a in course}
    mistakes = [(a, m) for a in course for m in load_misconceptions(a)]
    attacks = [attack for attack in load_attacks().values() if is_predictable(attack, course, level)]
    for number in range(size):
        kind = KINDS[number % len(KINDS)]
        if kind == "attack" and not attacks:
            kind = "starter"
        name = f"{number:04}-{kind}"
        if kind == "variant":
            files = {"student.txt": f"{number}".encode()}
            for assignment in course:
                files |= rng.choice(variants[assignment.name])
            _write(folder / name, files)
            yield Member(name, lambda _: points)
        elif kind == "mistake":
            assignment, misconception = rng.choice(mistakes)
            name += f"-{misconception.id}"
            sources = {**submissions.solved(course), assignment.file: mutate(assignment.name, misconception)}
            path = submissions.write(folder / name, sources, number)
            earned = points - assignment.points + by_this_process(path, assignment)
            yield Member(name, lambda _, earned=earned: earned)  # type: ignore[misc]
        elif kind == "attack":
            attack = rng.choice(attacks)
            name += f"-{attack.name}"
            built = attack.build(folder.parent / "made" / name, targets)
            ending = "" if built.is_dir() else next(ending for ending in READ if built.name.endswith(ending))
            built.rename(folder / f"{name}{ending}")
            beside = [a for a in course if a.name != attack.assignment and (folder / name / a.file).is_file()]
            honest = sum(assignment.points for assignment in beside)
            yield Member(name, lambda document, attack=attack, honest=honest: honest + deserved(attack, document))  # type: ignore[misc]
        else:
            submissions.write(folder / name, submissions.untouched(course), number)
            yield Member(name, lambda _: 0.0)


def is_predictable(attack: Attack, course: tuple[Assignment, ...], level: str) -> bool:
    """Whether it is an attack on these assignments of which the exact score is known, and that ends soon.

    Those that hang, that harm themselves or that this level is known not to hold have their own tests.
    """
    if attack.assignment not in {assignment.name for assignment in course} or level in attack.never_on:
        return False
    if attack.setting != "shared" or attack.hangs or not attack.harmless or attack.sabotages_itself:
        return False
    return not (attack.perhaps or attack.expected_gaps(level, True) or attack.kind in ("exhausting", "uploads"))


def by_this_process(path: Path, assignment: Assignment) -> float:
    """What code of ours earns in one assignment when its suite runs right here."""
    outcomes = run_suites((assignment,), receive(path, [assignment]), Here()).outcomes  # type: ignore[arg-type]
    return sum(outcome.grading.points for outcome in outcomes if outcome.verdict.status == "passed")


def deserved(attack: Attack, document: dict[str, Any]) -> float:
    """The points of the tests that the honest parts of an attack's own module deserve."""
    rows = next(row["tests"] for row in document["assignments"] if row["name"] == attack.assignment)
    tests = {test["name"]: test for test in rows}
    return sum(tests[name]["max_score"] for name in attack.deserves(tests))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the class, have it graded, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-a", "--assignment", action="append")
    parser.add_argument("--level", default="namespaced", help="the isolation that is required, and assumed of attacks")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    course = select(options.assignment)
    with tempfile.TemporaryDirectory(prefix="class-") as made, Targets() as targets:
        folder, out = Path(made, "class"), Path(made, "graded")
        folder.mkdir()
        Path(made, "made").mkdir()
        members = list(make_class(folder, options.size, course, options.seed, targets.source, options.level))
        line = [sys.executable, "-m", "grader", "batch", str(folder), "--out", str(out), "--jobs", str(options.jobs)]
        chosen = [part for assignment in course for part in ("-a", assignment.name)]
        chosen += ["--require-isolation", options.level, "--device", options.device]
        started = time.perf_counter()
        done = subprocess.run(
            [*line, *chosen],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        took = time.perf_counter() - started
        harm = list(targets.harm())
        problems = [f"grader batch ended with {done.returncode}: {done.stderr[-500:]}"] if done.returncode else []
        problems += [f"harm was done outside: {effect}" for effect in harm]
        problems += compared(members, out)
    print("\n".join([*problems, done.stdout.strip()]))
    kinds = Counter(member.name.split("-")[1] for member in members)
    print(", ".join(f"{count} {kind}s" for kind, count in kinds.items()) + f": {len(problems)} not as predicted")
    print(f"{options.size / took * 60:.0f} a minute by {options.jobs}, start included; {took:.0f} s; {load()}")
    return 1 if problems else 0


def compared(members: list[Member], out: Path) -> list[str]:
    """What is not as predicted: a missing document, another score, no verdict, a summary that says otherwise."""
    problems = []
    with (out / "summary.csv").open(newline="") as file:
        summary = {row["submission"]: float(row["score"]) for row in csv.DictReader(file)}
    for member in members:
        path = out / "documents" / f"{member.name}.json"
        if not path.is_file():
            problems.append(f"{member.name} has no document")
            continue
        document = json.loads(path.read_text())
        predicted = member.predicted(document)
        if not document["complete"]:
            problems.append(f"{member.name} has no verdict")
        if abs(document["score"] - predicted) > CLOSE or abs(summary[member.name] - predicted) > CLOSE:
            lost = [
                test["name"] for row in document["assignments"] for test in row["tests"] if test["status"] != "passed"
            ]
            problems.append(
                f"{member.name} earned {document['score']:g}, predicted {predicted:g}; lost: {', '.join(lost[:12])}"
            )
    if len(summary) != len(members):
        problems.append(f"the summary has {len(summary)} rows for {len(members)} submissions")
    return problems


if __name__ == "__main__":
    raise SystemExit(main())
