"""`--device` as people type it: where there is no GPU a line says so and what to type, and nothing is graded."""

from __future__ import annotations

import argparse

import pytest
import torch

from grader import cli
from grader.classroom import command
from grader.course import SOLUTIONS
from grader.sandbox import gpu

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here, and it works")


@no_gpu
@pytest.mark.parametrize(
    "arguments",
    [["grade", "{folder}"], ["batch", "{folder}", "--out", "{out}"], ["play", "{folder}"]],
    ids=lambda a: a[0],
)
def test_a_gpu_that_is_not_there_is_refused_in_one_line(arguments, tmp_path, capsys):
    named = [part.format(folder=SOLUTIONS, out=tmp_path / "out") for part in arguments]
    assert cli.main([*named, "--device", "cuda"]) == 3
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert "no CUDA device can be used here" in err and "--device cpu" in err
    assert not (tmp_path / "out").exists()


@no_gpu
def test_auto_takes_the_cpu_where_there_is_no_gpu():
    assert cli._device("auto") == cli._device("cpu") == "cpu"


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert cli._device("auto") == cli._device("cuda") == "cuda"
    assert cli._device("cpu") == "cpu"


def test_no_more_at_a_time_than_fit_into_the_gpu(monkeypatch, capsys):
    need = gpu.MEMORY_MB + gpu.CONTEXT_MB
    monkeypatch.setattr(gpu, "free_mb", lambda: 3.5 * need)
    monkeypatch.setattr(command.os, "cpu_count", lambda: 8)
    assert command._jobs(None, "cuda") == command._jobs(3, "cuda") == 3
    assert capsys.readouterr().err == "", "nobody asked for more"
    assert command._jobs(5, "cuda") == 3
    assert "3 at a time, not 5" in capsys.readouterr().err
    assert (command._jobs(None, "cpu"), command._jobs(5, "cpu")) == (8, 5)
    _, jobs, remote = command._executor(argparse.Namespace(scheduler=None, jobs=2), "cuda")
    assert (jobs, remote) == (2, False)


@no_gpu
def test_free_memory_is_asked_for_in_another_process():
    assert gpu.free_mb() == 0.0
    assert not torch.cuda.is_initialized()
