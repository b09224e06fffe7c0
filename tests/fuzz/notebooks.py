"""Notebooks for intake: `notebooks` feeds them to what the limited child runs, in one long-lived process.

Half of them are sound: cells as students leave them, drawn from pieces and shuffled, with failing cells and magics
between. Then the modules made have to give what Jupyter gives that runs the cells from top to bottom: the same
values of the same functions. The others lie, in the notebook's structure or in its bytes, and must be
read or refused: whatever module is made is Python and within its limit.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from grader.course import load_course
from grader.intake.inside import limits, reading
from grader.intake.receive import job_for, limit_reading
from tests.fuzz.campaign import MIB

NAMES = ("build_vocab", "encode", "decode", "create_batches")
HELPERS = ("scale", "shift")
EXPERIMENTS = (
    *("print(undefined)", "1 / 0", "raise SystemExit", "def broken(:\n    pass", "x = = 1", "return 5"),
    *("losses = []\nfor step in range(3):\n    losses.append(step)", "import not_there_at_all", "", "   \n\n", "# …"),
    *("if __name__ == '__main__':\n    main()", "print('a', end='')  # why?", "await nothing()", "'''a\n%b\n'''"),
)
MAGICS = ("%matplotlib inline", "!pip install torch", "files = !ls", "scale?", "%load_ext autoreload", "t = %time 3")
ODD_SOURCES: tuple[Any, ...] = (
    *(None, 7, [], ["def build_vocab(t):\n", 3, "    return 1"], {"a": 1}, "\0", "\ud800 = 1", "x = '\ud800'"),
    *("(" * 80, "x = " + "+".join("a" * 300), "a = 1;" * 500, "\x0c\u2028\x1c", "\\\n" * 50, "'''" * 9, "%" * 300),
    *("import " + ".".join("a" * 200), "__getattr__ = 1\n_passed_over = 2", "from batching import *"),
    "del build_vocab",
)
ODD_VALUES: tuple[Any, ...] = (None, -1, 0, 3, 4, 99, 4.5, "4", "", [], {}, [[]], True, 10**30, float("nan"))


class Notebooks:
    """Cases begin with `s` for a sound notebook, and `l` for one that lies."""

    growth_limit = 16 * MIB
    peak_limit = 512 * MIB
    ending = ".ipynb-case"

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="grader-fuzz-")
        self._limited = False

    def make(self, rng: random.Random) -> bytes:
        """A notebook of five to twenty cells."""
        whole = _whole([_cell(source, rng) for source in _sources(rng)], rng)
        if rng.random() < 0.5:
            return b"s" + json.dumps(whole, ensure_ascii=rng.random() < 0.5).encode()
        for _ in range(rng.choice((1, 1, 2, 3))):
            _lie(whole, rng)
        raw = bytearray(json.dumps(whole).encode("utf-8", "surrogatepass"))
        if rng.random() < 0.3:
            for _ in range(rng.choice((1, 2, 8))):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < 0.1:
            del raw[rng.randrange(len(raw)) :]
        return b"l" + bytes(raw)

    def feed(self, case: bytes) -> str:
        """Read it as the limited child does, and compare a sound one with Jupyter's way."""
        if not self._limited:  # once, and only in the process that runs the cases
            limit_reading(cpu_s=None)
            self._limited = True
        parent = Path(tempfile.mkdtemp(dir=self._home.name))
        path, folder = parent / "ada.ipynb", parent / "inner"
        try:
            path.write_bytes(case[1:])
            folder.mkdir()
            with contextlib.redirect_stderr(io.StringIO()):
                summary = reading.read({**job_for(path, load_course()), "folder": str(folder), "skip": []})
            assert len(json.dumps(summary)) <= 8 * MIB, "the summary is over its limit"
            assert sorted(p.name for p in parent.iterdir()) == ["ada.ipynb", "inner"], "a file outside"
            made = {name: (folder / name).read_bytes() for name in summary["files"]}
            for name, source in made.items():
                assert len(source) <= limits.MODULE_LIMIT
                if name not in summary["unreadable"]:
                    compile(source, name, "exec")
            if case[:1] == b"s":
                _compare(made.get("batching.py", b""), case[1:])
            return _outcome(case[:1], summary, list(made))
        finally:
            shutil.rmtree(parent)


def _outcome(kind: bytes, summary: dict[str, Any], made: list[str]) -> str:
    if "whole" in summary:
        return "nothing can be read: " + re.sub(r"\d+", "N", summary["whole"])
    said = {re.sub(r"cells? \d+|\d+", "N", re.split(r"[:(]", note)[0]).strip() for note in summary["notes"]}
    return f"decoded, {'sound' if kind == b's' else 'lying'}: {len(made)} modules; {min(said, default='')}"


def _compare(module: bytes, raw: bytes) -> None:
    """The module's functions give what the cells' give, run from top to bottom; only ours ever run here."""
    expected = _in_jupyter(raw)
    found: dict[str, Any] = {"__name__": "batching"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(module, "batching.py", "exec"), found)
    for name in NAMES:
        if callable(expected.get(name)):
            wanted = _value(expected[name])
            assert name in found, f"{name} is not there, Jupyter gives {wanted}"
            assert _value(found[name]) == wanted, f"{name} gives {_value(found[name])}, in Jupyter {wanted}"


