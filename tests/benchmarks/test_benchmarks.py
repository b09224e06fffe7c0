"""Every benchmark runs to its end at a tiny size and prints its figures; what they are is nothing to assert."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.course import select
from tests.benchmarks import against_others, bound, cold, failing, growth, probe_cost, submissions, whole_class
from tests.benchmarks.measuring import Table

SMALL = ("-a", "gradient_flow")


def figures(said: str, label: str) -> list[float]:
    """The numbers in the row of a label."""
    row = next(line for line in said.splitlines() if line.startswith(label))
    return [float(number) for number in re.findall(r"-?\d+\.\d+", row.removeprefix(label))]


def test_a_table_shows_medians_and_multiples(capsys):
    table = Table("what", "s", "MiB")
    for seconds in (1.0, 9.0, 2.0):
        table.add("slow", seconds, 5.0)
    table.add("fast", 0.5, 7.0)
    table.show(against="fast")
    said = capsys.readouterr().out
    assert figures(said, "slow") == [2.0, 5.0, 4.0]
    assert figures(said, "fast") == [0.5, 7.0, 1.0]


def test_the_bound(capsys):
    assert bound.main([*SMALL, "--rounds", "1", "--rung", "split"]) == 0
    said = capsys.readouterr().out
    assert all(
        number > 0 for label in ("the bound", "  of it the tests", "graded on") for number in figures(said, label)
    )
    assert "15 tests" in said


def test_the_probes_cost(capsys):
    assert probe_cost.main(["--runs", "1", "--rung", "split", *SMALL]) == 0
    said = capsys.readouterr().out
    assert all(figures(said, label) for label in ("gradient_flow", "together", "trusted CPU"))


def test_what_fails(capsys):
    assert failing.main([*SMALL, "--rounds", "1", "--rung", "split"]) == 0
    said = capsys.readouterr().out
    assert figures(said, "correct")[2:] == [8.0, 1.0]
    for label in ("untouched", "raises everywhere"):
        assert figures(said, label)[2] == 0.0
    assert figures(said, "not a number")[2] < 4.0


def test_growth(capsys):
    assert growth.main([*SMALL, "--submissions", "3", "--rung", "split"]) == 0
    said = capsys.readouterr().out
    assert figures(said, "3 ")[1] > 50
    assert re.search(r"one submission: its processes take -?\d+ MiB more", said)


@pytest.mark.long
def test_from_cold(capsys):
    assert cold.main(["-a", "gradient_flow", "--all", "gradient_flow", "--rounds", "1", "--rung", "split"]) == 0
    said = capsys.readouterr().out
    assert len(re.findall(r"^(?:a fresh|cold|warm).* \d+\.\d+$", said, re.MULTILINE)) == 6


def test_the_fresh_process_runs_the_checks_and_takes_no_wrong_answer(tmp_path):
    (assignment,) = course = select(["gradient_flow"])
    right, wrong = submissions.solved(course), submissions.not_a_number(course)
    files = {}
    for name, sources in (("right", right), ("wrong", wrong)):
        submission = submissions.write(
            tmp_path / name / "student", {**submissions.solved(select(["cells"])), **sources}
        )
        files[name] = tmp_path / name / "test_fresh.py"
        files[name].write_text(against_others.FRESH.format(submission=str(submission), names=[assignment.name]))
    against_others.fresh(files["right"])
    with pytest.raises(RuntimeError, match="failed"):
        against_others.fresh(files["wrong"])


def test_seconds_each_are_of_all_tasks_together():
    with ThreadPoolExecutor(2) as threads:
        each = against_others.seconds_each(threads, lambda pause: time.sleep(pause), [(0.1,)] * 4)
    assert each >= 0.05


@pytest.mark.long
def test_against_others(capsys):
    pytest.importorskip("otter", reason="Otter comes with the extra [otter]")
    assert against_others.main([*SMALL, "--rounds", "1", "--workers", "1", "--ours", "2", "--rung", "split"]) == 0
    said = capsys.readouterr().out
    assert figures(said, "otter run, 1") and "times a fresh pytest process" in said


def test_a_small_class_earns_what_was_predicted(capsys):
    assert whole_class.main(["--size", "10", "-a", "cells", "-a", "gradient_flow", "--level", "split"]) == 0
    assert "2 attacks, 1 starters: 0 not as predicted" in capsys.readouterr().out


@pytest.mark.long
def test_a_class_of_300_earns_what_was_predicted(capsys):
    assert whole_class.main(["--size", "300"]) == 0, capsys.readouterr().out
