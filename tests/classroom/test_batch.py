"""A class is graded once, to the end, whatever happens on the way."""

from __future__ import annotations

import csv
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from grader.course import ROOT
from grader.interrupts import ctrl_c_calls
from tests.classroom.support import PROGRAMS, command, documents, make_class, run


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of eight, graded by two processes, and what the command said."""
    base = tmp_path_factory.mktemp("class")
    folder = make_class(base / "in", 8)
    return folder, base / "out", run(folder, base / "out", "--jobs", "2", "--lines")


def test_every_submission_has_its_document(graded):
    _, out, said = graded
    found = documents(out)
    assert len(found) == 8
    for name, document in found.items():
        predicted = PROGRAMS[name[4:-5]][1]
        assert document["submission"] == name[:-5]
        assert predicted is None or document["score"] == predicted
        assert document["complete"]
    assert "8 of 8 submissions graded" in said.stdout
    assert "000-right: 18 of 18" in said.stdout
    assert "Traceback" not in said.stderr


def test_the_summary_has_a_row_each(graded):
    _, out, _ = graded
    rows = list(csv.DictReader((out / "summary.csv").open()))
    assert list(rows[0]) == ["submission", "score", "max_score", "isolation", "cells"]
    assert [row["submission"] for row in rows] == sorted(row["submission"] for row in rows)
    assert {row["max_score"] for row in rows} == {"18.0"}


def test_a_name_in_the_summary_is_no_formula(tmp_path):
    folder = tmp_path / "in"
    (folder / "=cmd|'calc'!A1").mkdir(parents=True)
    run(folder, tmp_path / "out")
    (row,) = csv.DictReader((tmp_path / "out" / "summary.csv").open())
    assert row["submission"] == "'=cmd|'calc'!A1"


def test_a_second_run_grades_nothing_and_mends_what_is_missing(graded):
    folder, out, _ = graded
    before = documents(out)
    (out / "documents" / "000-right.json").unlink()
    (out / "documents" / "001-stub.json").write_text("{")
    (out / "summary.csv").unlink()
    said = run(folder, out)
    assert "8 of them before" in said.stdout
    assert documents(out) == before
    assert (out / "summary.csv").exists()


def test_a_changed_submission_is_graded_again_and_no_other(graded, tmp_path):
    folder, out, _ = graded
    source = folder / "001-stub" / "cells.py"
    text = source.read_text()
    source.write_text(PROGRAMS["right"][0])
    try:
        said = run(folder, out, "--lines")
    finally:
        source.write_text(text)
    run(folder, out)  # the old bytes are known still
    assert said.stdout.splitlines()[0] == "001-stub: 18 of 18"
    assert "7 of them before" in said.stdout


def test_one_worker_or_two_give_the_same_documents(graded, tmp_path):
    folder, out, _ = graded
    run(folder, tmp_path / "one", "--jobs", "1")
    assert documents(tmp_path / "one") == documents(out)


def test_regrade_grades_everything(graded, tmp_path):
    folder, out, _ = graded
    before = documents(out)
    said = run(folder, out, "--regrade")
    assert "before" not in said.stdout
    assert documents(out) == before


def test_ctrl_c_stops_and_the_same_command_goes_on(graded, tmp_path):
    folder, out, _ = graded
    for _ in range(5):  # a batch that was done before the signal came is begun anew
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        process = subprocess.Popen(
            command(folder, tmp_path / "out", "--jobs", "1", "--lines"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a CI job may ignore Ctrl-C
        )
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        if process.returncode != 0:
            break
    assert process.returncode == 130
    assert "The same command again goes on." in error
    assert "Traceback" not in error
    run(folder, tmp_path / "out")
    assert documents(tmp_path / "out") == documents(out)


def test_ctrl_c_waits_for_a_safe_moment():
    """KeyboardInterrupt while futures are being locked leaves a lock that a grading thread waits for, for ever."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a CI job may ignore Ctrl-C
    heard = []
    with ctrl_c_calls(lambda: heard.append("stop")):
        signal.raise_signal(signal.SIGINT)
    assert heard == ["stop"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def children_of(pid: int) -> set[int]:
    """The processes that this one has started and that still run."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return {int(line) for line in listed.split()}


def is_grading(pid: int) -> bool:
    """Whether this is a grading process."""
    try:
        return b"grader.classroom.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def kill_and_resume(folder, out, kills: int, seed: int) -> None:
    """Kill the batch at so many random moments of its work, then let it end; one that is done before is begun anew."""
    moments, cut, workers = random.Random(seed), 0, set[int]()
    while cut < kills:
        process = subprocess.Popen(
            command(folder, out, "--jobs", "2"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert process.wait(moments.uniform(0.3, 6.0)) == 0
            shutil.rmtree(out)
        except subprocess.TimeoutExpired:
            cut += 1
            workers |= children_of(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
    deadline = time.monotonic() + 150
    while any(is_grading(pid) for pid in workers):
        assert time.monotonic() < deadline, "grading processes outlive the batch"
        time.sleep(0.2)
    run(folder, out)


@pytest.mark.timeout(600)
def test_killed_and_resumed_it_ends_with_the_same_documents(graded, tmp_path):
    folder, out, _ = graded
    kill_and_resume(folder, tmp_path / "out", 3, seed=1)
    assert documents(tmp_path / "out") == documents(out)
    assert not list((tmp_path / "out" / "documents").glob(".*"))


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_killed_fifty_times_in_a_class_of_sixty(tmp_path):
    folder = make_class(tmp_path / "in", 60)
    run(folder, tmp_path / "undisturbed")
    kill_and_resume(folder, tmp_path / "out", 50, seed=2)
    assert documents(tmp_path / "out") == documents(tmp_path / "undisturbed")


def test_two_batches_do_not_share_a_folder(tmp_path):
    folder, out = make_class(tmp_path / "in", 60), tmp_path / "out"
    first = subprocess.Popen(
        command(folder, out, "--jobs", "1", "--lines"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert first.stdout is not None
        first.stdout.readline()
        first.send_signal(signal.SIGSTOP)  # or it is done before the second has started
        said = run(folder, out, expect=3)
        assert "another batch is running there" in said.stderr
    finally:
        first.kill()
        first.communicate()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["{missing}", "--out", "{out}"], 2, "does not exist"),
        (["{file}", "--out", "{out}"], 2, "grader grade"),
        (["{folder}"], 2, "--out"),
        (["{folder}", "--out", "{out}", "--jobs", "0"], 2, "--jobs"),
        (["{folder}", "--out", "{file}"], 2, "Give --out a folder"),
        (["{folder}", "--out", "{folder}"], 2, "Give --out a folder beside"),
        (["{folder}", "--out", "{folder}/ada/graded"], 2, "Give --out a folder beside"),
        (["{out}/unpacked", "--out", "{out}"], 2, "Give --out a folder beside"),
        (["{folder}", "--out", "{out}", "--scheduler", "tcp://127.0.0.1:1"], 3, "no Dask scheduler answers"),
    ],
)
def test_mistakes_are_answered_in_one_line(arguments, status, said, tmp_path, monkeypatch, capsys):
    from grader import cli

    monkeypatch.setattr("grader.classroom.cluster.PATIENCE", "1s")
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "out" / "unpacked").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    places = {"missing": tmp_path / "no", "file": tmp_path / "file", "folder": tmp_path / "in", "out": tmp_path / "out"}
    assert cli.main(["batch", *(argument.format(**places) for argument in arguments)]) == status
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1


def test_results_in_the_class_folder_are_no_submission(tmp_path):
    folder = make_class(tmp_path / "in", 2)
    for known in ("", ", 2 of them before"):
        said = run(folder, folder / "graded")
        assert f"2 of 2 submissions graded{known}." in said.stdout
        assert "grader: not a submission: graded" in said.stderr


def test_an_empty_class_is_no_error(tmp_path):
    (tmp_path / "in").mkdir()
    assert "0 of 0" in run(tmp_path / "in", tmp_path / "out").stdout
