"""Names the misconceptions behind failed tests, where the replies show one."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.course import Assignment
from grader.diagnosis.local import LocalStudent, replay
from grader.diagnosis.misconception import Misconception, load_misconceptions, mutate
from grader.suite.attempt import Exchange, stand_ins
from grader.wire.values import decode, encode

CLOSE = {torch.float64: 1e-6, torch.float32: 2e-4}
CLOSE_NUMBER = 1e-5
FRUITLESS_SEARCHES = 4
SOLUTION = Misconception("solution", "", (), "The solution itself: no edit.", "")


@dataclass(frozen=True)
class Failure:
    """A failed test: the contract's name it is of, and what was asked and answered.

    `on_stand_in` is the same with a stand-in for what the part builds on: where the student's own
    has a mistake too, only there the replies show one mistake at a time.
    """

    of: str
    exchanges: Sequence[Exchange]
    on_stand_in: Sequence[Exchange] = ()


def diagnose(assignment: Assignment, failures: Mapping[str, Failure]) -> dict[str, Misconception]:
    """For each failed test, by name, the misconception that explains it; tests it can't explain are absent.

    A candidate explains a test if its mutant would have replied as the student's code did, every
    time. Of several that do, the one that explains most of the assignment's failed tests is named.
    What explained an earlier test is tried first, and a class or function in which FRUITLESS_SEARCHES
    tests could not be explained at all is searched no further: its mistake is not a known one.
    """
    explained: dict[str, list[Misconception]] = {}
    suspects: list[Misconception] = []
    fruitless: Counter[str] = Counter()
    votes: Counter[str] = Counter()
    for test, failure in failures.items():
        found = _explaining(assignment, failure, suspects)
        if not found and fruitless[failure.of] < FRUITLESS_SEARCHES:
            others = [candidate for candidate in load_misconceptions(assignment) if candidate not in suspects]
            found = _explaining(assignment, failure, others)
            suspects += found
            fruitless[failure.of] += not found
        explained[test] = found
        votes.update(candidate.id for candidate in found)
    return {
        test: _representative(assignment, max(candidates, key=lambda candidate: votes[candidate.id]))
        for test, candidates in explained.items()
        if candidates
    }


def _explaining(assignment: Assignment, failure: Failure, candidates: Sequence[Misconception]) -> list[Misconception]:
    """Those candidates that reply alike, with the student's own parts underneath or, failing that, the stand-in."""
    for exchanges in (failure.exchanges, failure.on_stand_in):
        # where the process died nothing is compared: no mutant does that
        if exchanges and all(exchange.raised != {"type": "", "text": ""} for exchange in exchanges):
            found = [candidate for candidate in candidates if _all_alike(assignment, candidate, exchanges)]
            if found:
                return found
    return []


def _all_alike(assignment: Assignment, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
    """Whether the mutant replies like the student's code every time, and unlike the solution at least once."""
    return all(_replies_alike(assignment, candidate, exchange) for exchange in reversed(exchanges)) and not all(
        _replies_alike(assignment, SOLUTION, exchange) for exchange in exchanges
    )


def _representative(assignment: Assignment, found: Misconception) -> Misconception:
    if found.same_as is None:
        return found
    return next(other for other in load_misconceptions(assignment) if other.id == found.same_as)


def _replies_alike(assignment: Assignment, candidate: Misconception, exchange: Exchange) -> bool:
    reply, raised = _mutant_reply(_Question(assignment, candidate, exchange))
    if exchange.raised is not None or raised is not None:
        return _same_error(exchange.raised, raised)
    return alike(exchange.reply, reply)


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
def _mutant_reply(question: _Question) -> tuple[Any, dict[str, Any] | None]:
    student = _mutant(question.assignment, question.candidate, question.exchange.stand_in)
    reply, raised = replay(student, question.exchange.probe, question.exchange.inputs, question.exchange.seed)
    return (decode(*encode(reply)), None) if raised is None else (None, raised)


@functools.lru_cache(maxsize=512)  # a mutant's modules are made once
def _mutant(assignment: Assignment, candidate: Misconception, stand_in: bool) -> LocalStudent:
    others = (
        {file.removesuffix(".py"): text.decode() for file, text in stand_ins(assignment).items()} if stand_in else {}
    )
    return LocalStudent(assignment.name, mutate(assignment.name, candidate), others)


def _same_error(ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> bool:
    if ours is None or theirs is None:
        return False
    return (ours.get("type"), ours.get("text")) == (theirs.get("type"), theirs.get("text"))


def alike(one: Any, other: Any) -> bool:
    """Whether two decoded replies are the same but for rounding."""
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return _alike_tensors(one, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return one == other or abs(one - other) <= CLOSE_NUMBER * (1 + abs(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(alike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return bool(type(one) is type(other) and one == other)


def _alike_tensors(one: Any, other: Any) -> bool:
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return False
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if not one.dtype.is_floating_point:
        return torch.equal(one, other)
    close = CLOSE.get(one.dtype, 1e-2)
    return torch.allclose(one, other, rtol=close, atol=close, equal_nan=True)
