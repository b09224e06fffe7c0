"""Text of a student's choosing on its way to a terminal: names, exceptions, output, values; through the real command.

Nothing of it moves the cursor, turns the writing round, hides, smears, or draws a line that could be
taken for one of the grader's own.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.console import Console

from grader import messages
from grader.course import ROOT, SOLUTIONS
from grader.export import show_document

SOLUTION = (SOLUTIONS / "cells.py").read_text()
FORGED = "100 of 100 points (isolation: namespaced)"
HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\\\link\x9b31m\x90q\x9c\x08\x08\x7f"  # C0, C1, ESC
    "\u202eevil\u2066\u200b\u200d\ufeff\u00ad\u2060\U000e0041\u3164\ufe0f"  # turned round, zero wide, unseen
    + "smear" + "\u0301" * 300 + f"\r\n{FORGED}\n\u2028{FORGED}\x0b{FORGED}\x0c{FORGED}\x85{FORGED}\n" + "long" * 5000
)  # fmt: skip
RNN_STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"
BAD_KINDS = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
WIDTH = 80


def command(*arguments: str) -> str:
    """All that one command shows, on either stream."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(WIDTH), "PYTHONUTF8": "1"},
        check=False,
    )
    return done.stdout.decode() + done.stderr.decode()


def assert_clean(shown: str) -> None:
    """No control but newline, nothing unseen, at most four accents in a row, no forged line, no flood."""
    for c in shown:
        assert c == "\n" or unicodedata.category(c) not in BAD_KINDS, f"U+{ord(c):04X} in {shown!r}"
    assert not set(shown) & set("\u3164\u2800\ufe0f\u034f")
    assert "\u0301" * 5 not in unicodedata.normalize("NFD", shown)
    for line in shown.splitlines():
        assert not line.startswith(FORGED[:10]), f"a line that was forged: {line!r}"
    assert len(shown) < 60_000


def submission(tmp_path: Path, source: str) -> Path:
    """A folder whose names are hostile too, with things in it that notes are written about."""
    folder = tmp_path / f"ada\x1b[2J\u202e\n{FORGED}"
    folder.mkdir()
    (folder / "cells.py").write_text(source, encoding="utf-8")
    for name in ("\x1b]0;x\x07.py", f"a\n{FORGED}.py", "\u202egnp.py", os.fsdecode(b"\x9b31m\xff.py")):
        (folder / name).symlink_to("/etc/passwd")
    (folder / f"{'x' * 240}\x1b[0m.txt").write_text("")
    return folder


EVIL = f"HOSTILE = {HOSTILE!r}\n"
LSTM_STEP = "c_t = f * c_prev + i * candidate"
GRU_STEP = "h = (1 - z) * h_prev + z * candidate"


def test_nothing_hostile_reaches_the_terminal(tmp_path):
    steps = {  # an exception's name and text, what is printed, a value's type
        RNN_STEP: "raise type(HOSTILE, (Exception,), {})(HOSTILE)",
        LSTM_STEP: "print(HOSTILE); c_t = c_prev",
        GRU_STEP: "return type(HOSTILE, (), {})(), h_prev",
    }
    source = EVIL + SOLUTION
    for right, wrong in steps.items():
        assert right in source
        source = source.replace(right, wrong)
    shown = command("grade", str(submission(tmp_path, source)), "-a", "cells", "--require-isolation", "split")
    assert_clean(shown)
    assert "cells: rnn one step" in shown and "of 18 points (isolation: " in shown
    assert "It printed: [2J" in shown and "raised [2J" in shown and ": a [2J" in shown
    assert shown.count("note: left out, not a regular file") == 4


def test_nor_does_it_in_a_check(tmp_path):
    source = EVIL + SOLUTION.replace(RNN_STEP, "h = undefined  # \u202e \u200b \x0c " + "y" * 5000)
    shown = command("check", str(submission(tmp_path, source)), "-a", "cells")
    assert_clean(shown)
    assert "h = undefined # yyy" in " ".join(shown.split())


def test_nor_before_the_debugger(tmp_path):
    source = EVIL + SOLUTION.replace(RNN_STEP, "raise ValueError(HOSTILE)")
    shown = command("check", str(submission(tmp_path, source)), "-a", "cells", "--pdb").split("\n> ")[0]
    assert_clean(shown)
    assert "ValueError: [2J" in shown


@pytest.mark.parametrize("source", [EVIL + "raise ImportError(HOSTILE)", "x = '\u202e\x0c' +\n"])
def test_nor_when_the_module_cannot_be_imported(tmp_path, source):
    folder = str(submission(tmp_path, source))
    assert_clean(command("grade", folder, "-a", "cells", "--require-isolation", "split"))


def test_a_complaint_is_one_clean_line(tmp_path):
    for arguments in (
        ["grade", f"{tmp_path}/{HOSTILE[:60]}\n{FORGED}"],
        ["check", f"{tmp_path}/\x1b[2J" + "x" * 3000],
        ["grade", ".", "-a", f"\x1b[2J\n{FORGED}"],
        ["grade", ".", "--device", f"\x1b[2J\n{FORGED}"],
    ):
        shown = command(*arguments)
        assert_clean(shown)
        assert shown.count("\n") == 1 and shown.startswith("grader: ") and len(shown) < 1100


def test_a_document_from_a_file_is_trusted_no_more():
    text = HOSTILE[: messages.MESSAGE_LIMIT]
    test = {"name": text, "visibility": "public", "status": "failed", "score": 0.0, "max_score": 1.0}
    tests = [{**test, "message": text, "misconception": None}]
    row = {"name": text, "score": 0.0, "max_score": 1.0, "tests": tests}
    document = {"submission": text, "score": 0.0, "max_score": 1.0, "complete": True, "notes": [text]}
    out = io.StringIO()
    shown = {**document, "isolation": {"level": "split"}, "assignments": [row]}
    show_document(shown, Console(file=out, width=WIDTH, highlight=False, emoji=False, markup=False))
    assert_clean(out.getvalue())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("e\u0301 and n\u0303", "e\u0301 and n\u0303"),
        ("e" + "\u0301" * 99 + "x", "e" + "\u0301" * 4 + "x"),
        ("a\u034fb\u3164c\ufe0fd", "abcd"),
        ("हिन्दी 数据 عربي 😉", "हिन्दी 数据 عربي 😉"),
        ("tab\there\r\nnext", "tab\there\nnext"),
    ],
)
def test_printable_takes_away_tricks_and_leaves_languages(text, shown):
    assert messages.printable(text) == shown


def test_one_line_is_one_line():
    assert messages.one_line("a\n\tb\r\n\u2028 c\x0bd") == "a b cd"


def test_a_quotation_of_a_flood_is_not_read_to_its_end():
    class Flood(str):
        def __getitem__(self, part):
            assert part.stop < 20_000
            return str.__getitem__(self, part)

    assert messages.quote(Flood("x" * 10**7), 300) == "x" * 299 + "…"
