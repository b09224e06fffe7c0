"""What the gradient flow should be, by another road than the solution. Never leaves the trusted side.

The solution asks autograd. Here each hidden unit of a step is moved by i·1e-30 and the walk continued
from there in NumPy: the imaginary part of the last states' sum is the derivative, without cancellation
(Squire & Trapp, 1998). The cells are written out from the contract's formulas. Singular values come
from the eigenvalues of WᵀW, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from grader.suite.memory import remembered

Weights = dict[str, torch.Tensor]
Arrays = dict[str, np.ndarray]
COMPLEX_STEP = 1e-30
SCALE = 0.7  # N(0, 1) saturates tanh, and then there is little flow to measure


@dataclass(frozen=True)
class Case:
    """One cell with its weights and one sequence (B, T, I)."""

    kind: str
    weights: Weights
    x: torch.Tensor

    @property
    def inputs(self) -> dict[str, object]:
        """The arguments of `probes.norms`."""
        return {"kind": self.kind, "weights": self.weights, "x": self.x}


def wide_case(
    kind: str,
    rng: torch.Generator,
    *,
    steps: int = 5,
    batch: int = 3,
    input_size: int = 6,
    hidden_size: int = 4,
    dtype: torch.dtype = torch.float32,
) -> Case:
    """Draw a case in which no two sizes can be confused; a GRU's W_h_cand is diagonal, see `probes.GRUCell`."""

    def draw(*shape: int) -> torch.Tensor:
        return (SCALE * torch.randn(*shape, generator=rng, dtype=torch.float64)).to(dtype)

    h, i = hidden_size, input_size
    if kind == "gru":
        weights = {"W_x_gates": draw(2 * h, i), "W_h_gates": draw(2 * h, h), "b_gates": draw(2 * h)}
        weights |= {"W_x_cand": draw(h, i), "W_h_cand": torch.diag(draw(h)), "b_cand": draw(h)}
    else:
        rows = 4 * h if kind == "lstm" else h
        weights = {"W_x": draw(rows, i), "W_h": draw(rows, h), "bias": draw(rows)}
    return Case(kind, weights, draw(batch, steps, i))


@remembered
def norms(case: Case) -> torch.Tensor:
    """The right norms (T,), in x's dtype."""
    weights = {label: value.double().numpy() for label, value in case.weights.items()}
    xs = case.x.double().numpy().transpose(1, 0, 2)
    size = next(value.shape[1] for label, value in weights.items() if label.startswith("W_h"))
    moves = 1j * COMPLEX_STEP * np.eye(size)[:, None, :]  # unit j moved, in every row of the batch: (H, 1, H)
    h = c = np.zeros((xs.shape[1], size))
    found = []
    for step, x in enumerate(xs):
        h, c = _step(case.kind, weights, x, h, c)
        moved_h, moved_c = h + moves, c + np.zeros_like(moves)
        if case.kind != "lstm":
            moved_c = moved_h
        for later in xs[step + 1 :]:
            moved_h, moved_c = _step(case.kind, weights, later, moved_h, moved_c)
        found.append(np.linalg.norm(moved_h.sum(axis=-1).imag / COMPLEX_STEP))
    return torch.tensor(np.array(found)).to(case.x.dtype)


def largest_singular_value(matrix: torch.Tensor) -> float:
    """The root of the largest eigenvalue of WᵀW."""
    wide = matrix.detach().double().numpy()
    return float(np.sqrt(np.linalg.eigvalsh(wide.T @ wide).max()))


def _step(kind: str, weights: Arrays, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of the contract's cell; h and c may be complex and have dimensions before (B, H)."""
    if kind == "gru":
        gates = _sigmoid(x @ weights["W_x_gates"].T + h @ weights["W_h_gates"].T + weights["b_gates"])
        z, r = np.split(gates, 2, axis=-1)
        candidate = np.tanh(x @ weights["W_x_cand"].T + (r * h) @ weights["W_h_cand"].T + weights["b_cand"])
        h = (1 - z) * h + z * candidate
        return h, h
    total = x @ weights["W_x"].T + h @ weights["W_h"].T + weights["bias"]
    if kind == "rnn":
        h = np.tanh(total)
        return h, h
    i, f, candidate, o = np.split(total, 4, axis=-1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(candidate)
    return _sigmoid(o) * np.tanh(c), c


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))
