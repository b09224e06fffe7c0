"""When the grader itself fails there is no verdict: never a zero that nobody earned, never a lost document."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assignments.cells import oracle
from grader import cli
from grader.course import ROOT, SOLUTIONS
from grader.sandbox import Sandbox
from grader.sandbox.process_tree import _descendants
from tests.support import grade_folder, rows_of, write_files

SOLUTION = (SOLUTIONS / "cells.py").read_text()


@pytest.fixture
def solved(tmp_path):
    return write_files(tmp_path / "ada", {"cells.py": SOLUTION})


def kill_at_the_third_test(sandbox):
    """A progress callback that ends the whole sandbox from outside, once."""
    seen = []

    def progress(outcome):
        seen.append(outcome)
        if len(seen) == 3:
            sandbox._process.kill()
            sandbox._process.wait()

    return progress


def test_a_sandbox_that_dies_is_replaced_and_nothing_is_lost(solved, rung):
    from grader.course import select
    from grader.grade import grade
    from grader.options import GradeOptions

    with Sandbox(["cells"], rung=rung) as sandbox:
        options = GradeOptions(select(["cells"]))
        document = grade(solved, options, sandbox, kill_at_the_third_test(sandbox)).document
        assert sandbox.level == rung
    assert document["complete"]
    assert document["score"] == 18 or set(rows_of(document, "error")) <= {"test_rnn_without_c"}


def test_a_sandbox_that_can_not_be_replaced_leaves_no_verdict(solved, monkeypatch):
    with Sandbox(["cells"], rung="split") as sandbox:
        monkeypatch.setattr(sandbox, "_launch", lambda rung: False)
        sandbox._stop()
        graded = grade_folder(solved, ["cells"], sandbox)
    assert {test["status"] for test in rows_of(graded.document).values()} == {"grader-error"}
    assert graded.document["complete"] is False
    assert graded.grader_errors


def test_the_exit_status_says_so(solved, monkeypatch, capsys):
    def broken(case):
        raise RuntimeError("the oracle is broken")

    monkeypatch.setattr(oracle, "walk", broken)
    arguments = [
        "grade",
        str(solved),
        "-a",
        "cells",
        "--json",
        "-",
        "--min-score",
        "50",
        "--require-isolation",
        "split",
    ]
    assert cli.main(arguments) == 3
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["complete"] is False
    assert "grader-error" in {test["status"] for test in rows_of(document).values()}
    assert "passed" in {test["status"] for test in rows_of(document).values()}
    assert "an error of the grader itself" in said.err


def test_a_slow_trusted_side_is_nobodys_zero(solved, monkeypatch, trusted_sandbox):
    walk, calls = oracle.walk, []

    def slow(case):
        calls.append(case)
        if len(calls) == 3:
            time.sleep(30)
        return walk(case)

    monkeypatch.setattr(oracle, "walk", slow)
    monkeypatch.setattr("grader.suite.run.OPTIONS", tuple(o.replace("timeout=60", "timeout=2") for o in _options()))
    graded = grade_folder(solved, ["cells"], trusted_sandbox)
    statuses = {test["status"] for test in rows_of(graded.document).values()}
    assert statuses == {"passed", "grader-error"}
    assert graded.document["complete"] is False
    assert any("took more than 2 s" in account for account in graded.grader_errors)


def _options():
    from grader.suite.run import OPTIONS

    assert any("timeout=60" in option for option in OPTIONS)
    return OPTIONS


def test_a_full_disk_is_said_in_one_line(solved, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/x")

    monkeypatch.setattr("grader.sandbox.sandbox.stage_kit", full)
    assert cli.main(["grade", str(solved), "-a", "cells", "--json", "-"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "No space left" in said.err


def test_a_reader_that_others_kill_is_no_zero(solved, monkeypatch, capsys):
    real = subprocess.run

    def killed(command, **options):
        if sys.modules["grader.intake.receive"].READING in command:
            return subprocess.CompletedProcess(command, -signal.SIGKILL, b"", b"")
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", killed)
    assert cli.main(["grade", str(solved), "-a", "cells", "--json", "-", "--require-isolation", "split"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip() == "grader: what reads the submission was killed, twice. No grade; try again."


def test_a_full_disk_while_reading_is_no_zero(solved, monkeypatch, capsys):
    monkeypatch.setattr(sys.modules["grader.intake.receive"], "DISK_LEFT", 2**62)
    assert cli.main(["grade", str(solved), "-a", "cells", "--json", "-", "--require-isolation", "split"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "the disk is full" in said.err


def test_a_grader_that_is_killed_leaves_no_document_and_no_process(solved, tmp_path):
    target = tmp_path / "ada.json"
    arguments = ["-m", "grader", "grade", str(solved), "--json", str(target), "--require-isolation", "split"]
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    time.sleep(1.5)
    started = _descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists() or json.loads(target.read_text())["complete"]
    deadline = time.monotonic() + 60
    while (alive := [pid for pid in started if _is_zygote(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert started and not alive


def _is_zygote(pid: int) -> bool:
    try:
        return b"inside.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
