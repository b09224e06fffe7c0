"""Library cells where one's own are asked for: seen in the source, refused at run time, and no false alarm."""

from __future__ import annotations

import pytest

from grader.course import SOLUTIONS
from tests.support import rows_of

SOLUTION = (SOLUTIONS / "cells.py").read_text()
LSTM_BODY = SOLUTION[SOLUTION.index("        blocks = x_t") : SOLUTION.index("        return h_t, c_t\n")]
MAKE = "self.bias = nn.Parameter(bias)"


def with_library(make: str, call: str, top: str = "") -> str:
    """The solution with a library cell in its LSTM."""
    source = SOLUTION.replace(MAKE, f"{MAKE}\n        self.__dict__['cell'] = {make}")
    source = source.replace(LSTM_BODY, f"        {call}\n")
    return source.replace("from torch import nn\n", f"from torch import nn\n{top}\n", 1)


WITHOUT = SOLUTION.replace("class LSTMCellFromScratch(", "class NotAskedFor(") + "\n\n"
USE = "h_t, c_t = self.cell(x_t, (h_prev, c_prev))"
SEEN = {
    "plain": with_library("nn.LSTMCell(input_size, hidden_size)", USE),
    "through torch": with_library("torch.nn.LSTMCell(input_size, hidden_size)", USE),
    "renamed": with_library("Cell(input_size, hidden_size)", USE, "from torch.nn import LSTMCell as Cell"),
    "through a variable": with_library("kind(input_size, hidden_size)", USE, "kind = nn.LSTMCell"),
    "through a helper": with_library(
        "make(input_size, hidden_size)", USE, "def make(i, h):\n    return nn.LSTMCell(i, h)"
    ),
    "through a table": with_library("KINDS['lstm'](input_size, hidden_size)", USE, "KINDS = {'lstm': nn.LSTMCell}"),
    "by getattr": with_library("getattr(nn, 'LSTMCell')(input_size, hidden_size)", USE),
    "starred": with_library("LSTMCell(input_size, hidden_size)", USE, "from torch.nn import *"),
    "functional": with_library(
        "None",
        "h_t, c_t = torch._VF.lstm_cell(x_t, (h_prev, c_prev), self.W_x, self.W_h, self.bias, self.bias * 0)",
    ),
    "redispatched": with_library(
        "None",
        "h_t, c_t = torch.ops.aten.lstm_cell.default.redispatch("
        "torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), x_t, [h_prev, c_prev], self.W_x, self.W_h, self.bias)",
    ),
    "decomposed in Python": with_library(
        "None",
        "h_t, c_t = one_layer_lstm(x_t[None], (h_prev, c_prev), [self.W_x, self.W_h], False)[1]",
        "from torch._decomp.decompositions import one_layer_lstm",
    ),
    "imported under the asked name": WITHOUT + "from torch.nn import LSTMCell as LSTMCellFromScratch\n",
    "imported below one's own": SOLUTION + "\nfrom torch.nn import LSTMCell as LSTMCellFromScratch\n",
    "imported if it can be": WITHOUT
    + "try:\n    from torch.nn import LSTMCell as LSTMCellFromScratch\nexcept ImportError:\n    pass\n",
    "given the asked name": WITHOUT + "LSTMCellFromScratch = nn.LSTMCell\n",
    "given the asked name and another": WITHOUT + "Mine = LSTMCellFromScratch = nn.LSTMCell\n",
    "given the asked name with a type": WITHOUT + "LSTMCellFromScratch: type = nn.LSTMCell\n",
    "put in the place of one's own": SOLUTION + "\nLSTMCellFromScratch = nn.LSTMCell\n",
    "a class of another name": WITHOUT + "class Mine(nn.LSTMCell):\n    pass\n\nLSTMCellFromScratch = Mine\n",
    "inherited": SOLUTION.replace("class LSTMCellFromScratch(nn.Module)", "class LSTMCellFromScratch(nn.LSTMCell)"),
}
HIDDEN_FROM_THE_SOURCE = {
    "name put together": with_library("getattr(nn, 'LSTM' + 'Cell')(input_size, hidden_size)", USE),
    "operator put together": with_library(
        "None",
        "h_t, c_t = getattr(torch.ops.aten, 'lstm' + '_cell')"
        "(x_t, [h_prev, c_prev], self.W_x, self.W_h, self.bias, self.bias * 0)",
    ),
    "below the dispatcher": with_library(
        "None",
        "h_t, c_t = getattr(torch.ops.aten, 'lstm' + '_cell').default.decompose"
        "(x_t, [h_prev, c_prev], self.W_x, self.W_h, self.bias, self.bias * 0)",
    ),
    "in a thread": with_library(
        "getattr(nn, 'LSTM' + 'Cell')(input_size, hidden_size).to(torch.float64)",
        "from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "        with Pool() as pool:\n"
        "            h_t, c_t = pool.submit(self.cell.to(x_t.dtype), x_t, (h_prev, c_prev)).result()",
    ),
    "wherever it answers": SOLUTION.replace(
        "c_t = f * c_prev + i * candidate",
        "c_t = f * c_prev + i * candidate\n        try:\n"
        "            getattr(nn, 'LSTM' + 'Cell')(x_t.shape[1], 2)(x_t)\n"
        "        except RuntimeError:\n            pass",
    ),
    "in float64 only": with_library(
        "getattr(nn, 'LSTM' + 'Cell')(input_size, hidden_size)",
        f"if x_t.dtype == torch.float64:\n            {USE}\n        else:\n            h_t, c_t = h_prev, c_prev",
    ),
}
INNOCENT = {
    "a library cell's name before one's own": SOLUTION.replace(
        "class LSTMCellFromScratch", "LSTMCellFromScratch = nn.LSTMCell\n\n\nclass LSTMCellFromScratch"
    ),
    "an import before one's own": "from torch.nn import LSTMCell as LSTMCellFromScratch\n" + SOLUTION,
    "a wrapped class of one's own": SOLUTION + "\nLSTMCellFromScratch = (lambda cell: cell)(LSTMCellFromScratch)\n",
    "a comment": SOLUTION + "\n# checked against nn.LSTM(3, 4)\n",
    "a docstring": SOLUTION.replace('"""One time step.', '"""One time step, as nn.LSTMCell(3, 4) does it.', 1),
    "a self-test": SOLUTION + "\nif __name__ == '__main__':\n    print(nn.LSTM(3, 4), LSTMCellFromScratch(3, 4))\n",
    "a function nobody calls": SOLUTION + "\ndef compare():\n    return nn.LSTM(3, 4)\n",
    "a class of one's own": SOLUTION + "\nclass LSTM:\n    pass\n\ndef build():\n    return LSTM()\n",
    "a local name like a comparison's": (
        SOLUTION.replace("blocks = x_t", "reference = 1\n        blocks = x_t").replace(
            "blocks.chunk", "(blocks * reference).chunk"
        )
        + "\ndef reference(i, h):\n    return nn.LSTMCell(i, h)\n"
    ),
    "a star beside one's own": "from torch.nn import *\nfrom mine import LSTMCell\n"
    + SOLUTION.replace(MAKE, f"{MAKE}\n        self.other = LSTMCell()"),
    "an unused import": "from torch.nn import LSTM\n" + SOLUTION,
}


