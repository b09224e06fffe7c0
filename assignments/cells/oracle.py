"""What the cells should do, by another road than the solution. Never leaves the trusted side.

The LSTM and the RNN come from `torch.nn` with the weights copied; the GRU, whose convention no
library has, from NumPy in float64, its gradients by the complex step (Squire & Trapp, 1998), and
from `nn.GRU` where the two conventions meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from grader.suite.memory import remembered

Weights = dict[str, torch.Tensor]
COMPLEX_STEP = 1e-30

SHAPES: dict[str, Callable[[int, int], dict[str, tuple[int, ...]]]] = {
    "RNNCellFromScratch": lambda i, h: {"W_x": (h, i), "W_h": (h, h), "bias": (h,)},
    "LSTMCellFromScratch": lambda i, h: {"W_x": (4 * h, i), "W_h": (4 * h, h), "bias": (4 * h,)},
    "GRUCellFromScratch": lambda i, h: {
        "W_x_gates": (2 * h, i),
        "W_h_gates": (2 * h, h),
        "b_gates": (2 * h,),
        "W_x_cand": (h, i),
        "W_h_cand": (h, h),
        "b_cand": (h,),
    },
}


@dataclass(frozen=True)
class States:
    """Every h and every c of a walk, each (T, B, H)."""

    h: torch.Tensor
    c: torch.Tensor


@dataclass(frozen=True)
class Case:
    """Wide random inputs for one cell: no zero, no default, no two sizes that could be confused."""

    name: str
    weights: Weights
    x: torch.Tensor
    h: torch.Tensor
    c: torch.Tensor

    @property
    def inputs(self) -> dict[str, object]:
        """The arguments of `probes.steps`."""
        return {"name": self.name, "weights": self.weights, "x": self.x, "h": self.h, "c": self.c}


def wide_case(
    name: str,
    rng: torch.Generator,
    *,
    steps: int = 5,
    batch: int = 3,
    input_size: int = 6,
    hidden_size: int = 4,
    dtype: torch.dtype = torch.float64,
) -> Case:
    """Draw a case with N(0, 1) weights, biases and states, on which every known wrong cell differs by 0.3."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)

    weights = {label: draw(*shape) for label, shape in SHAPES[name](input_size, hidden_size).items()}
    return Case(name, weights, draw(steps, batch, input_size), draw(batch, hidden_size), draw(batch, hidden_size))


@remembered
def walk(case: Case) -> States:
    """The right states of a case, in its dtype, computed in float64."""
    roads = {"RNNCellFromScratch": nn_rnn, "LSTMCellFromScratch": nn_lstm, "GRUCellFromScratch": numpy_gru}
    return roads[case.name](case)


def nn_lstm(case: Case) -> States:
    """The LSTM by `nn.LSTM`, one step at a time so that every c is seen."""
    with torch.no_grad():
        layer = _library_layer(nn.LSTM, case)
        h, c, hs, cs = case.h.double()[None], case.c.double()[None], [], []
        for x_t in case.x.double():
            _, (h, c) = layer(x_t[None], (h, c))
            hs.append(h[0])
            cs.append(c[0])
    return States(torch.stack(hs).to(case.x.dtype), torch.stack(cs).to(case.x.dtype))


def nn_rnn(case: Case) -> States:
    """The RNN by `nn.RNN`; its one state stands for both."""
    with torch.no_grad():
        hs, _ = _library_layer(nn.RNN, case)(case.x.double(), case.h.double()[None])
    hs = hs.to(case.x.dtype)
    return States(hs, hs)


def numpy_gru(case: Case) -> States:
    """The contract's GRU in NumPy, float64."""
    weights = {label: value.double().numpy() for label, value in case.weights.items()}
    hs = torch.from_numpy(_gru_states(weights, case.x.double().numpy(), case.h.double().numpy()))
    hs = hs.to(case.x.dtype)
    return States(hs, hs)


