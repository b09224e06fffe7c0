"""What a student's check says: what is left, what would be handed in, what changed; the debugger; watching."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from grader.check.hints import Hints, hints_of
from grader.check.watch import saved
from grader.course import ROOT, SOLUTIONS, STARTER, load_course
from grader.course import select as chosen
from tests.support import write_files

SOLUTION = (SOLUTIONS / "cells.py").read_text()
STUB = (STARTER / "cells.py").read_text()
BLOCKS = "i, f, candidate, o = blocks.chunk(4, dim=1)"
SWAPPED = SOLUTION.replace(BLOCKS, "i, f, o, candidate = blocks.chunk(4, dim=1)")
PATIENCE_S = 120


def check(*words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", "check", *words],
        input=given,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", **environment},
        check=False,
    )


def flowing(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def work(tmp_path):
    files = {"cells.py": SWAPPED, "gradient_flow.py": (STARTER / "gradient_flow.py").read_text()}
    files |= {"big.py": "x = 1\n" * 400_000, "cells.pyc": b"\0", ".venv/bin/python": "", "notes.txt": "mine"}
    return write_files(tmp_path / "work", files)


def test_it_says_what_is_left_and_what_would_be_handed_in(work):
    done = check(str(work), "-a", "cells", "-a", "gradient_flow", "-a", "sampling")
    said = flowing(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"cells: [\d.]+ of 9 points; usually 60 to 90 minutes in all", said)
    assert "gradient_flow: not begun; usually 30 to 45 minutes in all" in said
    assert "counts: cells.py (4 kB), gradient_flow.py (2 kB), 1 other file" in said
    assert "not there: sampling.py" in said
    assert "left out, it is larger than 1 MiB: big.py" in said
    assert "ignored: .venv, cells.pyc" in said
    assert "45 hidden tests run when you hand in" in said
    assert "all tests pass" not in said.lower()


def test_messages_say_call_shape_difference_place_cause_and_next_step(work):
    said = flowing(check(str(work), "-a", "cells").stdout)
    assert "Called: LSTMCellFromScratch, by the probe steps(name='LSTMCellFromScratch', weights={W_x: (12, 5)" in said
    assert "c: right shape, (1, 2, 3), but off by up to 1.75, most at step 0, row 1, unit 0" in said
    assert "Likely cause: The third and fourth block seem to have changed places." in said
    assert "Next: compare LSTMCellFromScratch with the handout: “One step of the LSTM cell" in said
    assert "Then: grader check -a cells" in said


def test_a_gate_is_named_where_a_row_belongs_to_one(tmp_path):
    wrong = SOLUTION.replace("bias[hidden_size : 2 * hidden_size] = 1.0", "bias[:hidden_size] = 1.0")
    said = flowing(check(str(write_files(tmp_path / "work", {"cells.py": wrong})), "-a", "cells").stdout)
    assert "most at row 0 (input block): yours 1, expected 0" in said


@pytest.mark.parametrize("columns", ["40", "60"])
def test_it_fits_a_narrow_terminal_and_cuts_nothing_off(work, columns):
    done = check(str(work), COLUMNS=columns)
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    for assignment in load_course():
        assert assignment.name in done.stdout
    assert "hidden tests run when you hand in." in flowing(done.stdout)


def test_colour_and_marks_only_repeat_words(work):
    plain = check(str(work), "-a", "cells").stdout
    assert "\x1b" not in plain
    for line in plain.splitlines():
        if line.startswith(("✗", "✓")):
            assert re.search(r"\((public|hidden), (passed|failed|error|timeout)\)|now passes|fails now", line), line


def test_a_zip_holds_what_counts_and_grades_alike(work, tmp_path):
    target = tmp_path / "hand-in.zip"
    done = check(str(work), "-a", "cells", "--zip", str(target))
    assert f"{target} holds 3 files" in done.stdout
    assert set(zipfile.ZipFile(target).namelist()) == {"cells.py", "gradient_flow.py", "notes.txt"}
    assert re.findall(r"[\d.]+ of 9 points of", check(str(target), "-a", "cells").stdout) == re.findall(
        r"[\d.]+ of 9 points of", done.stdout
    )
    refused = check(str(target), "-a", "cells", "--zip", str(target))
    assert refused.returncode == 2 and "only a folder needs a zip" in refused.stderr


# The debugger


def test_the_debugger_opens_on_the_students_own_line(tmp_path):
    wrong = SOLUTION.replace("z, r = gates.chunk(2, dim=1)", "z, r = gates.chunk(4, dim=1)")
    folder = write_files(tmp_path / "work", {"cells.py": wrong})
    done = check(str(folder), "-a", "cells", "--pdb", given="p gates.shape\nq\n")
    assert "-> z, r = gates.chunk(4, dim=1)" in done.stdout
    assert "torch.Size(" in done.stdout
    assert "Likely cause: That line unpacks more or fewer values" in done.stdout


def test_where_nothing_is_raised_it_stops_where_the_code_begins(work):
    done = check(str(work), "-a", "cells", "--pdb", given="p tuple(x_t.shape)\nq\n")
    assert "stops where LSTMCellFromScratch begins" in done.stdout
    assert "-> blocks = x_t @ self.W_x.T" in done.stdout and "(Pdb) (2, 5)" in done.stdout


def test_breakpoints_and_prints_of_the_students_work(tmp_path):
    marked = SOLUTION.replace(
        "        z, r = gates", "        print('here', gates.shape); breakpoint()\n        z, r = gates"
    )
    folder = write_files(tmp_path / "work", {"cells.py": marked})
    done = check(str(folder), "-a", "cells", "--pdb", given="p 6 * 7\n" + "c\n" * 20)
    assert "here torch.Size(" in done.stdout and "(Pdb) 42" in done.stdout
    assert "All public tests pass. 17 hidden tests run when you hand in." in done.stdout
    assert "all tests pass" not in done.stdout.lower()


def test_a_module_that_can_not_be_imported_opens_there_too(tmp_path):
    folder = write_files(tmp_path / "work", {"cells.py": "import torch\nx = undefined_name\n"})
    done = check(str(folder), "-a", "cells", "--pdb", given="q\n")
    assert "NameError" in done.stdout and "-> x = undefined_name" in done.stdout


# Watching


class Watched:
    """A `check --watch`, and what it has said so far."""

    def __init__(self, folder: Path, keys: int, output: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process, self._keys, self._output = folder, process, keys, output
        self.said = ""

    def until(self, words: str) -> str:
        """Wait until these words are said; what was said since the last wait."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in flowing(self.said):
            ready, _, _ = select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"never said: {words}\n{self.said}"
            came = os.read(self._output, 65536)
            assert came, f"ended without saying: {words}\n{self.said}"
            self.said += came.decode()
        said, self.said = flowing(self.said), ""
        return said

    def press(self, keys: str) -> None:
        os.write(self._keys, keys.encode())


