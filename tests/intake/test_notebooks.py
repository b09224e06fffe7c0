"""Notebooks as students leave them: what each name means in the modules made, and what is said about the rest.

The cells here are our own, so what is made of them may run in this process.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from nbformat import v4

from grader.course import SOLUTIONS, load_course, select
from grader.intake import Submission, receive
from grader.intake.inside import code_cells, reading
from grader.intake.receive import HERE, READING, job_for
from grader.sandbox.inside.student import SubmissionFinder
from tests.support import grade_folder, rows_of, without_timing, write_files

VOCAB = "def build_vocab(text):\n    return helper()\n"
LIBRARY = """import torch
from torch import nn

class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.inner = nn.LSTMCell(input_size, hidden_size)
"""


def notebook(*cells: str, **outputs: Any) -> str:
    """A notebook of these code cells, with a heading above each."""
    made = []
    for source in cells:
        made += [v4.new_markdown_cell("## A heading"), v4.new_code_cell(source, **outputs)]
    return json.dumps(v4.new_notebook(cells=made))


def read(folder: Path, *cells: str, files: dict[str, str | bytes] | None = None) -> Submission:
    """What the reading child makes of these cells, but in this process: starting one takes a moment."""
    path = write_files(folder / "ada", {"work.ipynb": notebook(*cells), **(files or {})})
    scratch = folder / "scratch"
    scratch.mkdir()
    found = reading.read({**job_for(path, load_course()), "folder": str(scratch), "skip": []})
    made = {name: (scratch / name).read_bytes() for name in found["files"]}
    return Submission("ada", made, found["unreadable"], found["notes"], {}, found.get("whole", ""), found["spans"])


def run(folder: Path, *cells: str, module: str = "batching") -> ModuleType:
    """The module made of these cells, imported."""
    return imported(read(folder, *cells), module)


def imported(submission: Submission, module: str) -> ModuleType:
    """One of the modules, imported as a student's process imports it."""
    names = [name.removesuffix(".py") for name in submission.files]
    assert module in names
    with tempfile.TemporaryDirectory() as folder:
        finder = SubmissionFinder(str(write_files(Path(folder) / "made", dict(submission.files))))
        sys.meta_path.insert(0, finder)
        try:
            return importlib.import_module(module)
        finally:
            sys.meta_path.remove(finder)
            for name in names:
                sys.modules.pop(name, None)


def said(submission: Submission) -> str:
    return " | ".join(submission.notes)


def solved() -> str:
    return notebook(*((SOLUTIONS / assignment.file).read_text(encoding="utf-8") for assignment in load_course()))


def test_the_solutions_as_a_notebook_equal_the_folder_in_every_outcome(tmp_path, trusted_sandbox):
    names = [assignment.name for assignment in load_course()]
    path = tmp_path / "solutions.ipynb"
    path.write_text(solved(), encoding="utf-8")
    found = grade_folder(path, names, trusted_sandbox).document
    assert without_timing(found) == without_timing(grade_folder(SOLUTIONS, names, trusted_sandbox).document)
    assert (found["score"], found["max_score"]) == (110, 100)


