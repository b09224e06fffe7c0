"""The numbers of the class report: plain functions of result documents.

Nothing is drawn or written here. An item is a test; what it earns is its score over its maximum. Only
complete documents count: what the grader itself failed on says nothing about a class.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Document = dict[str, Any]
Key = tuple[str, str]  # an assignment's name and a test's
Floats = NDArray[np.float64]

ENOUGH = 20  # students, below which item statistics are mostly noise
TAIL = 0.27  # of the class at either end, for the index D


@dataclass(frozen=True)
class Spread:
    """How scores are spread."""

    count: int
    mean: float
    median: float
    deviation: float  # of the sample; nan for a single score
    lowest: float
    highest: float
    zeros: int
    alpha: float  # Cronbach's, over all tests; nan where undefined


@dataclass(frozen=True)
class Item:
    """One test over the class.

    `difficulty` is the mean share of its points that was earned (1 is easy); `discrimination` the
    correlation of that share with the score in all other tests, nan where one of the two does not vary;
    `tails` the share earned by the best 27 % minus that of the last 27 %.
    """

    assignment: str
    name: str
    visibility: str
    points: float
    count: int
    passed: int
    difficulty: float
    discrimination: float
    tails: float
    kinds: dict[str, int]


@dataclass(frozen=True)
class Mistake:
    """A misconception, what was said about it, and who has it, in the order of the documents."""

    id: str
    says: str
    assignment: str
    students: tuple[str, ...]
    tests: int


@dataclass(frozen=True)
class Runtime:
    """CPU seconds that students' code spent in one test, and the limit of each of its probes, if known."""

    assignment: str
    name: str
    median: float
    p95: float
    longest: float
    limit: float | None


def complete(documents: Sequence[Document]) -> list[Document]:
    """Those that have a verdict."""
    return [document for document in documents if document["complete"]]


def matrix(documents: Sequence[Document]) -> tuple[list[Key], Floats, Floats]:
    """All tests in course order; the points (students, tests) earned in each, nan where a test was not run; maxima."""
    keys: dict[Key, int] = {}
    for document in documents:
        for row in document["assignments"]:
            for test in row["tests"]:
                keys.setdefault((row["name"], test["name"]), len(keys))
    earned = np.full((len(documents), len(keys)), np.nan)
    most = np.zeros(len(keys))
    for line, document in enumerate(documents):
        for row in document["assignments"]:
            for test in row["tests"]:
                place = keys[row["name"], test["name"]]
                earned[line, place] = test["score"]
                most[place] = max(most[place], test["max_score"])
    order: dict[str, int] = {}
    for assignment, _ in keys:
        order.setdefault(assignment, len(order))
    names = sorted(keys, key=lambda key: order[key[0]])  # stable: a test that some lack stays with its neighbours
    places = [keys[name] for name in names]
    return names, earned[:, places], most[places]


def spread(documents: Sequence[Document]) -> Spread:
    """The scores of a class that is not empty."""
    scores = np.array([document["score"] for document in documents], dtype=float)
    _, earned, _ = matrix(documents)
    return Spread(
        len(scores),
        float(scores.mean()),
        float(np.median(scores)),
        float(scores.std(ddof=1)) if len(scores) > 1 else math.nan,
        float(scores.min()),
        float(scores.max()),
        int((scores == 0).sum()),
        _alpha(np.nan_to_num(earned)),
    )


def items(documents: Sequence[Document]) -> list[Item]:
    """Each test over the class, in course order."""
    keys, earned, most = matrix(documents)
    kinds: dict[Key, Counter[str]] = {key: Counter() for key in keys}
    visibility: dict[Key, str] = {}
    for document in documents:
        for row in document["assignments"]:
            for test in row["tests"]:
                kinds[row["name"], test["name"]][test["status"]] += 1
                visibility[row["name"], test["name"]] = test["visibility"]
    totals = np.nansum(earned, axis=1)
    found = []
    for place, key in enumerate(keys):
        taken = ~np.isnan(earned[:, place])
        own = earned[taken, place]
        rest = totals[taken] - own
        share = own / most[place] if most[place] else np.zeros_like(own)
        counts = kinds[key]
        found.append(
            Item(
                *key,
                visibility[key],
                float(most[place]),
                int(taken.sum()),
                counts["passed"],
                float(share.mean()) if most[place] else counts["passed"] / max(1, int(taken.sum())),
                _correlation(own, rest),
                _tails(share, totals[taken]),
                dict(counts),
            )
        )
    return found


def mistakes(documents: Sequence[Document]) -> list[Mistake]:
    """Misconceptions, the commonest first."""
    who: dict[tuple[str, str], dict[str, None]] = {}
    says: dict[tuple[str, str], str] = {}
    tests: Counter[tuple[str, str]] = Counter()
    for document in documents:
        for row in document["assignments"]:
            for test in row["tests"]:
                if test.get("misconception"):
                    key = (row["name"], test["misconception"])
                    who.setdefault(key, {})[document["submission"]] = None
                    tests[key] += 1
                    says.setdefault(key, likely_cause(test["message"]))
    found = [Mistake(key[1], says[key], key[0], tuple(who[key]), tests[key]) for key in who]
    return sorted(found, key=lambda mistake: (-len(mistake.students), mistake.assignment, mistake.id))


def likely_cause(message: str) -> str:
    """What a message says of the cause: the line after `Likely cause: `."""
    _, mark, cause = message.partition("Likely cause: ")
    return cause.partition("\n")[0] if mark else ""


def runtimes(documents: Sequence[Document], limits: dict[str, float]) -> list[Runtime]:
    """CPU time of each test, the nearest to its limit first; `limits` are those of assignments, in seconds."""
    spent: dict[Key, list[float]] = {}
    for document in documents:
        for row in document["assignments"]:
            for test in row["tests"]:
                seconds = (test.get("timing") or {}).get("student_cpu_s")
                if seconds is not None:
                    spent.setdefault((row["name"], test["name"]), []).append(float(seconds))
    found = []
    for key, seconds in spent.items():
        median, p95, longest = (float(value) for value in np.percentile(seconds, [50, 95, 100]))
        found.append(Runtime(*key, median, p95, longest, limits.get(key[0])))
    return sorted(found, key=lambda row: (-(row.longest / row.limit if row.limit else 0), row.assignment, row.name))


def _correlation(left: Floats, right: Floats) -> float:
    """Pearson's; nan where it is undefined."""
    if len(left) < 2 or np.ptp(left) < 1e-9 or np.ptp(right) < 1e-9:
        return math.nan
    return float(np.corrcoef(left, right)[0, 1])


def _tails(share: Floats, totals: Floats) -> float:
    """The mean share of the best 27 % minus that of the last; nan for fewer than four students."""
    size = round(TAIL * len(share))
    if size < 1 or len(share) < 4:
        return math.nan
    order = np.argsort(totals, kind="stable")
    return float(share[order[-size:]].mean() - share[order[:size]].mean())


def _alpha(earned: Floats) -> float:
    """Cronbach's alpha of (students, tests)."""
    students, tests = earned.shape
    if students < 2 or tests < 2:
        return math.nan
    whole = float(earned.sum(axis=1).var(ddof=1))
    return tests / (tests - 1) * (1 - float(earned.var(axis=0, ddof=1).sum()) / whole) if whole > 1e-12 else math.nan
