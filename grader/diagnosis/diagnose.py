"""Names the misconceptions behind failed tests, where the replies show one."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.course import Assignment
from grader.diagnosis.local import LocalStudent, replay
from grader.diagnosis.misconception import Misconception, load_misconceptions, mutate
from grader.diagnosis.python_errors import explain
from grader.suite.attempt import Exchange, stand_ins
from grader.wire.values import decode, encode

CLOSE = {torch.float64: 1e-6, torch.float32: 2e-4}
CLOSE_NUMBER = 1e-5
FRUITLESS_SEARCHES = 4
ANSWERS_KEPT = 20_000  # of a kilobyte or two; the mutants of nine assignments give 4,560 to one hopeless submission
SUPPORT = 2
WORDS = "the words of"  # parts of a reply whose labels begin so are the student's own, and prove nothing
DIFFERENT, SAME_KIND_OF_ERROR, ALIKE = range(3)  # how far two replies agree
RAISE = re.compile(r"\braise\b")
SOLUTION = Misconception("solution", "", (), "The solution itself: no edit.", "")

Answer = tuple[Any, dict[str, Any] | None]  # a reply and None, or None and what was raised


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
    Where both only raised the same kind of error, each in other words, that is weak: many mistakes
    end so. It counts if the same candidate explains another failed test by more than that. And a
    candidate that would have failed other tests too, but in another way than they did, may agree by
    accident: it has to explain SUPPORT times as many as speak against it.
    What explained an earlier test is tried first, and a class or function in which FRUITLESS_SEARCHES
    tests could not be explained at all is searched no further: its mistake is not a known one.
    """
    explained: dict[str, dict[Misconception, int]] = {}
    suspects: list[Misconception] = []
    fruitless: Counter[str] = Counter()
    for test, failure in failures.items():
        found = _explaining(assignment, failure, suspects)
        if not found and fruitless[failure.of] < FRUITLESS_SEARCHES:
            others = [candidate for candidate in load_misconceptions(assignment) if candidate not in suspects]
            found = _explaining(assignment, failure, others)
            suspects += found
            fruitless[failure.of] += not found
        explained[test] = found
    alike_somewhere = {candidate for found in explained.values() for candidate, how in found.items() if how == ALIKE}
    sure = {candidate for candidate in alike_somewhere if _is_supported(assignment, candidate, failures)}
    votes = Counter(candidate.id for found in explained.values() for candidate in found if candidate in sure)
    named = {test: [candidate for candidate in found if candidate in sure] for test, found in explained.items()}
    return {
        test: _representative(assignment, max(candidates, key=lambda candidate: votes[candidate.id]))
        for test, candidates in named.items()
        if candidates
    }


def _explaining(
    assignment: Assignment, failure: Failure, candidates: Sequence[Misconception]
) -> dict[Misconception, int]:
    """Those candidates that reply alike, and how far, with the student's own parts underneath or the stand-in."""
    for exchanges in (failure.exchanges, failure.on_stand_in):
        # where the process died nothing is compared: no mutant does that
        if exchanges and all(exchange.raised != {"type": "", "text": ""} for exchange in exchanges):
            found = {candidate: _agreement(assignment, candidate, exchanges) for candidate in candidates}
            found = {candidate: how for candidate, how in found.items() if how != DIFFERENT}
            if found:
                return found
    return {}


def _is_supported(assignment: Assignment, candidate: Misconception, failures: Mapping[str, Failure]) -> bool:
    """Whether the failed tests on which the mutant is wrong at all are mostly those that it explains."""
    explained = against = 0
    for failure in failures.values():
        if _explaining(assignment, failure, [candidate]):
            explained += 1
        elif _is_wrong(assignment, candidate, failure.on_stand_in or failure.exchanges):
            against += 1
    return explained >= SUPPORT * against


def _is_wrong(assignment: Assignment, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
    """Whether the mutant replies unlike the solution at least once."""
    return any(
        _compare(_answer(assignment, candidate, exchange), _answer(assignment, SOLUTION, exchange)) == DIFFERENT
        for exchange in exchanges
    )


def _agreement(assignment: Assignment, candidate: Misconception, exchanges: Sequence[Exchange]) -> int:
    """How far the mutant replies like the student's code, every time, where the solution replies otherwise."""
    telling = DIFFERENT
    for exchange in reversed(exchanges):
        how = _reply_agreement(assignment, candidate, exchange)
        if how == DIFFERENT:
            return DIFFERENT
        if how > max(telling, _reply_agreement(assignment, SOLUTION, exchange)):
            telling = how
    return telling


def _representative(assignment: Assignment, found: Misconception) -> Misconception:
    if found.same_as is None:
        return found
    return next(other for other in load_misconceptions(assignment) if other.id == found.same_as)


def _reply_agreement(assignment: Assignment, candidate: Misconception, exchange: Exchange) -> int:
    return _compare((exchange.reply, exchange.raised), _answer(assignment, candidate, exchange))


def _compare(ours: Answer, theirs: Answer) -> int:
    """How far two answers agree: replies where neither raised, errors where both did."""
    if ours[1] is not None and theirs[1] is not None:
        return _error_agreement(ours[1], theirs[1])
    same = ours[1] is None and theirs[1] is None and alike(ours[0], theirs[0])
    return ALIKE if same else DIFFERENT


def _answer(assignment: Assignment, candidate: Misconception, exchange: Exchange) -> Answer:
    """What a candidate's mutant replies; the same for every submission that is asked the same."""
    key = (assignment.name, candidate, exchange.asked)
    if key not in _answers:
        student = _mutant(assignment, candidate, exchange.stand_in)
        reply, raised = replay(student, exchange.probe, exchange.inputs, exchange.seed)
        if len(_answers) >= ANSWERS_KEPT:
            del _answers[next(iter(_answers))]
        _answers[key] = (decode(*encode(reply)), None) if raised is None else (None, raised)
    return _answers[key]


_answers: dict[tuple[str, Misconception, bytes], Answer] = {}


@functools.lru_cache(maxsize=1024)  # a mutant's modules are made once
def _mutant(assignment: Assignment, candidate: Misconception, stand_in: bool) -> LocalStudent:
    others = (
        {file.removesuffix(".py"): text.decode() for file, text in stand_ins(assignment).items()} if stand_in else {}
    )
    return LocalStudent(assignment.name, mutate(assignment.name, candidate), others)


def _error_agreement(ours: dict[str, Any], theirs: dict[str, Any]) -> int:
    """ALIKE if type and text are the same; else of one kind if both were raised in so many words, or mean the same."""
    if (ours.get("type"), ours.get("text")) == (theirs.get("type"), theirs.get("text")):
        return ALIKE
    if ours.get("builtin") != theirs.get("builtin"):
        return DIFFERENT
    on_purpose = [bool(RAISE.search(str(raised.get("code", "")))) for raised in (ours, theirs)]
    if any(on_purpose):
        return SAME_KIND_OF_ERROR if all(on_purpose) else DIFFERENT
    meaning = explain(ours)
    return SAME_KIND_OF_ERROR if meaning is not None and meaning == explain(theirs) else DIFFERENT


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
        compared = [key for key in one if not str(key).startswith(WORDS)]
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in compared)
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
