"""A suite that breaks a rule is an error at collection, and the error names the place."""

from __future__ import annotations

import shutil
import sys

import pytest

from grader import course
from grader.course import CourseError
from grader.intake import receive
from grader.sandbox import Sandbox
from grader.suite.collection import check_probes
from grader.suite.run import run_suites

LEANING = 'leaning = ["LSTMCellFromScratch"]\n'


@pytest.fixture
def own_course(tmp_path, monkeypatch):
    """A copy of the cells assignment that a test may spoil: a function (file, old, new) -> collect."""
    folder = tmp_path / "assignments" / "cells"
    shutil.copytree(course.ASSIGNMENTS / "cells", folder, ignore=shutil.ignore_patterns("__pycache__"))
    course.load_course()  # which remembers what it finds first: not the copy
    monkeypatch.setattr(course, "ASSIGNMENTS", tmp_path / "assignments")

    def spoil_and_collect(file: str, old: str, new: str) -> None:
        path = folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        check_probes.cache_clear()
        for name in [name for name in sys.modules if name.split(".")[0] == "cells"]:
            del sys.modules[name]
        assignment = course._load(folder / "assignment.toml")
        with Sandbox(["cells"], rung="split") as sandbox:
            run_suites((assignment,), receive(tmp_path, [assignment]), sandbox)

    return spoil_and_collect


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        ("test_public.py", '@points(1, of=RNN, promise="rnn-step")\n', "", "test_rnn_one_step has no points"),
        ("test_public.py", "@points(1, of=RNN", "@points(2, of=RNN", "19 points, assignment.toml says 18"),
        ("test_public.py", 'promise="rnn-step"', 'promise="rnn-stepp"', "rnn-stepp"),
        ("test_public.py", "of=RNN, promise", 'of="RNNCell", promise', "'RNNCell'"),
        (
            "test_public.py",
            'promise="lstm-order"',
            'promise="lstm-step"',
            "no public test checks the promise 'lstm-order'",
        ),
        (
            "test_hidden.py",
            "def test_rnn_matches_nn_rnn",
            "def test_rnn_one_step",
            "two tests are named test_rnn_one_step",
        ),
        ("probes.py", "import torch\n", "import torch\nfrom assignments.cells import oracle\n", "must not import"),
        ("probes.py", "import torch\n", "import torch\nimport solutions.cells\n", "must not import solutions.cells"),
        ("probes.py", "import torch\n", "import torch\nimport os\n", "must not import os"),
        ("test_public.py", "(submission, rng)", "(submission, rng, monkeypatch)", "asks for 'monkeypatch'"),
        ("test_hidden.py", "side=True", "side=False, nonsense=1", "nonsense"),
        ("test_hidden.py", "import torch\n", "import torch\nimport nowhere_to_be_found\n", "nowhere_to_be_found"),
        (
            "assignment.toml",
            "order = 1\n",
            f"order = 1\n{LEANING}",
            "stand_in.py must define what 'LSTMCellFromScratch'",
        ),
        ("assignment.toml", "order = 1\n", f'order = 1\nneeds = ["batching"]\n{LEANING}', "only one of them can be"),
    ],
)
def test_a_breach_is_named(own_course, file, old, new, names):
    with pytest.raises(CourseError, match=".*".join(names.split("…"))):
        own_course(file, old, new)


def test_too_much_for_side_promises(own_course):
    mark = '@points(1.5, of=LSTM, promise="lstm-step")'
    with pytest.raises(CourseError, match="side promises carry"):
        own_course("test_hidden.py", mark, mark.replace(")", ", side=True)"))
        own_course("test_public.py", mark, mark.replace(")", ", side=True)"))


def test_a_malformed_course_file_is_named(own_course):
    with pytest.raises(CourseError, match=r"assignment\.toml"):
        own_course("assignment.toml", "points = 18", "points = [")