MEANINGS = {
    "the last definition": (["def build_vocab(text): return 1", "def build_vocab(text): return 2"], 2),
    "two definitions in one cell": (["def build_vocab(text): return 1\ndef build_vocab(text): return 2"], 2),
    "a helper above": (["def helper(): return 1", VOCAB], 1),
    "a helper below": ([VOCAB, "def helper(): return 1"], 1),
    "a helper mended below": (["def helper(): return 1", VOCAB, "def helper(): return 2"], 2),
    "a helper of another assignment's does no harm": (
        ["def helper(): return 1", VOCAB, "def helper(): return 2", "def sample_next(logits): return helper()"],
        1,
    ),
    "nor one above": (
        ["def helper(): return 2", "def sample_next(logits): return helper()", "def helper(): return 1", VOCAB],
        1,
    ),
    "a helper that two assignments share, mended": (
        ["def helper(): return 1", VOCAB, "def sample_next(logits): return helper()", "def helper(): return 2"],
        2,
    ),
    "helpers of helpers": (["def deep(): return 5\ndef helper(): return deep()", VOCAB], 5),
    "a constant": (["SIZE = 3", "def build_vocab(text): return SIZE"], 3),
    "a constant set again": (["SIZE = 3", "def build_vocab(text): return SIZE", "SIZE = 4"], 4),
    "a default is what it was": (["SIZE = 3\ndef build_vocab(text, size=SIZE): return size\nSIZE = 4"], 3),
    "a constant counted up": (["SIZE = 3\nSIZE += 1", "def build_vocab(text): return SIZE"], 4),
    "a table filled": (
        ["TABLE = {}", "TABLE['a'] = 1\nTABLE.update(b=2)", "def build_vocab(text): return sum(TABLE.values())"],
        3,
    ),
    "a table filled in a loop": (
        ["TABLE = {}\nfor i in range(3):\n    TABLE[i] = i", "def build_vocab(text): return sum(TABLE.values())"],
        3,
    ),
    "a list in a comprehension": (
        ["BASE = 2\nTABLE = [BASE * i for i in range(3)]", "def build_vocab(text): return sum(TABLE)"],
        6,
    ),
    "unpacking": (["A, (B, *C) = 1, (2, 3, 4)", "def build_vocab(text): return A + B + sum(C)"], 10),
    "a conditional": (["KIND = 1\nif KIND:\n    KIND = 7", "def build_vocab(text): return KIND"], 7),
    "an import that may fail": (
        [
            "try:\n    import not_there\nexcept ImportError:\n    not_there = 9",
            "def build_vocab(text): return not_there",
        ],
        9,
    ),
    "an import above everything": (["import math", "def build_vocab(text): return math.floor(2.5)"], 2),
    "a star import": (["from math import *", "def build_vocab(text): return floor(2.5)"], 2),
    "data of the same name": (["def build_vocab(text): return 1", "build_vocab, rest = [3], 4"], 1),
    "a helper called into its own name": (
        ["def helper(): return 1", VOCAB, "helper = helper()"],
        1,
    ),
    "a wrapped function": (
        [
            "def build_vocab(text): return 1",
            "def twice(f): return lambda text: 2 * f(text)",
            "build_vocab = twice(build_vocab)",
        ],
        2,
    ),
    "another name": (
        ["def build_vocab(text): raise NotImplementedError", "def mine(text): return 4", "build_vocab = mine"],
        4,
    ),
    "a lambda": (["build_vocab = lambda text: 6"], 6),
    "a decorator": (
        ["def once(f):\n    return lambda text: f(text) + 1", "@once\ndef build_vocab(text):\n    return 1"],
        2,
    ),
    "a class patched": (
        [
            "class Tool:\n    pass",
            "def size(self): return 8\nTool.size = size",
            "def build_vocab(text): return Tool().size()",
        ],
        8,
    ),
    "a class patched by a decorator": (
        [
            "def add_to(cls):\n    return lambda f: setattr(cls, f.__name__, f)",
            "class Tool:\n    pass",
            "@add_to(Tool)\ndef size(self):\n    return 8",
            "def build_vocab(text): return Tool().size()",
        ],
        8,
    ),
    "a class that extends itself": (
        [
            "class Tool:\n    size = 3",
            "class Tool(Tool):\n    more = 4",
            "def build_vocab(text): return Tool.size + Tool.more",
        ],
        7,
    ),
    "a base class below": (
        ["class Tool(Base):\n    pass", "def build_vocab(text): return Tool.size", "class Base:\n    size = 11"],
        11,
    ),
    "a global counted by a function": (
        ["calls = 0\ndef helper():\n    global calls\n    calls += 1\n    return calls", VOCAB],
        1,
    ),
    "a redefinition that fails": (["def build_vocab(text): return 1", "def build_vocab(text=undefined): return 2"], 1),
    "a helper's redefinition that fails": (["def helper(): return 1", VOCAB, "@undefined\ndef helper(): return 2"], 1),
    "failing cells around": (["1 / 0", "def build_vocab(text): return 1", "undefined.call()", "raise SystemExit"], 1),
    "an unused import that fails": (["import seaborn_is_not_here as sns", "def build_vocab(text): return 1"], 1),
    "a used import that fails": (["import not_here as n", "def build_vocab(text): return n if text else 1"], 1),
    "a syntax error beside": (["def build_vocab(text): return 1", "def broken(:", "x = = 2"], 1),
    "several on a line": (["a = 1; b = 2; print(a)", "def build_vocab(text): return a + b"], 3),
    "unicode": (["π = 3\ndef größe(): return π", "def build_vocab(text): return größe()"], 3),
    "from __future__ in a later cell": (
        ["x = 1", "from __future__ import annotations", "def build_vocab(text: Undefined): return 1"],
        1,
    ),
    "an async cell": (["import asyncio\nawait asyncio.sleep(0)", "def build_vocab(text): return 1"], 1),
    "an async function": (
        ["import asyncio\nasync def helper(): return 2", "def build_vocab(text): return asyncio.run(helper())"],
        2,
    ),
    "the main block": (["def build_vocab(text): return 1\nif __name__ == '__main__':\n    build_vocab = None"], 1),
    "a return at top level": (["return 5", "def build_vocab(text): return 1"], 1),
    "display": (["def build_vocab(text):\n    display(text)\n    return 1"], 1),
    "get_ipython": (["get_ipython().magic('x')", "def build_vocab(text): return 1 if get_ipython() is None else 0"], 1),
    "a deleted name": (["def build_vocab(text): return 1", "del build_vocab"], 1),
    "strings of several lines": (
        ["TEXT = '''a\n  b\n%d\n'''.strip()\ndef build_vocab(text): return TEXT"],
        "a\n  b\n%d",
    ),
    "a docstring's lines in a class": (
        ["class Tool:\n    '''a\n    b'''\ndef build_vocab(text): return Tool.__doc__"],
        "a\n    b",
    ),
    "imports of names above": (
        [
            "def helper(): return 3",
            "def encode(text): return 1",
            "from batching import encode, helper\ndef build_vocab(text): return helper()",
        ],
        3,
    ),
    "a lone carriage return": (["SIZE = 3\rdef build_vocab(text): return SIZE\r\n"], 3),
    "an empty cell": (["", "   \n\n", "# only a comment", "def build_vocab(text): return 1"], 1),
    "a walrus": (["print(SIZE := 3)", "def build_vocab(text): return SIZE"], 3),
}
MEANINGS |= {
    "class var table": (
        ["class A:\n    pass\n", "REG={'a':A}", "def build_vocab(text): return REG['a'].__name__"],
        "A",
    ),
    "instance global": (
        [
            "class Tok:\n    def __init__(self): self.n=3\n",
            "tok = Tok()\ntok.n = 5",
            "def build_vocab(text): return tok.n",
        ],
        5,
    ),
    "global list appended": (["L=[]", "L.append(1); L.append(2)", "def build_vocab(text): return sum(L)"], 3),
    "with open missing": (
        [
            "with open('nope.txt') as f:\n    TEXT=f.read()",
            "def build_vocab(text): return 1",
            "def encode(t): return TEXT",
        ],
        1,
    ),
    "nested func global": (
        [
            "K=2",
            "def outer():\n    def inner():\n        return K\n    return inner()",
            "def build_vocab(text): return outer()",
        ],
        2,
    ),
    "lambda default": (["K=2", "f=lambda x, k=K: k", "def build_vocab(text): return f(1)"], 2),
    "type alias": (["from typing import List", "Vec = List[int]", "def build_vocab(text: Vec) -> Vec: return 1"], 1),
    "dataclass": (
        [
            "from dataclasses import dataclass\n@dataclass\nclass H:\n    a: int = 3",
            "def build_vocab(text): return H().a",
        ],
        3,
    ),
    "namedtuple": (
        ["from collections import namedtuple", "P=namedtuple('P','a b')", "def build_vocab(text): return P(1,2).b"],
        2,
    ),
    "namedtuple class": (
        ["from typing import NamedTuple\nclass P(NamedTuple):\n    a: int\n", "def build_vocab(text): return P(4).a"],
        4,
    ),
    "overwritten by loop var": (
        ["def helper(): return 1", ("def build_vocab(text): return helper()"), "for helper in range(3): pass"],
        1,
    ),
    "loop var const": (["N=5", "def build_vocab(text): return N", "for N in range(3): pass"], 2),
    "test split train": (
        ["def train(model,data): return []", "train, val = [1], [2]", "def build_vocab(text): return 1"],
        1,
    ),
    "cell syntax err with def before": (
        ["def build_vocab(text): return 1\nprint 'x'", "def build_vocab(text): return 2"],
        2,
    ),
    "trailing semicolon": (["def build_vocab(text): return 1;"], 1),
    "tabs": (["def build_vocab(text):\n\treturn 1"], 1),
    "decorated torch no_grad": (
        ["import torch\n@torch.no_grad()\ndef build_vocab(text): return int(torch.is_grad_enabled())"],
        0,
    ),
    "import as sibling": (
        ["def encode(t): return 5", "import batching", "def build_vocab(text): return batching.encode('')"],
        5,
    ),
    "star sibling": (
        ["def encode(t): return 5", "from batching import *", "def build_vocab(text): return encode('')"],
        5,
    ),
    "try own import": (
        [
            "def encode(t): return 5\ndef build_vocab(text): return encode(1)",
            "try:\n    from batching import encode\nexcept ImportError:\n    pass",
        ],
        5,
    ),
    "global stmt in func": (
        ["state=None\ndef setup():\n    global state\n    state=3\nsetup()", "def build_vocab(text): return state"],
        None,
    ),
    "magic in class": (["%%time\nclass A:\n    x=1\n", "def build_vocab(text): return A.x"], 1),
    "if main with def": (["if __name__ == '__main__':\n    K=3", "def build_vocab(text): return 1"], 1),
    "super chain": (
        [
            "class B:\n    def f(self): return 1",
            "class C(B):\n    def f(self): return super().f()+1",
            "def build_vocab(text): return C().f()",
        ],
        2,
    ),
    "base class redefined": (
        ["class B:\n    x=1", "class C(B): pass", "class B:\n    x=2", "def build_vocab(text): return C().x"],
        1,
    ),
    "globals()": (["K=1", "def build_vocab(text): return globals().get('K', 1)"], 1),
    "x = x.method": (["T='ab'", "T=T.upper()", "def build_vocab(text): return T"], "AB"),
    "conditional def": (
        [
            "import sys\nif sys:\n    def helper(): return 1\nelse:\n    def helper(): return 2",
            "def build_vocab(text): return helper()",
        ],
        1,
    ),
    "stub then mine": (["def build_vocab(text):\n    raise NotImplementedError", "def build_vocab(text): return 4"], 4),
    "mine then stub": (["def build_vocab(text): return 4", "def my(text): return 3"], 4),
    "functools cache self": (
        [
            "import functools",
            "@functools.lru_cache\ndef helper(n): return 1 if n<1 else helper(n-1)+1",
            "def build_vocab(text): return helper(2)",
        ],
        3,
    ),
    "seed": (
        [
            "import torch\ntorch.manual_seed(0)\nRNG=torch.Generator()\nRNG.manual_seed(3)",
            "def build_vocab(text): return RNG.initial_seed()",
        ],
        3,
    ),
    "assert cell": (["def build_vocab(text): return 1\nassert build_vocab('')==2\ndef encode(t): return 1"], 1),
    "annassign": (["K: int = 3", "def build_vocab(text): return K"], 3),
    "chained assign": (["A=B=3", "def build_vocab(text): return A+B"], 6),
    "match": (["V=1\nmatch V:\n    case 1: W=2\n    case _: W=3", "def build_vocab(text): return W"], 2),
    "string eval annotation": (["def build_vocab(text: 'Undefined') -> 'X': return 1"], 1),
    "__name__ helper": (["def build_vocab(text): return __name__"], "batching"),
    "__file__": (["import os\nHERE=os.path.dirname(__file__)", "def build_vocab(text): return 1"], 1),
    "print(end) multi": (["print('a', end='')\n\n\ndef build_vocab(text):\n\n    return 1\n\n\n"], 1),
    "backslash": (["K = 1 + \\\n  2", "def build_vocab(text): return K"], 3),
    "comment magic": (["# %matplotlib inline\n#!pip\ndef build_vocab(text): return 1"], 1),
    "capture then magic": (["%%capture\n!pip install x\n%pip install y\ndef build_vocab(text): return 1"], 1),
    "a?": (["x = 3\nx?\nx??\n?x\ndef build_vocab(text): return x"], 3),
    "assign magic pct": (["t = %time 3", "y = 7 % 3\nz = 7\\\n %3", "def build_vocab(text): return y+z"], 2),
    "f-string multi": (["K=2\nT = f'''\n  {K}\n'''", "def build_vocab(text): return T"], "\n  2\n"),
    "f-string in class": (
        ["K=2\nclass A:\n    T = f'''\n  {K}\n'''\n    U = 1", "def build_vocab(text): return A.T"],
        "\n  2\n",
    ),
    "two nb helper eager": (
        [
            "BASE=1",
            "TABLE=[BASE]",
            "BASE=2",
            "def sample_next(l): return BASE",
            "def build_vocab(text): return TABLE[0]",
        ],
        1,
    ),
    "del then": (["X=3", "def build_vocab(text): return X", "del X"], 3),
    "generator expr": (["A=[1,2]", "T=sum(a for a in A)", "def build_vocab(text): return T"], 3),
    "walrus in comp": (["T=[y:=1, y**2]", "def build_vocab(text): return T[1]+y"], 2),
    "name mangling": (["__K=3\ndef build_vocab(text): return __K"], 3),
    "exec-time self": (["def a(): return b()\ndef b(): return 2\nX=a()", "def build_vocab(text): return X"], 2),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_what_a_name_means(tmp_path, case):
    cells, value = MEANINGS[case]
    assert run(tmp_path, *cells).build_vocab("") == value


MAGICS = {
    "line magic": "%matplotlib inline\n{}",
    "shell": "!pip install torch\n{}",
    "shell that goes on": "!pip install \\\n   'it''s' \"\n{}",
    "assigned shell": "files = !ls\n{}",
    "assigned magic": "t = %timeit -o 1\n{}",
    "help": "{}\nbuild_vocab?",
    "help before": "?print\n{}",
    "more help": "str.join??\n{}",
    "timed cell": "%%time\n{}",
    "captured cell": "%%capture out --no-stderr\n{}",
    "after a comment": "\n%%time\n{}",
    "two magics": "%load_ext autoreload\n%autoreload 2\n{}",
    "inside a block": "if True:\n    %time 1\n    !ls\n{}",
    "beside strings": "!echo \"'''\nx = '''\n%d\n!a\nb?\n''' % 3\ny = (4\n% 3)\nz = 'a?'  # why?\n{}",
    "beside brackets": "%pip install x\nx = [1,  # (\n'[',\n]\n{}",
    "a file written": "%%writefile batching.py\n{}",
    "quotes escaped": "%pip list\nx = '\\''\n{}",
}


@pytest.mark.parametrize("case", MAGICS)
def test_magics_and_shell_lines_are_dropped_and_named(tmp_path, case):
    submission = read(tmp_path, MAGICS[case].format("def build_vocab(text): return 1"))
    assert imported(submission, "batching").build_vocab("") == 1
    assert "dropped" in said(submission) and "cell 1" in said(submission)


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript", "%%latex", "%%writefile notes.txt"])
def test_a_cell_in_another_language_is_left_out_whole(tmp_path, magic):
    submission = read(tmp_path, "def build_vocab(text): return 1", f"{magic}\ndef build_vocab(text): return 2")
    assert imported(submission, "batching").build_vocab("") == 1
    assert magic.split()[0] in said(submission)


def test_what_is_passed_over_or_not_run_is_said(tmp_path):
    cells = [
        "def build_vocab(text): return 1",
        "def (",
        "losses = [1]\nprint(losses)",
        "def build_vocab(text): return 2",
    ]
    notes = said(read(tmp_path, *cells))
    assert "cell 2 is passed over: it is not Python" in notes and "line 1" in notes
    assert "not run, since no assignment needs what they define: cell 3" in notes
    assert "build_vocab is defined 2 times (cell 1 and cell 4); the last definition counts" in notes


def test_a_helper_mended_between_two_assignments_is_each_ones_own_and_said(tmp_path):
    cells = [
        "def helper(): return 1",
        VOCAB,
        "def helper(): return 2",
        "def sample_next(logits): return helper()",
    ]
    submission = read(tmp_path, *cells)
    assert imported(submission, "batching").build_vocab("") == 1
    assert imported(submission, "sampling").sample_next(None) == 2
    assert (
        "helper is defined anew between assignments: batching uses that of cell 1, sampling uses that of cell 3"
        in said(submission)
    )


def test_a_helper_that_all_see_alike_is_not_worth_a_note(tmp_path):
    cells = ["def helper(): return 1", VOCAB, "def sample_next(logits): return helper()", "def helper(): return 2"]
    submission = read(tmp_path, *cells)
    assert imported(submission, "batching").build_vocab("") == imported(submission, "sampling").sample_next(None) == 2
    assert "anew" not in said(submission)


def test_training_runs_at_top_level_are_not_run(tmp_path):
    cells = [
        "SIZE = 2\nhistory = []",
        "def build_vocab(text): return SIZE + len(history)",
        "for epoch in range(10**9):\n    loss.backward()\n    history.append(epoch)",
        "model = undefined\nwhile True:\n    pass",
    ]
    assert run(tmp_path, *cells).build_vocab("") == 2


def test_the_error_of_a_definition_that_fails_is_given_to_who_asks_for_it(tmp_path):
    module = run(tmp_path, "def build_vocab(text=undefined): return 1", "def encode(text): return 2")
    assert module.encode("") == 2
    with pytest.raises(NameError, match="undefined"):
        _ = module.build_vocab


def test_another_assignments_names_are_imported_from_its_module(tmp_path):
    cells = ["def create_batches(data): return [data]", "def train(model, data): return create_batches(data)"]
    submission = read(tmp_path, *cells)
    assert "from batching import create_batches" in submission.files["training.py"].decode()
    assert "def create_batches" not in submission.files["training.py"].decode()
    assert imported(submission, "training").train(None, 1) == [1]


def test_imports_of_modules_that_are_cells_here(tmp_path):
    cells = [
        "def helper(): return 7\ndef create_batches(data): return [data]",
        "import batching as b",
        "def train(model, data): return b.helper(), b.create_batches(data)",
    ]
    assert imported(read(tmp_path, *cells), "training").train(None, 1) == (7, [1])


def test_two_assignments_that_need_each_other(tmp_path):
    cells = [
        "def create_batches(data): return train(None, None) if data else 0",
        "def train(model, data): return create_batches(data) if data else 5",
    ]
    assert imported(read(tmp_path, *cells), "training").train(None, 1) == 5


def test_in_a_folder_modules_win(tmp_path):
    files: dict[str, str | bytes] = {"batching.py": "def build_vocab(text): return 'file'"}
    submission = read(
        tmp_path, "def build_vocab(text): return 1", "def sample_next(l): return build_vocab(l)", files=files
    )
    assert submission.files["batching.py"] == b"def build_vocab(text): return 'file'"
    assert "batching.py counts" in said(submission)
    assert imported(submission, "sampling").sample_next("") == "file"


def test_several_notebooks_count_in_the_order_of_their_names(tmp_path):
    files: dict[str, str | bytes] = {
        "b.ipynb": notebook("def helper(): return 'b'", VOCAB),
        "a.ipynb": notebook(
            "def helper(): return 'a'", VOCAB, "def encode(t): return 1", "def sample_next(l): return helper()"
        ),
        ".ipynb_checkpoints/c.ipynb": notebook("def build_vocab(text): return 'checkpoint'"),
    }
    submission = receive(write_files(tmp_path / "ada", files), load_course())
    batching = imported(submission, "batching")
    assert (batching.build_vocab(""), batching.encode("")) == ("b", 1)
    assert imported(submission, "sampling").sample_next("") == "a"
    assert "a.ipynb, cell 2" in said(submission)


@pytest.mark.parametrize("wrap", ["", "ada-hw/"])
def test_a_notebook_in_an_archive(tmp_path, wrap):
    path = tmp_path / "ada.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{wrap}work.ipynb", notebook("def build_vocab(text): return 1"))
        archive.writestr(f"{wrap}mine.py", "x = 1")
    assert set(receive(path, load_course()).files) == {"batching.py", "mine.py"}