@pytest.fixture(params=["a pipe", "a terminal"])
def watched(request, tmp_path):
    folder = write_files(tmp_path / "work", {"cells.py": SWAPPED})
    command = [sys.executable, "-m", "grader", "check", str(folder), "-a", "cells", "--watch"]
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    if request.param == "a terminal":
        keys, theirs = pty.openpty()
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
        os.close(theirs)
        running = Watched(folder, keys, keys, process)
    else:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment
        )
        running = Watched(folder, process.stdin.fileno(), process.stdout.fileno(), process)
    yield running
    process.kill()
    process.wait()


def test_it_checks_on_save_and_says_what_changed_and_what_is_next(watched):
    first = watched.until("q to quit.")
    assert "Likely cause: The third and fourth block" in first
    watched.press("h\n")
    assert "Where do I begin?" in watched.until("only one way of multiplying")
    (watched.folder / "cells.py").write_text(SOLUTION.replace("h = (1 - z) * h_prev", "h = z * h_prev"))
    said = watched.until("q to quit.")
    assert "✓ cells, now passes: lstm one step" in said
    assert "✗ cells, fails now: gru one step" in said
    assert "Next: compare GRUCellFromScratch" in said
    (watched.folder / "cells.py").write_text(SOLUTION)
    said = watched.until("q to quit.")
    assert "✓ cells, now passes: gru one step" in said
    assert "All public tests pass. 17 hidden tests run when you hand in." in said
    watched.press("h\n")
    watched.until("nothing to give a hint for")
    watched.press("q\n")
    assert watched.process.wait(PATIENCE_S) == 0


def test_a_closed_standard_input_ends_no_watching(tmp_path):
    folder = write_files(tmp_path / "work", {"cells.py": STUB})
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "check", str(folder), "-a", "cells", "--watch"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    running = Watched(folder, -1, process.stdout.fileno(), process)
    try:
        running.until("q to quit.")
        (folder / "cells.py").write_text(SOLUTION)
        assert "+9 points" in running.until("q to quit.")
    finally:
        process.kill()
        process.wait()


def test_what_is_watched(tmp_path):
    files = {
        "cells.py": "",
        "mine/helper.py": "",
        "a.ipynb": "",
        "notes.txt": "",
        ".venv/lib/x.py": "",
        ".kit/y.py": "",
    }
    folder = write_files(tmp_path / "work", files)
    assert {Path(name).name for name in saved(folder)} == {"cells.py", "helper.py", "a.ipynb"}
    assert list(saved(folder / "cells.py")) == [str(folder / "cells.py")]


# Hints


@pytest.mark.parametrize("assignment", load_course(), ids=lambda assignment: assignment.name)
def test_every_assignment_has_hints_that_read_well_alone(assignment):
    hints = hints_of(assignment)
    assert len(hints) == 3
    for title, text in hints:
        assert title and text.endswith((".", "?", "`", ")", ":")), text
        assert "<" not in title


def test_hints_come_one_by_one_and_end_with_what_else_to_do():
    cells, batching = chosen(["cells", "batching"])
    hints = Hints()
    said = [hints.next(cells) for _ in range(4)]
    assert [text[:11] for text in said[:3]] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
    assert "no more hints" in said[3] and "--pdb" in said[3]
    assert hints.next(batching).startswith("Hint 1 of 3")
