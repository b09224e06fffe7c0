"""`make gpu`: without a GPU one line and a status; its steps run in small without one, and a failing one is said."""

from __future__ import annotations

import pytest
import torch

from tests import gpu


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here, and it works")
def test_without_a_gpu_nothing_runs_and_a_line_says_so(capsys):
    assert gpu.main([]) == 3
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert "no GPU here" in err and "--device cpu --short" in err


def test_a_quick_step_runs_in_small_and_prints_its_table(capsys):
    assert gpu.main(["--device", "cpu", "--short", "--only", "noise"]) == 0
    out = capsys.readouterr().out
    assert out.count("### ") == 1
    assert [line.split("|")[1].strip() for line in out.splitlines() if line.startswith("| float")] == [
        "float64",
        "float32",
    ]
    assert out.endswith("On cpu, in small: all of noise\n")


def test_a_step_that_fails_is_said_and_the_others_go_on(capsys, monkeypatch):
    def fails(choice):
        yield "something first"
        raise gpu.Failed("what it was")

    def raises(choice):
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(gpu, "STEPS", {"fails": fails, "raises": raises, "noise": gpu.noise})
    assert gpu.main(["--device", "cpu", "--short"]) == 1
    out = capsys.readouterr().out
    assert "something first\n\n**Not as it should be:** what it was" in out
    assert "ZeroDivisionError" in out and "| float32 | off |" in out
    assert out.endswith("failed: fails, raises\n")


@pytest.mark.long
@pytest.mark.parametrize("step", gpu.STEPS)
def test_every_step_runs_in_small(step, capsys):
    assert gpu.main(["--device", "cpu", "--short", "--only", step]) == 0, capsys.readouterr().out
