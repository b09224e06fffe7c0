"""What each known misconception would have replied: its mutant runs here, on the very inputs the student's code had.

Trusted side only: a mutant is the solution with a line changed.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from grader.course import Assignment
from grader.diagnosis.agreement import DIFFERENT, Answer, agreement_of
from grader.diagnosis.local import LocalStudent, local_student, replay
from grader.diagnosis.misconception import Misconception, load_misconceptions, mutate
from grader.suite.attempt import Exchange
from grader.wire.values import decode, encode

ANSWERS_KEPT = 20_000  # of a kilobyte or two; the mutants of nine assignments give 4,560 to one hopeless submission
SOLUTION = Misconception("solution", "", (), "The solution itself: no edit.", "")


class Mutants:
    """Evidence from the mutants of one assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self.candidates = load_misconceptions(assignment)

    def agreement(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> int:
        """How far the mutant replies like the student's code, every time, where the solution replies otherwise."""
        telling = DIFFERENT
        for exchange in reversed(exchanges):
            how = self._agreement(candidate, exchange)
            if how == DIFFERENT:
                return DIFFERENT
            if how > max(telling, self._agreement(SOLUTION, exchange)):
                telling = how
        return telling

    def is_wrong(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
        """Whether the mutant replies unlike the solution at least once."""
        return any(
            agreement_of(self._answer(candidate, exchange), self._answer(SOLUTION, exchange)) == DIFFERENT
            for exchange in exchanges
        )

    def is_refuted(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
        """Whether the student's code replies like the solution where the mutant does not."""
        return any(
            self._agreement(SOLUTION, exchange) != DIFFERENT
            and agreement_of(self._answer(candidate, exchange), self._answer(SOLUTION, exchange)) == DIFFERENT
            for exchange in exchanges
        )

    def _agreement(self, candidate: Misconception, exchange: Exchange) -> int:
        return agreement_of((exchange.reply, exchange.raised), self._answer(candidate, exchange))

    def _answer(self, candidate: Misconception, exchange: Exchange) -> Answer:
        """What a candidate's mutant replies; the same for every submission that is asked the same."""
        key = (self._assignment.name, candidate, exchange.asked)
        if key not in _answers:
            student = _mutant(self._assignment, candidate, exchange.stand_in)
            reply, raised = replay(student, exchange.probe, exchange.inputs, exchange.seed)
            if len(_answers) >= ANSWERS_KEPT:
                del _answers[next(iter(_answers))]
            _answers[key] = (decode(*encode(reply)), None) if raised is None else (None, raised)
        return _answers[key]


_answers: dict[tuple[str, Misconception, bytes], Answer] = {}


@functools.lru_cache(maxsize=1024)  # a mutant's modules are made once
def _mutant(assignment: Assignment, candidate: Misconception, stand_in: bool) -> LocalStudent:
    return local_student(assignment, mutate(assignment.name, candidate), stand_in)
