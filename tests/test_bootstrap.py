"""Set-up on a bare machine: what it says, and that it returns at once when all is in place."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from grader.course import ROOT


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "grader" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    (tmp_path / ".venv").mkdir()
    return module


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", *arguments])
    return module.main()


def test_a_missing_venv_module_is_one_line_with_the_command(bootstrap, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert run(bootstrap, monkeypatch, "grade") == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "sudo apt install python3" in said[0] and said[0].endswith("-venv")


def test_an_old_python_is_one_line(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    assert run(bootstrap, monkeypatch, "test") == 2
    assert "3.11 or newer" in capsys.readouterr().err


def test_a_wrong_word_is_one_line(bootstrap, monkeypatch, capsys):
    assert run(bootstrap, monkeypatch, "everything") == 2
    assert "usage" in capsys.readouterr().err


def test_it_installs_once_and_says_what(bootstrap, monkeypatch, capsys):
    installed = []
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda command, **_: installed.append(command) or done(command))
    assert run(bootstrap, monkeypatch, "grade") == 0
    assert "torch 2.13.0" in capsys.readouterr().out
    assert any("torch==2.13.0" in command for command in installed)
    assert installed[-1][-1] == "."
    count = len(installed)
    assert run(bootstrap, monkeypatch, "grade") == 0
    assert (len(installed), capsys.readouterr().out) == (count, "")
    assert run(bootstrap, monkeypatch, "test") == 0
    assert installed[-1][-1] == ".[dev,otter]"


def test_a_failed_download_leaves_nothing_marked_as_ready(bootstrap, monkeypatch, capsys):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(bootstrap.subprocess, "run", fail)
    assert run(bootstrap, monkeypatch, "grade") == 2
    assert not list(bootstrap.ENVIRONMENT.glob(".ready-*"))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_everything_that_torch_is_pinned_to_agrees(bootstrap):
    assert "torch==2.13.0" in bootstrap.constraints()


def done(command):
    return subprocess.CompletedProcess(command, 1 if "show" in command else 0)
