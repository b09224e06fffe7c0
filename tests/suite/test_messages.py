"""What is shown is clean: no control characters, paths, addresses; hidden tests speak from a fixed list."""

from __future__ import annotations

import json

import pytest

from grader import messages
from grader.course import SOLUTIONS, load_course
from grader.diagnosis import load_misconceptions
from grader.diagnosis.python_errors import EXPLANATIONS
from grader.documents import as_json
from tests.support import rows_of

SOLUTION = (SOLUTIONS / "cells.py").read_text()
RNN_STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"
HOSTILE = (
    "\x1b[31mred\x07 \u202eevil <script> at 0x7f3a2b1c pid 4711 /home/ada/hw/cells.py ::set-output \r\n" + "x" * 9000
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("see /home/ada/hw/cells.py, line 3", "see cells.py, line 3"),
        ("see https://pytorch.org/docs/stable/x.html", "see https://pytorch.org/docs/stable/x.html"),
        ("see file:///home/ada/hw/cells.py", "see file://cells.py"),
        ("<object at 0x7fe4a1b2c3d4>", "<object at 0x…>"),
        ("pid 4711", "pid …"),
        ("1/2 and a/b", "1/2 and a/b"),
        ("\u202ereversed", "reversed"),
        ("words ::error::x", "words : :error::x"),
        ("x ::Set-Output name=a::b", "x : :Set-Output name=a::b"),
        ("##[set-env name=PATH]x", "# #[set-env name=PATH]x"),
        ("x[::2] and a::1", "x[::2] and a::1"),
        ("h[::step, a::b]", "h[::step, a::b]"),
    ],
)
def test_clean(text, shown):
    assert messages.clean(text) == shown


def test_a_name_that_a_runner_would_obey_is_written_otherwise_with_the_same_value():
    text = as_json({"submission": "##[error]x"})
    assert "##[" not in text and json.loads(text) == {"submission": "##[error]x"}


def test_hostile_text_is_cleaned_in_public_messages_and_absent_from_hidden_ones(grade_own):
    source = SOLUTION.replace(RNN_STEP, f"raise ValueError({HOSTILE!r})")
    document = grade_own({"cells.py": source}, ["cells"])
    for test in rows_of(document, "error").values():
        text = test["message"]
        assert len(text) <= messages.MESSAGE_LIMIT
        assert all(c in "\n\t" or c.isprintable() for c in text)
        assert "/home" not in text and "4711" not in text and "0x7f3a" not in text
        assert ("red" in text) == (test["visibility"] == "public")


def test_what_was_printed_is_shown_for_a_failed_public_test(grade_own):
    source = SOLUTION.replace(RNN_STEP, "print('x is', x_t.shape, end='')\n        h = h_prev")
    rows = rows_of(grade_own({"cells.py": source}, ["cells"]))
    assert "It printed: x is torch.Size([2, 5])" in rows["test_rnn_one_step"]["message"]
    assert "printed" not in rows["test_rnn_matches_nn_rnn"]["message"]


def fixed_sentences() -> set[str]:
    sentences = set(messages.HIDDEN.values())
    for assignment in load_course():
        sentences |= {messages.PROMISE.format(sentence=s) for s in assignment.promises.values()}
        sentences |= {messages.CAUSE.format(says=m.says) for m in load_misconceptions(assignment)}
    return sentences | {messages.CAUSE.format(says=says) for _, _, says in EXPLANATIONS}


@pytest.mark.parametrize(
    "step",
    [
        "raise ValueError('leak ' + str(x_t))",
        "return x_t",
        "return torch.zeros(1), 'leak'",
        "import os; os.abort()",
        "h = x_t @ self.W_x",
        "raise type('Leak', (Exception,), {})('leak')",
    ],
)
def test_hidden_tests_speak_from_a_fixed_list(step, grade_own):
    document = grade_own({"cells.py": SOLUTION.replace(RNN_STEP, step)}, ["cells"])
    allowed = fixed_sentences()
    hidden = [test for test in rows_of(document).values() if test["visibility"] == "hidden" and test["message"]]
    assert hidden
    for test in hidden:
        assert set(test["message"].split("\n")) <= allowed
    assert "leak" not in json.dumps(hidden).lower()
