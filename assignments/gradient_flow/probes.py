"""Probes of the gradient flow: hand over a cell and a sequence, or matrices, and return what was measured.

They run beside the student's code and hold inputs but no answers. The cells are the harness' own, so a
mistake in `cells.py` costs nothing here: they have the contract's parameters and step by the library's
kernels. x is (B, T, I); `weights` maps the contract's parameter names to tensors.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import nn

from assignments.scripted import Complaint


class Cell(nn.Module):
    """A cell of the contract for `cell(x_t, h_prev, c_prev)`; its parameters are set by `build`."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size


class RNNCell(Cell):
    """Parameters W_x (H, I), W_h (H, H), bias (H,)."""

    def forward(self, x_t: torch.Tensor, h_prev: torch.Tensor, c_prev: Any = None) -> Any:
        """One step: (h, h)."""
        h = torch.rnn_tanh_cell(x_t, h_prev, self.W_x, self.W_h, self.bias)
        return h, h


class LSTMCell(Cell):
    """Parameters W_x (4H, I), W_h (4H, H), bias (4H,)."""

    def forward(self, x_t: torch.Tensor, h_prev: torch.Tensor, c_prev: torch.Tensor) -> Any:
        """One step: (h, c)."""
        return torch.lstm_cell(x_t, (h_prev, c_prev), self.W_x, self.W_h, self.bias)


class GRUCell(Cell):
    """Parameters W_x_gates (2H, I), W_h_gates (2H, H), b_gates (2H,), W_x_cand (H, I), W_h_cand (H, H), b_cand (H,).

    The library's convention and the contract's meet where W_h_cand is diagonal; the tests give it no other.
    """

    def forward(self, x_t: torch.Tensor, h_prev: torch.Tensor, c_prev: Any = None) -> Any:
        """One step: (h, h)."""
        size = self.hidden_size
        gates = ((self.W_x_gates, self.W_x_cand), (self.W_h_gates, self.W_h_cand), (self.b_gates, self.b_cand))
        rows = [torch.cat([both[size:], -both[:size], candidate]) for both, candidate in gates]
        h = torch.gru_cell(x_t, h_prev, *rows)
        return h, h


LEFT_ALONE = (
    "the parameters are as they were",
    "the parameters still require gradients",
    "the training flag is as it was",
    "no hook is left on the cell",
    "no attribute is left on the cell",
    "x is as it was",
    "the grad mode is left as found",
)
CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}
BORN_WITH = {kind: set(vars(cell)) for kind, cell in CELLS.items()}  # what an earlier call left on a class counts too


def build(kind: str, weights: dict[str, torch.Tensor], x: torch.Tensor) -> Cell:
    """A cell with the given weights, trainable."""
    bias = weights["b_cand" if kind == "gru" else "bias"]
    cell = CELLS[kind](x.shape[2], bias.shape[0] // (4 if kind == "lstm" else 1))
    for label, value in weights.items():
        setattr(cell, label, nn.Parameter(value))
    return cell


def measured(student: Any, cell: Cell, x: torch.Tensor) -> torch.Tensor:
    """The norms as a tensor in x's dtype, though they came as a list or in another: that has a test of its own."""
    found = student.hidden_gradient_norms(cell, x)
    try:
        return torch.as_tensor(found).detach().to(x.dtype)
    except (TypeError, ValueError, RuntimeError):
        raise Complaint(f"hidden_gradient_norms returned a {type(found).__name__}, expected a tensor") from None


def norms(student: Any, kind: str, weights: dict[str, torch.Tensor], x: torch.Tensor) -> dict[str, Any]:
    """The norms for one cell and one x."""
    return {"the norms": measured(student, build(kind, weights, x), x)}


def sizes(student: Any, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """The norms of several cases, each with its own sizes; x requires a gradient in every second."""
    found = {}
    for number, case in enumerate(cases):
        x = case["x"].requires_grad_(number % 2 == 1)
        found[f"the norms of case {number}"] = measured(student, build(case["kind"], case["weights"], x), x)
    return found


def results(student: Any, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """What came back for each case, just as it came."""
    found = {}
    for number, case in enumerate(cases):
        found[f"the result of case {number}"] = student.hidden_gradient_norms(build(**case), case["x"])
    return found


def left_behind(student: Any, kind: str, weights: dict[str, torch.Tensor], x: torch.Tensor) -> dict[str, Any]:
    """Once in training mode and once not: the norms, and whether cell, x and grad mode are as they were.

    The grad mode once more without gradients: there nobody promises norms, so that an exception is no harm.
    """
    found: dict[str, Any] = {}
    for training in (True, False):
        cell = build(kind, weights, x).train(training)
        parameters, attributes = dict(cell.named_parameters()), set(vars(cell))
        numbers, given = {label: value.detach().clone() for label, value in parameters.items()}, x.clone()
        found["the norms"] = measured(student, cell, x)
        now = dict(cell.named_parameters())
        same = now.keys() == parameters.keys() and all(
            now[label] is parameters[label] and torch.equal(now[label], numbers[label]) for label in now
        )
        hooked = any(value for label, value in vars(cell).items() if "hooks" in label and hasattr(value, "__len__"))
        hooked = hooked or any(value._backward_hooks for value in now.values())
        facts = (
            same,
            all(value.requires_grad for value in now.values()),
            cell.training is training,
            not hooked,
            set(vars(cell)) == attributes and set(vars(type(cell))) == BORN_WITH[kind],
            torch.equal(x, given),
            torch.is_grad_enabled(),
        )
        for label, fact in zip(LEFT_ALONE, facts, strict=True):
            found[label] = found.get(label, True) and fact
        torch.set_grad_enabled(True)
    with torch.no_grad():
        with contextlib.suppress(Exception):
            student.hidden_gradient_norms(build(kind, weights, x), x)
        found["the grad mode is left as found"] &= not torch.is_grad_enabled()
    return found


def singular_values(student: Any, matrices: list[torch.Tensor]) -> dict[str, Any]:
    """The largest singular value of each matrix, as a number."""
    return {
        f"the value of matrix {number}": as_number(student.largest_singular_value(matrix))
        for number, matrix in enumerate(matrices)
    }


def of_a_parameter(student: Any, matrix: torch.Tensor) -> dict[str, Any]:
    """The largest singular value of a matrix that requires a gradient: the number, and whether it is a float.

    In float32 too, without a gradient: NumPy's float64 is a float, its float32 is none.
    """
    value = student.largest_singular_value(nn.Parameter(matrix.clone()))
    single = student.largest_singular_value(matrix.float())
    return {
        "the value": as_number(value),
        "the value in float32": as_number(single),
        "the value is a float": isinstance(value, float),
        "the value in float32 is a float": isinstance(single, float),
    }


def as_number(value: Any) -> float:
    """A float, or a complaint: whether it came as one has a test of its own."""
    try:
        return float(value.detach() if isinstance(value, torch.Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise Complaint(f"largest_singular_value returned a {type(value).__name__}, expected a float") from None