def _in_jupyter(raw: bytes) -> dict[str, Any]:
    """What the names mean after all cells have run; each cell is run up to what fails in it."""
    space: dict[str, Any] = {"__name__": "jupyter"}
    cells = nbformat.reads(raw.decode(), as_version=4).cells
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        source = "\n".join("pass" if line in MAGICS or line == "%%time" else line for line in cell.source.split("\n"))
        with contextlib.suppress(Exception, SystemExit), contextlib.redirect_stdout(io.StringIO()):
            exec(source, space)
    return space


def _value(function: Any) -> Any:
    try:
        return function(2)
    except Exception as problem:
        return type(problem).__name__


def _sources(rng: random.Random) -> list[str]:
    """Cells of definitions, experiments and magics; what an experiment fails at stands at the end of its cell."""
    made = [_definition(rng) for _ in range(rng.randrange(4, 14))]
    cells: list[str] = []
    while made:
        take = rng.choice((1, 1, 1, 2, 3))
        cells.append("\n".join(made[:take]))
        del made[:take]
        if rng.random() < 0.2:
            cells[-1] = f"{rng.choice(MAGICS)}\n{cells[-1]}"
        elif rng.random() < 0.05:
            cells[-1] = f"%%time\n{cells[-1]}"
        if rng.random() < 0.4:
            cells.insert(rng.randrange(len(cells) + 1), rng.choice(EXPERIMENTS))
    return cells


def _definition(rng: random.Random) -> str:
    """One statement, or a few that belong together, about the few names there are; none can fail."""
    name, helper, other = rng.choice(NAMES), rng.choice(HELPERS), rng.choice(HELPERS)
    number = rng.randrange(100)
    used = rng.choice((f"{helper}(n)", "n", "SIZE", "sum(TABLE)", "Ω", f"Box(n).size + {number}"))
    return rng.choice(
        (
            f"def {name}(n):\n    return ('{name}', {number}, {used})",
            f"def {name}(n, k={number}):\n    '''It\n  k\n    '''\n    return [{helper}(i) for i in range(n)], {used}",
            f"def {helper}(n):\n    return n + {number}",
            f"def {helper}(n):\n    return n * SIZE + {number} if n else len(TABLE)",
            f"def {helper}(n, deep=0):\n    return {other}(n - 1, deep + 1) if n > 0 and deep < 3 else {number}",
            f"SIZE = {number}",
            f"SIZE = {number}; Ω = SIZE + 1",
            f"TABLE = [{number}, 2]",
            f"TABLE = [i * {number} for i in range(3)]",
            f"class Box:\n    def __init__(self, n):\n        self.size = n + {number}",
            f"class Box:\n    size = {number}\n\n    def __init__(self, n):\n        self.n = {helper}(n)",
            f"{name} = lambda n: ({number}, {used})",
            f"SIZE = {number}\nSIZE += 1",
            f"TABLE = [{number}]\nTABLE.append(3)\nTABLE[0] -= 1",
            f"TABLE = {{0: {number}}}\nfor i in range(3):\n    TABLE[i] = i",
            f"def twice(f):\n    return lambda n: (f(n), {number})\n\n@twice\ndef {helper}(n):\n    return 1",
        )
    )


def _cell(source: str, rng: random.Random) -> dict[str, Any]:
    lines: Any = source.splitlines(keepends=True) if rng.random() < 0.7 else source
    outputs = [{"output_type": "stream", "name": "stdout", "text": "x\n"}] if rng.random() < 0.2 else []
    made = {"cell_type": "code", "metadata": {}, "outputs": outputs, "source": lines}
    return {**made, "execution_count": rng.choice((None, 1, 7, 7))}


def _whole(cells: list[dict[str, Any]], rng: random.Random) -> dict[str, Any]:
    text = [{"cell_type": kind, "metadata": {}, "source": "def encode(n):\n    no"} for kind in ("markdown", "raw")]
    for cell in text:
        cells.insert(rng.randrange(len(cells) + 1), dict(cell))
    minor = rng.randrange(6)
    if minor == 5:
        cells = [{**cell, "id": f"c{number}"} for number, cell in enumerate(cells)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor}


def _lie(whole: dict[str, Any], rng: random.Random) -> None:
    """Put something odd in the place of one value, somewhere."""
    place: Any = whole
    if rng.random() < 0.8 and isinstance(whole.get("cells"), list) and whole["cells"]:
        place = rng.choice(whole["cells"])
    if not isinstance(place, dict) or not place:
        whole["cells"] = rng.choice(ODD_VALUES)
        return
    key = rng.choice(list(place))
    if key == "source" or (key == "cell_type" and rng.random() < 0.5):
        place["source"] = rng.choice(ODD_SOURCES)
    elif rng.random() < 0.3:
        del place[key]
    else:
        place[key] = rng.choice(ODD_VALUES)