def nn_gru_where_they_meet(case: Case) -> States:
    """The GRU by `nn.GRU`, for a case whose W_h_cand is diagonal: then gating before and after the product agree.

    `nn.GRU` keeps the old state where its z is 1, so its update rows are ours with the sign turned.
    """
    size = case.h.shape[1]
    layer = nn.GRU(case.x.shape[2], size).double()
    weights = {label: value.double() for label, value in case.weights.items()}

    def rows(gates: torch.Tensor, candidate: torch.Tensor) -> torch.Tensor:
        return torch.cat([gates[size:], -gates[:size], candidate])

    with torch.no_grad():
        layer.weight_ih_l0.copy_(rows(weights["W_x_gates"], weights["W_x_cand"]))
        layer.weight_hh_l0.copy_(rows(weights["W_h_gates"], weights["W_h_cand"]))
        layer.bias_ih_l0.copy_(rows(weights["b_gates"], weights["b_cand"]))
        layer.bias_hh_l0.zero_()
        hs, _ = layer(case.x.double(), case.h.double()[None])
    return States(hs.to(case.x.dtype), hs.to(case.x.dtype))


def diagonal(case: Case) -> Case:
    """The same GRU case with only the diagonal of W_h_cand kept."""
    kept = torch.diag(torch.diag(case.weights["W_h_cand"]))
    return Case(case.name, {**case.weights, "W_h_cand": kept}, case.x, case.h, case.c)


@remembered
def gradients(case: Case, along_h: torch.Tensor, along_c: torch.Tensor) -> dict[str, torch.Tensor]:
    """Gradients of `sum(along_h * every h) + sum(along_c * last c)`, by leaf: x, h_prev, c_prev, parameters.

    For cells with one state there is none of c_prev.
    """
    if case.name == "GRUCellFromScratch":
        return _complex_step_gradients(case, along_h, along_c)
    layer = _library_layer(nn.LSTM if case.name == "LSTMCellFromScratch" else nn.RNN, case)
    x, h, c = (tensor.double().clone().requires_grad_() for tensor in (case.x, case.h, case.c))
    if case.name == "LSTMCellFromScratch":
        hs, (_, last_c) = layer(x, (h[None], c[None]))
        states = {"x": x, "h_prev": h, "c_prev": c}
    else:
        hs, last_c = layer(x, h[None])
        states = {"x": x, "h_prev": h}
    leaves = {**states, "W_x": layer.weight_ih_l0, "W_h": layer.weight_hh_l0, "bias": layer.bias_ih_l0}
    loss = (hs * along_h.double()).sum() + (last_c[0] * along_c.double()).sum()
    found = torch.autograd.grad(loss, list(leaves.values()))
    return {label: grad.to(case.x.dtype) for label, grad in zip(leaves, found, strict=True)}


def _library_layer(kind: type[nn.RNNBase], case: Case) -> nn.RNNBase:
    layer = kind(case.x.shape[2], case.h.shape[1]).double()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(case.weights["W_x"])
        layer.weight_hh_l0.copy_(case.weights["W_h"])
        layer.bias_ih_l0.copy_(case.weights["bias"])
        layer.bias_hh_l0.zero_()
    return layer


def _gru_states(weights: dict[str, np.ndarray], x: np.ndarray, h: np.ndarray) -> np.ndarray:
    size = h.shape[1]
    states = []
    for x_t in x:
        gates = x_t @ weights["W_x_gates"].T + h @ weights["W_h_gates"].T + weights["b_gates"]
        update = 1 / (1 + np.exp(-gates[:, :size]))
        reset = 1 / (1 + np.exp(-gates[:, size:]))
        gated = np.einsum("bj,bj,ij->bi", reset, h, weights["W_h_cand"])
        candidate = np.tanh(np.einsum("bj,ij->bi", x_t, weights["W_x_cand"]) + gated + weights["b_cand"])
        h = h + update * (candidate - h)
        states.append(h)
    return np.stack(states)


def _complex_step_gradients(case: Case, along_h: torch.Tensor, along_c: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each entry moved by i·1e-30: the imaginary part of the loss is its derivative, without cancellation."""
    leaves = {"x": case.x, "h_prev": case.h, **case.weights}
    arrays = {label: value.double().numpy().astype(np.complex128) for label, value in leaves.items()}
    weight_h, weight_c = along_h.double().numpy(), along_c.double().numpy()

    def loss() -> complex:
        states = _gru_states(arrays, arrays["x"], arrays["h_prev"])
        return complex((states * weight_h).sum() + (states[-1] * weight_c).sum())

    found = {}
    for label, array in arrays.items():
        slopes = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + 1j * COMPLEX_STEP
            slopes[index] = loss().imag / COMPLEX_STEP
            array[index] = kept
        found[label] = torch.from_numpy(slopes).to(case.x.dtype)
    return found
