"""Measures with a student's own code what a picture shows: `python -m grader.play.measure NAME FOLDER TARGET`.

It runs in a process of its own, writes numbers and notes as JSON to TARGET, and draws nothing. What is
missing in the student's code, or fails, becomes a note, and the rest is measured all the same.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from grader.sandbox.inside.student import ImportFailed, MissingModule, MissingName, Student, SubmissionFinder

Measured = dict[str, Any]

KINDS = {"RNN": "RNNCellFromScratch", "LSTM": "LSTMCellFromScratch", "GRU": "GRUCellFromScratch"}
SCALES = (0.8, 1.0, 1.25)
FLOW_SIZES = {"batch": 4, "steps": 60, "input_size": 8, "hidden_size": 32}
KEEPING = 3.0  # gates that keep: σ(3) = 0.95 of the old state stays, and σ(−3) = 0.05 of the new comes in

FAST_SIZES = (16, 32, 64, 128, 256)
FAST_BATCH, FAST_STEPS, FAST_INPUTS = 16, 50, 256
ROUNDS = 3  # in which the ways take turns
PATIENCE_S, FEWEST_RUNS, MOST_RUNS = 0.12, 3, 12  # of one in a round; its CPU time, for others may have the machine


class Notes:
    """Calls what may fail, and keeps a sentence on what did."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def attempt(self, what: str, function: Callable[[], Any]) -> Any:
        """The function's result, or None and a note on `what`."""
        try:
            return function()
        except NotImplementedError as problem:  # a stub's text names the part: "cells: write …, then type: …"
            self.say(f"{what}: not written yet ({str(problem).split(', then')[0]})")
        except (MissingModule, MissingName) as problem:
            self.say(str(problem))
        except ImportFailed as problem:
            self.say(f"{problem}: {_described(problem.__cause__)}")
        except Exception as problem:
            self.say(f"{what} raised {_described(problem)}")
        return None

    def say(self, text: str) -> None:
        """Keep a sentence, once."""
        if text not in self.said:
            self.said.append(text)


def gradient_flow(notes: Notes) -> Measured:
    """The norms that the student's function finds in the student's cells, for three sizes of the recurrent matrix.

    The recurrent matrix of each block is orthogonal times a scale, so that all its singular values are
    the scale; an LSTM and a GRU get biases that keep most of their state, as training may find them.
    """
    student, cells = Student("gradient_flow"), Student("cells")
    flow = notes.attempt("hidden_gradient_norms", lambda: student.hidden_gradient_norms)
    stretch = notes.attempt("largest_singular_value", lambda: student.largest_singular_value)
    if flow is None:
        return {"panels": []}
    x = 0.1 * torch.randn(FLOW_SIZES["batch"], FLOW_SIZES["steps"], FLOW_SIZES["input_size"])
    panels = []
    for kind, name in KINDS.items():
        before = len(notes.said)
        lines = []
        for scale in SCALES:
            torch.manual_seed(1)
            found = notes.attempt(name, lambda: _scaled_cell(getattr(cells, name), kind, scale))  # noqa: B023
            if found is None:
                break
            cell, block = found
            norms = notes.attempt(f"hidden_gradient_norms with {name}", lambda: _floats(flow(cell, x), x.shape[1]))  # noqa: B023
            if norms is None:
                break
            measured = stretch and notes.attempt("largest_singular_value", lambda: float(stretch(block)))  # noqa: B023
            lines.append({"scale": scale, "stretch": measured, "norms": norms})
        why = notes.said[before] if len(notes.said) > before else f"{name} can't be measured"
        panels.append({"kind": kind, "lines": lines, "absent": "" if lines else why})
    return {"panels": panels, **FLOW_SIZES}


def _scaled_cell(make: Callable[..., Any], kind: str, scale: float) -> tuple[Any, torch.Tensor]:
    """A student's cell with recurrent matrices of this scale, and one of these matrices."""
    hidden = FLOW_SIZES["hidden_size"]
    cell = make(FLOW_SIZES["input_size"], hidden)
    for label in ("W_h_gates", "W_h_cand") if kind == "GRU" else ("W_h",):
        for block in getattr(cell, label).detach().split(hidden):
            nn.init.orthogonal_(block, gain=scale)
    if kind == "LSTM":
        cell.bias.detach()[:hidden] = -KEEPING
        cell.bias.detach()[hidden : 2 * hidden] = KEEPING
    if kind == "GRU":
        cell.b_gates.detach()[:hidden] = -KEEPING
    return cell, block


def _floats(values: Any, count: int) -> list[float]:
    found = [float(value) for value in values]
    if len(found) != count:
        raise ValueError(f"{len(found)} norms came for {count} steps")
    return found


