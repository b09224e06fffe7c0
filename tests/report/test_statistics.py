"""The report's numbers, against NumPy, and against cases that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grader.report import statistics
from grader.report.changes import compare


def document(name, *earned, most=1.0, complete=True):
    tests = [
        {
            "name": f"test_{number}",
            "visibility": "public",
            "status": "passed" if points else "failed",
            "score": points,
            "max_score": most,
            "message": "" if points else "wrong\nLikely cause: a <cause>\nIt printed: x",
            "misconception": None if points else "some-cause",
            "timing": {"student_cpu_s": 0.5 + points},
        }
        for number, points in enumerate(earned)
    ]
    row = {"name": "cells", "score": sum(earned), "max_score": most * len(earned), "tests": tests}
    head = {"submission": name, "score": sum(earned), "max_score": most * len(earned), "complete": complete}
    return {**head, "isolation": {"level": "split"}, "notes": [], "assignments": [row]}


FOUR = [document("a", 1, 1, 1), document("b", 1, 1, 0), document("c", 1, 0, 1), document("d", 1, 0, 0)]


def test_discrimination_is_with_the_rest_and_not_with_the_whole():
    rng = np.random.default_rng(0)
    ability = rng.normal(size=200)
    earned = (ability[:, None] + rng.normal(size=(200, 6)) > 0).astype(float)
    found = statistics.items([document(str(line), *map(float, row)) for line, row in enumerate(earned)])
    for place, item in enumerate(found):
        rest = np.delete(earned, place, axis=1).sum(axis=1)
        assert item.discrimination == pytest.approx(np.corrcoef(earned[:, place], rest)[0, 1])
        assert item.discrimination < np.corrcoef(earned[:, place], earned.sum(axis=1))[0, 1] - 0.05
        assert item.difficulty == pytest.approx(earned[:, place].mean())


def test_what_does_not_vary_is_undefined_and_not_zero():
    first, second, third = statistics.items(FOUR)
    assert first.difficulty == 1.0 and math.isnan(first.discrimination)
    assert second.discrimination == pytest.approx(0.0) and third.passed == 2
    assert (first.tails, second.tails) == (0.0, 1.0)  # the best of four and the last


def test_a_test_of_no_points_is_as_hard_as_it_is_seldom_passed():
    quarter = [document(name, 0.0, most=0.0) for name in "abc"]
    quarter[0]["assignments"][0]["tests"][0]["status"] = "passed"
    assert statistics.items(quarter)[0].difficulty == pytest.approx(1 / 3)


def test_the_spread_of_scores():
    spread = statistics.spread(FOUR)
    assert (spread.mean, spread.median, spread.lowest, spread.highest, spread.zeros) == (2.0, 2.0, 1.0, 3.0, 0)
    assert spread.deviation == pytest.approx(np.std([3, 2, 2, 1], ddof=1))
    assert math.isnan(statistics.spread(FOUR[:1]).deviation) and math.isnan(statistics.spread(FOUR[:1]).alpha)


def test_alpha_is_one_for_copies_of_one_test():
    assert statistics.spread([document("a", 1, 1, 1), document("b", 0, 0, 0)]).alpha == pytest.approx(1.0)


def test_what_has_no_verdict_does_not_count():
    assert [d["submission"] for d in statistics.complete([*FOUR, document("e", 0, complete=False)])] == list("abcd")


def test_tests_that_only_some_were_given_count_for_those():
    keys, earned, _ = statistics.matrix([document("a", 1), document("b", 1, 0)])
    assert keys == [("cells", "test_0"), ("cells", "test_1")]
    assert np.isnan(earned).tolist() == [[False, True], [False, False]]
    assert [item.count for item in statistics.items([document("a", 1), document("b", 1, 0)])] == [2, 1]


def test_misconceptions_with_how_many_and_who():
    (mistake,) = statistics.mistakes(FOUR)
    assert (mistake.id, mistake.students, mistake.tests) == ("some-cause", ("b", "c", "d"), 4)
    assert mistake.says == "a <cause>"


def test_runtimes_are_ordered_by_their_share_of_the_limit():
    first, *_ = statistics.runtimes(FOUR, {"cells": 3.0})
    assert (first.median, first.longest, first.limit) == (1.5, 1.5, 3.0)
    assert statistics.runtimes(FOUR, {})[0].limit is None


def test_a_diff_says_who_how_much_and_because_of_what():
    new = [document("a", 1, 1, 1), document("b", 0, 1, 0), document("c", 1, 1, 1), document("f", 1, 0, 0)]
    changes = {change.submission: change for change in compare(FOUR, new)}
    assert list(changes) == ["b", "d", "c", "f"]  # the greatest loss first
    loses, gone, gains, new_one = changes.values()
    assert loses.points == -1 and [(t.name, t.before, t.after, t.points) for t in loses.tests] == [
        ("test_0", "passed", "failed", -1)
    ]
    assert gains.points == 1 and [t.name for t in gains.tests] == ["test_1"]
    assert (new_one.before, new_one.after) == (None, 1) and (gone.before, gone.after) == (1, None)
    assert compare(FOUR, FOUR) == []


def test_a_diff_sees_a_status_that_costs_nothing_and_a_test_that_is_new():
    (change,) = compare([document("a", 0)], [document("a", 0, 1)])
    assert [(t.name, t.before, t.after) for t in change.tests] == [("test_1", None, "passed")]
    assert change.most == (1.0, 2.0)
