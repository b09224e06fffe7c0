"""Takes the fingerprints that a students' bundle carries: what each misconception replies to the public tests.

Hidden tests are not run here, so nothing of them can be in the result; nor is a misconception's edit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from grader.course import SOLUTIONS, Assignment
from grader.diagnosis import LocalStudent, load_misconceptions, local_student, mutate, replay
from grader.diagnosis.fingerprint import SOLUTION, Sketch, sketch
from grader.sandbox import ProbeRaised
from grader.suite import Reply
from grader.suite.attempt import Probe
from grader.suite.expectation import Mismatch
from grader.suite.in_process import public_tests
from grader.suite.plugin import derive_seed
from grader.wire.values import decode, encode

SEED = 0  # the one that `grader check` draws inputs from, unless it is told another


def take_fingerprints(assignment: Assignment) -> dict[str, Any]:
    """The content of an assignment's fingerprints.json: misconceptions, and sketches by kind, test and id."""
    tests = public_tests(assignment)
    leaning = {name: test for name, test in tests.items() if assignment.has_stand_in(test[1].of)}
    known = load_misconceptions(assignment)
    sources = {SOLUTION: ((SOLUTIONS / assignment.file).read_text(encoding="utf-8"), False)}
    sources |= {m.id: (mutate(assignment.name, m), m.remembers) for m in known}
    replies: dict[str, dict[str, dict[str, Sequence[Sketch]]]] = {}
    for kind, asked in (("own", tests), ("stand-in", leaning)):
        stand_in = kind == "stand-in"
        students = (
            {who: local_student(assignment, source, stand_in, keeps) for who, (source, keeps) in sources.items()}
            if asked
            else {}
        )
        for name, (test, _) in asked.items():
            seed = derive_seed(SEED, assignment.name, name)
            for who, student in students.items():
                failed, sketches = _run(test, student, seed, stand_in)
                if failed or who == SOLUTION:
                    replies.setdefault(kind, {}).setdefault(name, {})[who] = sketches
    caught = {who for by_test in replies.values() for by_id in by_test.values() for who in by_id}
    rows = [{"id": m.id, "of": m.of, "says": m.says, "same_as": m.same_as} for m in known if m.id in caught]
    return {"misconceptions": rows, "replies": replies}


def _run(test: Callable[..., None], student: LocalStudent, seed: int, stand_in: bool) -> tuple[bool, Sequence[Sketch]]:
    """Run one test on a student of our own: whether it failed, and a sketch of each reply."""
    submission = _Recorder(student, seed, stand_in)
    given = {"submission": submission, "rng": torch.Generator().manual_seed(seed)}
    code = test.__code__
    try:
        test(**{key: given[key] for key in code.co_varnames[: code.co_argcount]})
    except (Mismatch, ProbeRaised):
        return True, submission.sketches
    return False, submission.sketches


class _Recorder:
    """A `submission` that keeps a sketch of every reply."""

    def __init__(self, student: LocalStudent, seed: int, stand_in: bool) -> None:
        self.stand_in = stand_in
        self.sketches: list[Sketch] = []
        self._student, self._seed = student, seed

    def run(self, probe: Probe, **inputs: Any) -> Reply:
        reply, raised = replay(self._student, probe, decode(*encode(inputs)), self._seed)
        if raised is not None:
            self.sketches.append(sketch((None, raised)))
            raise ProbeRaised(raised)
        reply = decode(*encode(reply))
        self.sketches.append(sketch((reply, None)))
        return Reply(reply)