def fast_lstm(notes: Notes) -> Measured:
    """Milliseconds for a sequence, forward and with its backward pass, by hidden size."""
    torch.set_num_threads(1)
    cells, student = Student("cells"), Student("fast_lstm")
    ways: dict[str, Callable[[int, int], Any]] = {
        "your cell, stepped": lambda i, h: Stepped(cells.LSTMCellFromScratch(i, h)),
        "hoisted loop (ours)": HoistedLoop,
        "your FastLSTM": lambda i, h: student.FastLSTM(i, h),
        "nn.LSTM": lambda i, h: nn.LSTM(i, h, batch_first=True),
    }
    parts = {"your cell, stepped": "LSTMCellFromScratch", "your FastLSTM": "FastLSTM"}
    times: dict[str, dict[str, list[float]]] = {way: {"forward": [], "both": []} for way in ways}
    for hidden in FAST_SIZES:
        print(f"timing hidden size {hidden}", file=sys.stderr, flush=True)
        x = torch.randn(FAST_BATCH, FAST_STEPS, FAST_INPUTS)
        best: dict[str, tuple[float, float]] = {}
        for _ in range(ROUNDS):  # so that whatever else the machine does falls on all of them
            for way in list(times):
                found = notes.attempt(parts.get(way, way), lambda: _timed(ways[way](FAST_INPUTS, hidden), x))  # noqa: B023
                if found is None:
                    del times[way]
                    continue
                before = best.get(way, found)
                best[way] = min(before[0], found[0]), min(before[1], found[1])
        for way, measured in times.items():
            measured["forward"].append(best[way][0])
            measured["both"].append(best[way][1])
    lines = [{"name": way, **milliseconds} for way, milliseconds in times.items()]
    shape = {"batch": FAST_BATCH, "steps": FAST_STEPS, "input_size": FAST_INPUTS}
    return {"sizes": list(FAST_SIZES), "lines": lines, **shape}


def _timed(layer: Any, x: torch.Tensor) -> tuple[float, float]:
    """Milliseconds of a forward pass, and of a forward and backward pass."""

    def forward() -> torch.Tensor:
        outputs: torch.Tensor = layer(x)[0]
        return outputs

    def both() -> None:
        forward().sum().backward()

    both()  # what is done at the first call only is not timed
    return _best_ms(forward), _best_ms(both)


def _best_ms(work: Callable[[], Any]) -> float:
    """The best of several runs: the one that other programs disturbed least."""
    spent: list[float] = []
    begun = time.process_time()
    while len(spent) < FEWEST_RUNS or (time.process_time() - begun < PATIENCE_S and len(spent) < MOST_RUNS):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return 1000 * min(spent)


class Stepped(nn.Module):
    """A cell called step by step, from zeros."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell
        self.hidden_size: int = cell.hidden_size

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, Any]:
        """x: (B, T, I); returns every h, (B, T, H), and the last states."""
        h = c = x.new_zeros(x.shape[0], self.hidden_size)
        hs = []
        for x_t in x.unbind(1):
            h, c = self.cell(x_t, h, c)
            hs.append(h)
        return torch.stack(hs, dim=1), (h, c)


class HoistedLoop(nn.Module):
    """As many products and elementwise operations as a hoisted LSTM has, with autograd's backward pass.

    Not an LSTM: its four blocks go through sines, so that it gives no answer away. It takes as long.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.from_x = nn.Linear(input_size, 4 * hidden_size)
        self.from_h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.hidden_size = hidden_size

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, Any]:
        """x: (B, T, I); returns every h, (B, T, H), and the last states."""
        h = c = x.new_zeros(x.shape[0], self.hidden_size)
        hs = []
        for drive in self.from_x(x).unbind(1):
            one, two, three, four = (value.sin() for value in (drive + self.from_h(h)).chunk(4, dim=1))
            c = one * c + two * three
            h = four * c.sin()
            hs.append(h)
        return torch.stack(hs, dim=1), (h, c)


MEASURES: dict[str, Callable[[Notes], Measured]] = {"gradient_flow": gradient_flow, "fast_lstm": fast_lstm}


def _described(problem: BaseException | None) -> str:
    return f"{type(problem).__name__}: {problem}"


def main(arguments: Iterable[str]) -> int:
    """Measure one thing with the code in a folder and write what was found."""
    name, folder, target = arguments
    sys.meta_path.insert(0, SubmissionFinder(os.path.abspath(folder)))
    torch.manual_seed(0)
    notes = Notes()
    found = MEASURES[name](notes)
    Path(target).write_text(json.dumps({**found, "notes": notes.said}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