def test_helper_modules_beside_a_notebook(tmp_path):
    files: dict[str, str | bytes] = {"mine.py": "def build_vocab(text): return 5"}
    submission = read(tmp_path, "from mine import build_vocab", files=files)
    assert "from mine import build_vocab" in submission.files["batching.py"].decode()


def test_a_notebook_of_version_3(tmp_path):
    cell = {
        "cell_type": "code",
        "input": ["def build_vocab(text):\n", "    return 3"],
        "language": "python",
        "outputs": [],
    }
    old = {"worksheets": [{"cells": [cell]}], "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old))
    assert imported(receive(path, load_course()), "batching").build_vocab("") == 3


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_version_of_4(tmp_path, minor):
    made = json.loads(notebook("def build_vocab(text):\n    return 4"))
    made["nbformat_minor"] = minor
    for cell in made["cells"] if minor < 5 else []:
        del cell["id"]
    path = tmp_path / "work.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(made).encode())
    assert imported(receive(path, load_course()), "batching").build_vocab("") == 4


def test_outputs_of_megabytes_raw_cells_and_widgets_do_no_harm(tmp_path):
    made = json.loads(
        notebook("from ipywidgets import interact\ninteract(lambda x: x, x=3)", "def build_vocab(t): return 1")
    )
    made["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["x" * 99 + "\n"] * 150_000}]
    made["cells"] += [{"cell_type": "raw", "id": "r", "metadata": {}, "source": "def build_vocab(t): return 2"}]
    made["metadata"] = {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}}}
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps(made))
    assert imported(receive(path, load_course()), "batching").build_vocab("") == 1


