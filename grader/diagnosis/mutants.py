"""What each known misconception would have replied: its mutant runs here, on the very inputs the student's code had.

Trusted side only: a mutant is the solution with a line changed.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from grader.course import Assignment
from grader.diagnosis.agreement import DIFFERENT, Answer, agreement_of
from grader.diagnosis.local import LocalStudent, replay
from grader.diagnosis.misconception import Misconception, load_misconceptions, mutate
from grader.suite.attempt import Exchange, stand_ins
from grader.wire.values import decode, encode

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

    def _agreement(self, candidate: Misconception, exchange: Exchange) -> int:
        return agreement_of((exchange.reply, exchange.raised), self._answer(candidate, exchange))

    def _answer(self, candidate: Misconception, exchange: Exchange) -> Answer:
        return _mutant_reply(_Question(self._assignment, candidate, exchange))


class _Question:
    """A candidate's reply to one exchange, hashable by what determines it."""

    def __init__(self, assignment: Assignment, candidate: Misconception, exchange: Exchange) -> None:
        self.assignment, self.candidate, self.exchange = assignment, candidate, exchange
        tree, body = encode(exchange.inputs)
        self.key = (candidate.id, exchange.probe.__name__, exchange.seed, exchange.stand_in, repr(tree), body)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.key == other.key


@functools.lru_cache(maxsize=4096)
def _mutant_reply(question: _Question) -> Answer:
    student = _mutant(question.assignment, question.candidate, question.exchange.stand_in)
    reply, raised = replay(student, question.exchange.probe, question.exchange.inputs, question.exchange.seed)
    return (decode(*encode(reply)), None) if raised is None else (None, raised)


@functools.lru_cache(maxsize=512)  # a mutant's modules are made once
def _mutant(assignment: Assignment, candidate: Misconception, stand_in: bool) -> LocalStudent:
    others = (
        {file.removesuffix(".py"): text.decode() for file, text in stand_ins(assignment).items()} if stand_in else {}
    )
    return LocalStudent(assignment.name, mutate(assignment.name, candidate), others)
