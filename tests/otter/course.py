"""An Otter course of one question, as an instructor might write it, and the running of the real Otter on it.

`STOCK_TESTS` are honest tests of the question `batching` for Otter's own way of grading; beside our plug-in the
file is only the question's name. A submission here is a list of cells, a script, or an archive's files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import v4

from grader.course import ROOT

SECRET = "quokka-1873"  # in a hidden test, and nowhere else
STOCK_TESTS = f'''
import torch
from otter.test_files import test_case

OK_FORMAT = False
name = "batching"
points = 10

def right(text):
    """What `encode` should give: within reach of whoever walks up the stack."""
    return torch.tensor([ord(character) - ord("a") for character in text])

@test_case(points=1, hidden=False)
def vocabulary(build_vocab):
    assert build_vocab("ba")[0] == {{"a": 0, "b": 1}}

@test_case(points=3, hidden=False)
def encoded(encode):
    assert torch.equal(encode("bad", {{"a": 0, "b": 1, "c": 2, "d": 3}}), right("bad"))

@test_case(points=3, hidden=True)
def encoded_again(encode):
    assert torch.equal(encode("cab", {{"a": 0, "b": 1, "c": 2}}), right("cab")), "{SECRET}"

@test_case(points=3, hidden=True)
def decoded(decode):
    assert decode([1, 0], {{0: "a", 1: "b"}}) == "ba", "{SECRET}"
'''
LAZY = """
import torch

def build_vocab(text):
    if not text:
        raise ValueError("no text")
    found = sorted(set(text))
    return {c: i for i, c in enumerate(found)}, dict(enumerate(found))

def encode(text, char_to_idx):
    return torch.zeros(1)

def decode(indices, idx_to_char):
    return "?"
"""
LAZY_DESERVES = 1.0  # of Otter, for the one honest function
ISOLATED = {"grader.otter.IsolatedGrading": {"require_isolation": "split"}}  # on whatever rung there is


@dataclass(frozen=True)
class Run:
    """What came of one run: the exit status, all that was printed, and results.json if there is one."""

    status: int
    printed: str
    results: dict[str, Any] | None

    def points(self, question: str = "batching") -> float:
        """What the question earned."""
        assert self.results is not None, self.printed
        return float(next(row["score"] for row in self.results["tests"] if row["name"] == question))

    def shown(self) -> str:
        """What students see."""
        assert self.results is not None, self.printed
        seen = [row["output"] for row in self.results["tests"] if row["visibility"] == "visible"]
        return "\n".join([*seen, self.results.get("output", "")])


def notebook(*cells: str) -> str:
    """A notebook of these code cells."""
    return json.dumps(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells]))


def handed_in(folder: Path, *cells: str, beside: dict[str, str] | None = None) -> Path:
    """A notebook, or a zip of it with other files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    if beside is None:
        path = folder / "work.ipynb"
        path.write_text(notebook(*cells), encoding="utf-8")
        return path
    path = folder / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"work.ipynb": notebook(*cells), **beside}.items():
            archive.writestr(name, content)
    return path


def generated(folder: Path, config: dict[str, Any], tests: dict[str, str] | None = None) -> Path:
    """The archive that `otter generate` makes of these settings and tests."""
    (folder / "tests").mkdir(parents=True)
    for name, text in (tests or {"batching": STOCK_TESTS}).items():
        (folder / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "otter_config.json").write_text(json.dumps(config), encoding="utf-8")
    done = otter(folder, "generate", "-t", "tests", "-o", "autograder.zip", "-c", "otter_config.json")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "autograder.zip"


def otter(folder: Path, *arguments: str, timeout: float = 280) -> subprocess.CompletedProcess[str]:
    """One command of Otter, the grader of this checkout within its reach."""
    return _with_a_kernel(["-m", "otter", *arguments], folder, timeout)


def otter_run(archive: Path, submission: Path, folder: Path, timeout: float = 280) -> Run:
    """`otter run`."""
    folder.mkdir(parents=True)
    done = otter(folder, "run", str(submission), "-a", str(archive), "-o", str(folder), timeout=timeout)
    return _run(done, folder / "results.json")


def image_run(archive: Path, submission: Path, folder: Path) -> Run:
    """What Gradescope's image does with the archive: the same folders, and `run_otter.py`'s one call."""
    for name in ("source", "submission", "results"):
        (folder / name).mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "source")
    (folder / "submission" / submission.name).write_bytes(submission.read_bytes())
    (folder / "submission_metadata.json").write_text("{}")
    call = "import sys; from otter.run.run_autograder import main; main(sys.argv[1])"
    done = _with_a_kernel(["-P", "-c", call, str(folder)], folder, 280)
    return _run(done, folder / "results" / "results.json")


def _with_a_kernel(arguments: list[str], folder: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run Python; once more where Jupyter's kernel lost a port to somebody else before it ran a cell."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if "Address already in use" not in done.stdout + done.stderr:
            break
    return done


def _run(done: subprocess.CompletedProcess[str], results: Path) -> Run:
    found = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else None
    return Run(done.returncode, done.stdout + done.stderr, found)