@pytest.mark.parametrize("ending", [b"", b"\n", b"\xef\xbb\xbf"], ids=["as it is", "a line more", "a mark first"])
@pytest.mark.parametrize("book", sorted(SOLUTIONS.glob("notebooks/*.ipynb")), ids=lambda book: book.stem)
def test_a_plain_notebook_is_read_as_nbformat_reads_it(monkeypatch, book, ending):
    raw = ending + book.read_bytes() if ending.startswith(b"\xef") else book.read_bytes() + ending
    by_itself = code_cells.cells_of(raw, "", 0)
    monkeypatch.setattr(code_cells, "_is_plain", lambda notebook: False)
    assert by_itself == code_cells.cells_of(raw, "", 0) != []


def test_nbformat_is_loaded_for_none_but_odd_notebooks(tmp_path):
    odd = json.dumps({**json.loads(notebook("x = 1")), "nbformat": 3})
    for content, wanted in ((notebook("x = 1"), False), (odd, True)):
        (tmp_path / "work.ipynb").write_text(content)
        job = {**job_for(tmp_path / "work.ipynb", load_course()), "folder": str(tmp_path), "skip": []}
        said = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-X", "importtime", "-c", READING, HERE],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=True,
        ).stderr
        assert ("nbformat" in said) == wanted


