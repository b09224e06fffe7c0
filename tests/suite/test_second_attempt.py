"""What counts against a student has happened alone: a failure in company is tried again in a fresh process."""

from __future__ import annotations

from grader.course import SOLUTIONS
from grader.sandbox import Compartment
from tests.support import rows_of

SOLUTION = (SOLUTIONS / "cells.py").read_text()
LSTM_STEP = "c_t = f * c_prev + i * candidate"


def test_state_left_by_another_test_costs_nothing(grade_own):
    """A program that breaks torch for its later self is right in each test on its own."""
    spoiled = SOLUTION.replace(
        LSTM_STEP,
        f"{LSTM_STEP}\n        global calls\n        calls += 1\n"
        "        if calls > 8:\n            raise RuntimeError('worn out')",
    )
    document = grade_own({"cells.py": "calls = 0\n" + spoiled}, ["cells"])
    assert document["score"] == 18


def test_modes_set_by_one_probe_do_not_reach_the_next(grade_own):
    spoiled = SOLUTION.replace(
        LSTM_STEP,
        f"{LSTM_STEP}\n        torch.set_default_dtype(torch.float64)\n"
        "        torch.set_num_threads(4)\n        import os\n        os.chdir('/')",
    )
    assert grade_own({"cells.py": spoiled}, ["cells"])["score"] == 18


def test_half_precision_on_the_way_costs_nothing(grade_own):
    """torch asks for the processor's features then; they have to be readable inside."""
    source = SOLUTION.replace(
        "bias = torch.zeros(4 * hidden_size)", "bias = torch.zeros(4 * hidden_size).half().float()"
    )
    assert grade_own({"cells.py": source}, ["cells"])["score"] == 18


def test_a_forged_huge_number_is_the_students_error(grade_own):
    forging = """
import grader.sandbox.inside.session as session
original = session.encode
def forged(value):
    tree, body = original(value)
    return ({"dict": [["the shape of W_x", 10**400]]} if "the shape of W_x" in str(tree) else tree), body
session.encode = forged
"""
    document = grade_own({"cells.py": SOLUTION + forging}, ["cells"])
    assert document["complete"]
    assert "test_lstm_parameters" in rows_of(document, "error")


def test_a_nearly_right_answer_gets_no_name(grade_own):
    source = SOLUTION.replace(
        "c_t = f * c_prev + i * candidate", "c_t = (f * c_prev + i * candidate).float().to(f.dtype)"
    )
    rows = rows_of(grade_own({"cells.py": source}, ["cells"]), "failed")
    assert rows and {test["misconception"] for test in rows.values()} == {None}


def test_a_real_failure_fails_both_times(grade_own):
    document = grade_own({"cells.py": SOLUTION.replace(LSTM_STEP, "c_t = f * c_prev")}, ["cells"])
    assert "test_lstm_one_step" in rows_of(document, "failed")


def test_the_seed_of_the_course_changes_the_inputs_and_not_the_verdict(grade_own):
    for seed in (1, 2**31, -5):
        assert grade_own({"cells.py": SOLUTION}, ["cells"], seed=seed)["score"] == 18


def test_what_cannot_be_imported_is_tried_once_and_not_for_every_test(grade_own, monkeypatch):
    opened = []
    monkeypatch.setattr(Compartment, "fork", lambda *given, fork=Compartment.fork: opened.append(1) or fork(*given))
    rows = rows_of(grade_own({"cells.py": "def broken(:\n"}, ["cells"]))
    assert {test["status"] for test in rows.values()} == {"error"}
    assert len({test["message"] for test in rows.values() if test["visibility"] == "public"}) == 1
    assert len(opened) == 1


def test_what_imports_with_a_stand_in_only_is_tried_again(grade_own):
    model = (SOLUTIONS / "language_model.py").read_text()
    files = {"cells.py": "raise ValueError('not today')\n", "language_model.py": model}
    assert rows_of(grade_own(files, ["language_model"]), "failed", "error") == {}
