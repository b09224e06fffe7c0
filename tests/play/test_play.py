"""`grader play`: what is shown, what a stub leaves out, and that Ctrl-C keeps what was trained."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from grader import cli
from grader.course import ROOT, SOLUTIONS, STARTER
from grader.play import show

TINY = {"embed_size": 3, "hidden_size": 4, "num_layers": 1, "batch_size": 4, "seq_len": 5, "num_epochs": 2}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Small sizes, and a working folder with a text in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(show, "SMALL", TINY)
    (tmp_path / "text.txt").write_text("The cat sat on the mat. " * 12, encoding="utf-8")
    return tmp_path


def played(capfd, *arguments, folder=SOLUTIONS, status=0):
    assert cli.main(["play", str(folder), "--text", "text.txt", *arguments]) == status
    return capfd.readouterr()


def test_all_of_it_plays_and_a_second_run_goes_on(tiny, capfd):
    out, err = played(capfd)
    assert "left out" not in err
    assert [line.split(":")[0] for line in out.splitlines() if "your CharRNN" in line] == ["LSTM", "GRU", "RNN"]
    assert out.count("epoch   2  loss") == 3
    for shown in (" 0.2  The ", " 1.5  The ", "greedy  The ", "beam of 5  The ", "Three kinds of cells"):
        assert shown in out
    kept = {file.name: file.read_bytes() for file in (tiny / "play").glob("*.safetensors")}
    assert len(kept) == 3
    again, _ = played(capfd)  # nothing is left to train: the same models write the same texts
    assert again.count("goes on after 2 epochs") == 3
    assert {file.name: file.read_bytes() for file in (tiny / "play").glob("*.safetensors")} == kept
    more, _ = played(capfd, "--epochs", "3")
    assert more.count("epoch   3  loss") == 3
    other, _ = played(capfd, "--hidden", "5")
    assert "goes on" not in other


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process group")
def test_ctrl_c_keeps_what_was_trained(tiny):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "grader", "play", str(SOLUTIONS), "--text", "text.txt", "--epochs", "100000"]
    (tiny / "text.txt").write_text("The cat sat on the mat. " * 60, encoding="utf-8")
    run = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 200
        while not list((tiny / "play").glob("*.safetensors")):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to both processes
        _, err = run.communicate(timeout=60)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == show.STOPPED
    assert "the weights are kept. The same command goes on." in err
    assert "Traceback" not in err
    (file,) = (tiny / "play").glob("*.safetensors")
    from safetensors import safe_open

    with safe_open(file, framework="pt") as kept:
        assert len(json.loads(kept.metadata()["epochs"])["losses"]) >= 1


def test_what_is_missing_is_said_and_the_rest_plays(tiny, capfd):
    folder = tiny / "work"
    shutil.copytree(SOLUTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("language_model.py", "beam_search.py"):
        shutil.copy(STARTER / name, folder / name)
    out, err = played(capfd, folder=folder)
    assert "LSTM: a model of the library, in place of yours" in out
    assert " 0.8  The " in out and "LSTM (library)" in out
    assert "beam_search: not written yet" in err
    out, err = played(capfd, folder=STARTER)
    assert "train: not written yet" not in out
    assert "left out" in err and "Three kinds" not in out


def test_a_damaged_file_starts_anew(tiny, capfd):
    played(capfd)
    for file in (tiny / "play").glob("*.safetensors"):
        file.write_bytes(b"\0" * 20)
    out, err = played(capfd)
    assert "goes on" not in out
    assert err.count("starts anew") == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["play", "nowhere"], "nowhere does not exist"),
        (["play", "--text", "none.txt"], "none.txt is no file"),
        (["play", "--text", "short.txt"], "Give a longer one"),
        (["play", "--text", "latin.txt"], "is not UTF-8"),
        (["play", "--epochs", "0"], "--epochs"),
    ],
)
def test_what_cannot_be_played_is_one_line(arguments, says, tiny, capfd):
    (tiny / "short.txt").write_text("short", encoding="utf-8")
    (tiny / "latin.txt").write_bytes(b"caf\xe9" * 100)
    assert cli.main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and says in err
