"""What misbehaves costs its own test and no other: hang, crash, exit, flood, hunger, and daemons."""

from __future__ import annotations

import os
import time

import pytest

from grader.course import SOLUTIONS
from grader.sandbox import Sandbox
from tests.support import grade_folder, processes_with, rows_of, without_timing, write_files

SOLUTION = (SOLUTIONS / "cells.py").read_text()
RNN_STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"
ONE_ROW = "if x_t.shape[0] == 1 and x_t.dtype == torch.float32:"  # only test_rnn_without_c asks this of the RNN

TRICKS = {
    "hangs": ("while True: pass", "timeout"),
    "sleeps through a signal": (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); [time.sleep(1) for _ in range(10**6)]",
        "timeout",
    ),
    "crashes": ("os.abort()", "error"),
    "exits politely": ("raise SystemExit(0)", "error"),
    "exits through the back door": ("os._exit(0)", "error"),
    "kills itself": ("os.kill(os.getpid(), 9)", "error"),
    "is too hungry": ("torch.zeros(2**34)", "error"),
    "eats byte by byte": ("hoard = [bytearray(2**20) for _ in range(2**16)]", "error"),
    "recurses for ever": ("f = lambda: f(); f()", "error"),
    "raises what nobody expects": ("raise BaseException('\\x1b[31mboo')", "error"),
    "returns nothing": ("return None", "failed"),
    "returns a generator": ("return (n for n in range(2))", "failed"),
}


def misbehaving(trick: str) -> dict[str, str | bytes]:
    """The solution, doing `trick` in the one situation that one public test asks for."""
    return {
        "cells.py": "import os\n" + SOLUTION.replace(RNN_STEP, f"{ONE_ROW}\n            {trick}\n        {RNN_STEP}")
    }


@pytest.mark.parametrize("trick", TRICKS)
def test_it_costs_its_own_test_and_no_other(trick, tmp_path, trusted_sandbox, monkeypatch):
    if TRICKS[trick][1] == "timeout":  # the others never wait for it
        monkeypatch.setattr("grader.sandbox.session.PROBE_WALL_S", 4.0)
    folder = write_files(tmp_path / "submission", misbehaving(TRICKS[trick][0]))
    document = grade_folder(folder, ["cells"], trusted_sandbox).document
    lost = rows_of(document, "failed", "error", "timeout", "grader-error")
    assert {name: test["status"] for name, test in lost.items()} == {"test_rnn_without_c": TRICKS[trick][1]}
    assert document["score"] == 17.75
    assert document["complete"]


def test_a_flood_of_output_costs_nothing(rung, tmp_path, capfd):
    flood = "print('all tests pass\\n' * 2**20); os.write(2, b'x' * 2**20)"
    folder = write_files(tmp_path / "submission", misbehaving(flood))
    with Sandbox(["cells"], rung=rung) as sandbox:
        document = grade_folder(folder, ["cells"], sandbox).document
    assert document["score"] == 18
    assert capfd.readouterr() == ("", "")


def test_killing_everything_in_reach_costs_its_own_test(rung, tmp_path):
    if rung == "split" and os.geteuid() == 0:
        pytest.skip("without namespaces and as root it would reach the whole machine")
    folder = write_files(tmp_path / "submission", misbehaving("os.kill(-1, 9); os.kill(1, 9)"))
    with Sandbox(["cells"], rung=rung) as sandbox:
        document = grade_folder(folder, ["cells"], sandbox).document
    assert set(rows_of(document, "failed", "error", "timeout")) <= {"test_rnn_without_c"}
    assert document["complete"]


def test_killing_the_parent_costs_its_own_test(rung, tmp_path):
    trick = "import signal; os.kill(os.getppid(), signal.SIGSTOP); os.kill(os.getppid(), signal.SIGKILL); os.abort()"
    folder = write_files(tmp_path / "submission", misbehaving(trick))
    with Sandbox(["cells"], rung=rung) as sandbox:
        document = grade_folder(folder, ["cells"], sandbox).document
        assert sandbox.level == rung
    assert set(rows_of(document, "failed", "error", "timeout")) == {"test_rnn_without_c"}


def test_no_process_is_left(rung, tmp_path):
    marker = f"left-{os.getpid()}-{rung}"
    daemon = (
        f"os.fork() or (os.setsid(), os.fork() or os.execv('/bin/sh', ['/bin/sh', '-c', ': {marker}; sleep 300']), "
        "os._exit(0))"
    )
    folder = write_files(tmp_path / "submission", misbehaving(daemon))
    with Sandbox(["cells"], rung=rung) as sandbox:
        grade_folder(folder, ["cells"], sandbox)
    deadline = time.monotonic() + 30
    while (alive := processes_with(marker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive == []


def test_the_submission_is_left_as_it_was(rung, tmp_path):
    trick = "open('cells.py', 'w').write('gone'); open('new.txt', 'w').write('new')"
    folder = write_files(tmp_path / "submission", misbehaving(trick))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Sandbox(["cells"], rung=rung) as sandbox:
        grade_folder(folder, ["cells"], sandbox)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_grading_twice_gives_the_same_document(rung, tmp_path):
    folder = write_files(tmp_path / "submission", misbehaving("raise ValueError(f'at {id(self):#x} in {os.getcwd()}')"))
    documents = []
    for _ in range(2):
        with Sandbox(["cells"], rung=rung) as sandbox:
            documents.append(without_timing(grade_folder(folder, ["cells"], sandbox).document))
    assert documents[0] == documents[1]