@pytest.mark.parametrize("left_out", ["metadata", "nbformat", "nbformat_minor", "all"])
def test_what_a_tool_left_out_of_a_notebook_is_not_missed(tmp_path, left_out):
    made = json.loads(notebook("def build_vocab(text): return 1"))
    for part in (made, *made["cells"]):
        for key in (left_out,) if left_out != "all" else set(part) - {"cells", "cell_type", "source"}:
            part.pop(key, None)
    made["cells"] += [None, {"source": "1"}, {"cell_type": "code"}, {"cell_type": "code", "source": 7}]
    path = tmp_path / "ada.ipynb"
    path.write_text(json.dumps(made))
    assert imported(receive(path, load_course()), "batching").build_vocab("") == 1


def test_what_no_cell_defines_is_missing_and_no_file_is_asked_for(tmp_path, trusted_sandbox):
    path = tmp_path / "ada.ipynb"
    path.write_text(notebook("def build_vocab(text): return 1"))
    document = grade_folder(path, ["sampling"], trusted_sandbox).document
    for test in rows_of(document).values():
        if test["visibility"] == "public":
            assert "No cell defines sample_next or generate_text." in test["message"]


HEAD = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, '
HOSTILE = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"4",
    "an empty object": b"{}",
    "no cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "cells that are none": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 7}',
    "odd cells": HEAD + b'"cells": [null, 3, "x", {"cell_type": "code"}]}',
    "an odd source": HEAD + b'"cells": [{"cell_type": "code", "source": 7}]}',
    "a version nobody knows": b'{"nbformat": 99, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    "no version": b'{"nbformat": "four", "cells": []}',
    "deep nesting": b'{"cells": ' + b"[" * 100_000,
    "UTF-16": json.dumps({"cells": []}).encode("utf-16"),
    "Latin-1": '{"cells": "é"}'.encode("latin-1"),
    "NUL bytes": b"\0" * 1000,
    "an endless number": b'{"nbformat": ' + b"9" * 10_000 + b"}",
    "not a number": b'{"nbformat": NaN, "nbformat_minor": Infinity, "cells": []}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_notebook_is_graded_and_said(tmp_path, case, trusted_sandbox):
    path = tmp_path / "ada.ipynb"
    path.write_bytes(HOSTILE[case])
    alone = receive(path, load_course())
    assert alone.whole or not alone.files
    if case in ("empty", "odd cells", "deep nesting"):
        document = grade_folder(path, ["batching"], trusted_sandbox).document
        assert document["score"] == 0 and document["complete"]
        assert all(test["status"] == "error" for test in rows_of(document).values())
    beside = receive(write_files(tmp_path / "both", {"ada.ipynb": HOSTILE[case], "cells.py": "x = 1"}), load_course())
    assert beside.files["cells.py"] == b"x = 1" and not beside.whole


