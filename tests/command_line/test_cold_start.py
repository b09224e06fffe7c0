"""What a command must not load: a second of imports that the work at hand has no use for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from grader.course import ROOT, SOLUTIONS
from tests.support import write_files

LOADED = "import sys; from grader.cli import main; status = main(sys.argv[1:]); print([status, *sys.modules], end='')"
WATCHING = """

import sys


def _watching(forward):
    def watched(self, *states):
        assert "torch._dynamo" not in sys.modules, "torch._dynamo is loaded"
        return forward(self, *states)

    return watched


for _cell in (RNNCellFromScratch, LSTMCellFromScratch, GRUCellFromScratch):
    _cell.forward = _watching(_cell.forward)
"""


def _modules_after(*command: str) -> list[str]:
    """Run a command in a fresh interpreter; its status, and the modules that it has loaded."""
    line = [sys.executable, "-c", LOADED, *command, "-a", "cells", "--require-isolation", "split"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    found = done.stdout.rpartition("[")[2].rstrip("]").replace("'", "").split(", ")
    assert found[0] == "0", done.stderr
    return found


@pytest.fixture
def cells(tmp_path):
    """The reference cells, which complain at every step that is taken beside torch._dynamo."""
    return write_files(tmp_path / "class" / "ada", {"cells.py": (SOLUTIONS / "cells.py").read_text() + WATCHING})


def test_grading_cells_loads_no_compiler(cells, tmp_path):
    loaded = _modules_after("grade", str(cells), "--json", str(tmp_path / "cells.json"))
    assert "torch" in loaded and "torch._dynamo" not in loaded
    document = json.loads((tmp_path / "cells.json").read_text())
    assert document["score"] == document["max_score"], document["assignments"][0]["tests"]


def test_a_batch_itself_loads_no_torch(cells, tmp_path):
    loaded = _modules_after("batch", str(cells.parent), "--out", str(tmp_path / "graded"))
    assert "grader.classroom.ledger" in loaded and "torch" not in loaded
