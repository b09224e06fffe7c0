"""No double jeopardy: a part whose prerequisite is broken is graded with a stand-in, its own mistakes still cost."""

from __future__ import annotations

import pytest

from grader.course import SOLUTIONS, STARTER, select
from grader.diagnosis import load_misconceptions, mutate
from tests.support import rows_of

CELLS = (SOLUTIONS / "cells.py").read_text()
MODEL = (SOLUTIONS / "language_model.py").read_text()
BATCHING = (SOLUTIONS / "batching.py").read_text()
TRAINING = (SOLUTIONS / "training.py").read_text()
LSTM_STEP = "c_t = f * c_prev + i * candidate"

BROKEN_CELLS = {
    "missing": None,
    "untouched": (STARTER / "cells.py").read_text(),
    "syntax error": "def broken(:\n",
    "raises at import": "raise RuntimeError('not today')\n",
    "swapped gates": CELLS.replace("i, f, candidate, o", "i, f, o, candidate"),
    "a class missing": CELLS.replace("class GRUCellFromScratch", "class GRU"),
    "library cells": CELLS.replace(
        LSTM_STEP, f"{LSTM_STEP}\n        nn.LSTMCell(1, 1)(x_t[:, :1], (x_t[:, :1], x_t[:, :1]))"
    ),
    "loops for ever": CELLS.replace(LSTM_STEP, f"{LSTM_STEP}\n        while True:\n            pass"),
    "crashes": CELLS.replace(LSTM_STEP, f"{LSTM_STEP}\n        import os\n        os.abort()"),
    "returns None": CELLS.replace("return h_t, c_t", "return None"),
}
BROKEN_BATCHING = {
    "missing": None,
    "untouched": (STARTER / "batching.py").read_text(),
    "syntax error": "def broken(:\n",
    "no batches": BATCHING.replace("yield x, y", "return"),
    "not shifted": BATCHING.replace("data[1 : used + 1]", "data[:used]"),
}


def submission(file, broken, own, source):
    return {own: source} if broken is None else {file: broken, own: source}


@pytest.mark.parametrize("how", BROKEN_CELLS)
def test_broken_cells_do_not_sink_the_model(how, grade_own):
    document = grade_own(submission("cells.py", BROKEN_CELLS[how], "language_model.py", MODEL), ["language_model"])
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}
    assert any("stand-in" in test["message"] for test in rows_of(document).values())


@pytest.mark.parametrize("how", BROKEN_BATCHING)
def test_broken_batches_do_not_sink_the_training(how, grade_own):
    document = grade_own(submission("batching.py", BROKEN_BATCHING[how], "training.py", TRAINING), ["training"])
    assert rows_of(document, "failed", "error", "timeout", "grader-error") == {}


@pytest.mark.parametrize("name", ["language_model", "training"])
def test_its_own_mistakes_cost_the_same_on_broken_ground(name, grade_own):
    (assignment,) = select([name])
    need = assignment.needs[0]
    for misconception in load_misconceptions(assignment)[::8]:
        wrong = mutate(name, misconception)
        right = (SOLUTIONS / f"{need}.py").read_text()
        on_firm = grade_own({f"{need}.py": right, assignment.file: wrong}, [name])
        on_broken = grade_own({assignment.file: wrong}, [name])
        assert on_broken["score"] == on_firm["score"], misconception.id
        named = {test["misconception"] for test in rows_of(on_broken, "failed", "error").values()}
        assert (misconception.same_as or misconception.id) in named, misconception.id


def test_a_passed_test_says_nothing_where_nothing_is_wrong(grade_own):
    document = grade_own({"cells.py": CELLS, "language_model.py": MODEL}, ["language_model"])
    assert all(test["message"] == "" for test in rows_of(document).values())


def test_an_unfinished_part_is_its_own_and_not_its_prerequisites(grade_own):
    document = grade_own({"language_model.py": (STARTER / "language_model.py").read_text()}, ["language_model"])
    assert document["score"] == 0