@pytest.mark.parametrize("how", SEEN)
def test_it_is_seen_in_the_source_and_costs_its_class(how, grade_own):
    document = grade_own({"cells.py": SEEN[how]}, ["cells"])
    for test in rows_of(document).values():
        if test["of"] == "LSTMCellFromScratch":
            assert test["status"] == "failed" and test["score"] == 0
            assert "library" in test["message"]
            assert ("line " in test["message"]) == (test["visibility"] == "public")
        else:
            assert test["status"] == "passed"


@pytest.mark.parametrize("how", HIDDEN_FROM_THE_SOURCE)
def test_what_the_source_hides_is_refused_at_run_time(how, grade_own):
    document = grade_own({"cells.py": HIDDEN_FROM_THE_SOURCE[how]}, ["cells"])
    for test in rows_of(document).values():
        if test["of"] == "LSTMCellFromScratch":
            assert test["status"] == "failed" and test["score"] == 0
        else:
            assert test["status"] == "passed"
    assert any("called a recurrent cell of the library" in test["message"] for test in rows_of(document).values())


@pytest.mark.parametrize("how", INNOCENT)
def test_what_only_looks_like_one_costs_nothing(how, grade_own):
    mine = "class LSTMCell:\n    pass\n"
    assert grade_own({"cells.py": INNOCENT[how], "mine.py": mine}, ["cells"])["score"] == 18


def test_a_mention_is_marked_for_a_person(grade_own):
    mention = SOLUTION.replace(MAKE, f"{MAKE}\n        self.like = isinstance(self, nn.LSTMCell)")
    document = grade_own({"cells.py": mention}, ["cells"])
    assert document["score"] == 18
    marked = [test for test in rows_of(document).values() if "review" in test]
    assert {test["of"] for test in marked} == {"LSTMCellFromScratch"}
    assert "nn.LSTMCell" in marked[0]["review"]


def test_between_two_assignments_that_refuse_them_they_may_be_used(grade_own):
    uses = "import torch\ntorch.nn.LSTM(2, 2)(torch.ones(1, 2))\n"
    files = {f"{name}.py": (SOLUTIONS / f"{name}.py").read_text() for name in ("batching", "fast_lstm")}
    files = {"cells.py": HIDDEN_FROM_THE_SOURCE["name put together"], **{f: uses + text for f, text in files.items()}}
    document = grade_own(files, ["cells", "batching", "fast_lstm"])
    passed = {part["name"]: {test["status"] == "passed" for test in part["tests"]} for part in document["assignments"]}
    assert passed == {"cells": {True, False}, "batching": {True}, "fast_lstm": {False}}


def test_the_way_back_is_gone_before_the_students_code_comes(grade_own):
    digging = "from grader.sandbox.inside import library_cells\nlibrary_cells.allow()\n"
    document = grade_own({"cells.py": digging + HIDDEN_FROM_THE_SOURCE["name put together"]}, ["cells"])
    assert "test_lstm_one_step" in rows_of(document, "failed")
