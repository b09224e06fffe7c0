"""Names the misconceptions behind failed tests, where the replies show one.

How far a reply agrees with a misconception is told by the mutant itself, which runs here, or, in a
students' bundle, by its fingerprint (`fingerprint.py`). The rules for naming one are the same.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.course import Assignment
from grader.diagnosis.agreement import ALIKE, DIFFERENT
from grader.diagnosis.fingerprint import Fingerprints, fingerprints_of
from grader.diagnosis.misconception import Misconception
from grader.diagnosis.mutants import Mutants
from grader.suite.attempt import Exchange

FRUITLESS_SEARCHES = 4
SUPPORT = 2


@dataclass(frozen=True)
class Failure:
    """A failed test: the contract's name it is of, and what was asked and answered.

    `on_stand_in` is the same with a stand-in for what the part builds on: where the student's own
    has a mistake too, only there the replies show one mistake at a time.
    """

    of: str
    exchanges: Sequence[Exchange]
    on_stand_in: Sequence[Exchange] = ()


class Evidence(Protocol):
    """What the known misconceptions would have replied, and how far a student's replies agree with that."""

    candidates: tuple[Misconception, ...]

    def agreement(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> int:
        """How far the candidate replies like the student's code, every time, where the solution does not."""

    def is_wrong(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
        """Whether the candidate replies unlike the solution at least once."""

    def is_refuted(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
        """Whether the student's code replies like the solution where the candidate does not."""


def diagnose(
    assignment: Assignment, failures: Mapping[str, Failure], passed: Mapping[str, Sequence[Exchange]] | None = None
) -> dict[str, Misconception]:
    """For each failed test, by name, the misconception that explains it; tests it can't explain are absent.

    A candidate explains a test if its mutant would have replied as the student's code did, every
    time, and if no test in `passed` refutes it, by what was asked and answered there. Of several that do, the
    one that explains most of the assignment's failed tests is named; among those, the one whose mutant is
    wrong in the fewest of the tests in `passed`.
    Where both only raised the same kind of error, each in other words, that is weak: many mistakes
    end so. It counts if the same candidate explains another failed test by more than that. And a
    candidate that would have failed other tests too, but in another way than they did, may agree by
    accident: it has to explain SUPPORT times as many as speak against it.
    What explained an earlier test is tried first, and a class or function in which FRUITLESS_SEARCHES
    tests could not be explained at all is searched no further: its mistake is not a known one.
    """
    passed = passed or {}
    evidence: Evidence = Mutants(assignment)
    if not evidence.candidates:
        evidence = Fingerprints(fingerprints_of(assignment))

    @functools.cache
    def is_refuted(candidate: Misconception) -> bool:
        return any(evidence.is_refuted(test, candidate, exchanges) for test, exchanges in passed.items())

    explained: dict[str, dict[Misconception, int]] = {}
    suspects: list[Misconception] = []
    fruitless: Counter[str] = Counter()
    for test, failure in failures.items():
        possible = _possible(assignment, failure, evidence.candidates)
        found = _explaining(evidence, test, failure, [one for one in suspects if one in possible], is_refuted)
        if not found and fruitless[failure.of] < FRUITLESS_SEARCHES:
            others = [candidate for candidate in possible if candidate not in suspects]
            found = _explaining(evidence, test, failure, others, is_refuted)
            suspects += found
            fruitless[failure.of] += not found
        explained[test] = found
    alike_somewhere = {candidate for found in explained.values() for candidate, how in found.items() if how == ALIKE}
    sure = {candidate for candidate in alike_somewhere if _is_supported(evidence, candidate, failures, is_refuted)}
    votes = Counter(candidate.id for found in explained.values() for candidate in found if candidate in sure)
    named = {test: [candidate for candidate in found if candidate in sure] for test, found in explained.items()}
    return {
        test: _representative(evidence, _likeliest(evidence, candidates, votes, passed))
        for test, candidates in named.items()
        if candidates
    }


def _possible(assignment: Assignment, failure: Failure, candidates: Sequence[Misconception]) -> Sequence[Misconception]:
    """Those that can be why the test failed: with a stand-in it is no mistake of the part that was replaced."""
    if failure.of in assignment.leaning and failure.on_stand_in:
        return [candidate for candidate in candidates if candidate.of in assignment.leaning]
    return candidates


def _explaining(
    evidence: Evidence,
    test: str,
    failure: Failure,
    candidates: Sequence[Misconception],
    is_refuted: Callable[[Misconception], bool],
) -> dict[Misconception, int]:
    """Those candidates that reply alike, and how far, with the student's own parts underneath or the stand-in."""
    for exchanges in (failure.exchanges, failure.on_stand_in):
        # where the process died nothing is compared: no mutant does that
        if exchanges and all(exchange.raised != {"type": "", "text": ""} for exchange in exchanges):
            found = {candidate: evidence.agreement(test, candidate, exchanges) for candidate in candidates}
            found = {one: how for one, how in found.items() if how != DIFFERENT and not is_refuted(one)}
            if found:
                return found
    return {}


def _likeliest(
    evidence: Evidence,
    candidates: Sequence[Misconception],
    votes: Mapping[str, int],
    passed: Mapping[str, Sequence[Exchange]],
) -> Misconception:
    """The one with most votes; of several, the first of those that the passed tests speak least against."""
    most = max(votes[candidate.id] for candidate in candidates)
    best = [candidate for candidate in candidates if votes[candidate.id] == most]
    if len(best) == 1:
        return best[0]
    return min(best, key=lambda one: sum(evidence.is_wrong(test, one, asked) for test, asked in passed.items()))


def _is_supported(
    evidence: Evidence,
    candidate: Misconception,
    failures: Mapping[str, Failure],
    is_refuted: Callable[[Misconception], bool],
) -> bool:
    """Whether the failed tests on which the mutant is wrong at all are mostly those that it explains."""
    explained = against = 0
    for test, failure in failures.items():
        if _explaining(evidence, test, failure, [candidate], is_refuted):
            explained += 1
        elif evidence.is_wrong(test, candidate, failure.on_stand_in or failure.exchanges):
            against += 1
    return explained >= SUPPORT * against


def _representative(evidence: Evidence, found: Misconception) -> Misconception:
    if found.same_as is None:
        return found
    return next(other for other in evidence.candidates if other.id == found.same_as)
