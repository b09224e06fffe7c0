"""How totals and failures read on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from grader import messages
from grader.documents import percent
from grader.export.terminal import last_line, show_failures


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


def shown(status, message, most=None):
    test = {"name": "test_it", "visibility": "public", "status": status, "message": message, "misconception": None}
    out = io.StringIO()
    row = {"name": "cells", "tests": [{**test, "score": 0.0, "max_score": 1.0}]}
    show_failures(row, Console(file=out, width=80, highlight=False), most)
    return out.getvalue()


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        ("error", "LSTMCell is not implemented yet.\nNext: write it.", "(public, not begun)"),
        ("error", messages.HIDDEN["not-implemented"], "(public, not begun)"),
        ("error", "LSTMCell raised ValueError: LSTMCell is not implemented yet.", "(public, error)"),
        ("failed", "LSTMCell is not implemented yet.", "(public, failed)"),
        ("timeout", "It took too long.", "(public, out of time)"),
        ("grader-error", messages.GRADER_ERROR, "(public, no verdict)"),
    ],
)
def test_a_status_in_words(status, message, says):
    assert says in shown(status, message)


def test_what_passed_only_with_a_stand_in_is_told():
    said = " ".join(shown("passed", messages.STAND_IN).split())
    assert said.startswith("✓ cells: 1 test passed with a stand-in") and said.endswith("a mistake there.")
    assert shown("passed", messages.STAND_IN, most=1) == shown("passed", "") == ""