@pytest.mark.parametrize(
    "cell",
    [
        "x = " + "(" * 50_000 + ")" * 50_000,
        "x = " + "-" * 200_000 + "1",
        "x = " + "+".join(["a"] * 100_000),
        "\ud800 = 1",
        "x = '\ud800'",
        "x = 1\0",
        "#" * (2**20 + 1),
        "%" * 100_000,
        "((((\n" * 1000 + "?",
        "\\\n" * 1000,
        "'''" * 999,
        "import " + ".".join(["a"] * 10_000),
        "x: " + "[" * 150 + "]" * 150 + " = 1",
        "lambda: (yield)",
        "__getattr__ = 1\n_passed_over = 2",
        "\n".join(f"x{i} = x{i - 1}" for i in range(1, 3000)),
        "\x0c\x1c\u2028def f(): pass",
        "x?" + " " * 10**6 + "y",
        " " * 10**6 + "y z",
        "a," * 40_000 + "%",
        "x=1;" * 40_000,
        "x=1;" * 9_000,
        "x = x + y\n" * 9_000,
    ],
    ids=range(23),
)
def test_a_cell_that_hurts_a_parser_does_not_hurt_its_neighbours(tmp_path, cell):
    path = tmp_path / "ada.ipynb"
    path.write_text(notebook(cell, "def build_vocab(text): return 1"))
    submission = receive(path, load_course())
    assert imported(submission, "batching").build_vocab("") == 1


