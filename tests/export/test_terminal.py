"""How a total reads on a terminal where some of it is bonus, and what share of the points that is."""

from __future__ import annotations

import pytest

from grader.documents import percent
from grader.export.terminal import last_line


def row(name, score, most, *, bonus=False):
    test = {"name": "test_it", "status": "passed", "score": score, "max_score": most, "misconception": None}
    own = {"max_score": 0.0, "bonus": most} if bonus else {"max_score": most}
    return {"name": name, "score": score, **own, "tests": [test]}


def document(*rows):
    score, most = (sum(row[key] for row in rows) for key in ("score", "max_score"))
    head = {"submission": "ada", "score": score, "max_score": most, "complete": True, "isolation": {"level": "split"}}
    return {**head, "assignments": list(rows)}


PLAIN, BONUS = row("cells", 18.0, 18.0), row("fast_lstm", 7.5, 10.0, bonus=True)
NOTHING = row("fast_lstm", 0.0, 10.0, bonus=True)


@pytest.mark.parametrize(
    ("rows", "hidden", "says", "share"),
    [
        ([PLAIN], None, "18 of 18 points (isolation: split)", 100.0),
        ([PLAIN, BONUS], None, "25.5 of 18 points, 7.5 of them bonus (isolation: split)", 100 * 25.5 / 18),
        ([PLAIN, NOTHING], None, "18 of 18 points (isolation: split)", 100.0),
        ([BONUS], None, "7.5 of 10 bonus points (isolation: split)", 75.0),
        ([PLAIN, BONUS], 3, "25.5 of 18 points of the public tests, 7.5 of them bonus. All public", 100 * 25.5 / 18),
        ([], None, "0 of 0 points (isolation: split)", 0.0),
    ],
)
def test_the_last_line(rows, hidden, says, share):
    assert says in last_line(document(*rows), hidden)
    assert percent(document(*rows)) == pytest.approx(share)