def test_limits(tmp_path):
    path = tmp_path / "ada.ipynb"
    with path.open("wb") as file:
        file.truncate(32 * 2**20 + 1)
    assert "32 MiB" in receive(path, load_course()).whole
    large = "def build_vocab(text):\n" + "    x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n" * 10_000
    submission = read(tmp_path, large, large.replace("build_vocab", "encode"))
    assert "larger than 1 MiB" in submission.unreadable["batching.py"]


def test_a_library_cell_in_a_notebook_is_seen_and_its_cell_named(tmp_path):
    path = tmp_path / "ada.ipynb"
    path.write_text(notebook("print(1)", "%pip list\n" + LIBRARY))
    (finding,) = receive(path, select(["cells"])).findings["LSTMCellFromScratch"]
    assert (finding.place, finding.code) == ("cell 2, line 8", "self.inner = nn.LSTMCell(input_size, hidden_size)")


def test_a_library_cell_under_the_asked_name_is_seen_in_a_notebook_too(tmp_path):
    path = tmp_path / "ada.ipynb"
    path.write_text(notebook("import torch", "from torch.nn import LSTMCell as LSTMCellFromScratch"))
    (finding,) = receive(path, select(["cells"])).findings["LSTMCellFromScratch"]
    assert finding.place == "cell 2, line 1" and finding.certain


def test_a_library_cell_in_an_experiment_is_none_in_the_assignment(tmp_path):
    path = tmp_path / "ada.ipynb"
    honest = (SOLUTIONS / "cells.py").read_text(encoding="utf-8")
    path.write_text(notebook(honest, "compare = nn.LSTMCell(3, 4)\nprint(compare)"))
    assert receive(path, load_course()).findings == {}


def test_a_failure_names_cell_and_line(tmp_path, trusted_sandbox):
    path = tmp_path / "ada.ipynb"
    path.write_text(notebook("x = 1", "\n%time\ndef build_vocab(text):\n    return 1 / 0"))
    rows = rows_of(grade_folder(path, ["batching"], trusted_sandbox).document, "error")
    assert any("cell 2, line 4: return 1 / 0" in row["message"] for row in rows.values())
