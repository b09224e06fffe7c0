"""What the fast LSTM should give, by `nn.LSTM` in float64 with the weights copied. Never leaves the trusted side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from grader.suite.memory import remembered

Weights = dict[str, torch.Tensor]
State = tuple[torch.Tensor, torch.Tensor]
THEIRS = {"W_x": "weight_ih_l0", "W_h": "weight_hh_l0", "bias": "bias_ih_l0"}


@dataclass(frozen=True)
class Case:
    """Weights, a sequence (B, T, I), and the state to start from, if any."""

    weights: Weights
    x: torch.Tensor
    state: State | None

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of `probes.numbers`."""
        return {"weights": self.weights, "x": self.x, "state": self.state}

    @property
    def input_size(self) -> int:
        """I."""
        return self.x.shape[2]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.weights["W_h"].shape[1]

    @property
    def steps(self) -> int:
        """T."""
        return self.x.shape[1]

    def along(self, rng: torch.Generator, *labels: str) -> dict[str, torch.Tensor]:
        """Random directions for what is named of outputs, h and c."""
        batch, steps, _ = self.x.shape
        shapes = {"outputs": (batch, steps, self.hidden_size)}
        return {
            label: torch.randn(*shapes.get(label, (batch, self.hidden_size)), generator=rng).to(self.x.dtype)
            for label in labels
        }


def wide_case(
    rng: torch.Generator,
    *,
    steps: int = 5,
    batch: int = 3,
    input_size: int = 6,
    hidden_size: int = 4,
    from_zeros: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Case:
    """Draw N(0, 1) weights, biases, inputs and states; no two sizes can be confused."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)

    h, i = hidden_size, input_size
    weights = {"W_x": draw(4 * h, i), "W_h": draw(4 * h, h), "bias": draw(4 * h)}
    state = None if from_zeros else (draw(batch, h), draw(batch, h))
    return Case(weights, draw(batch, steps, i), state)


@remembered
def walk(case: Case) -> dict[str, torch.Tensor]:
    """The right outputs, h and c, in x's dtype."""
    with torch.no_grad():
        found = _by_library(case, _leaves(case))
    return {label: value.to(case.x.dtype) for label, value in found.items()}


@remembered
def gradients(case: Case, along: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Gradients of `sum(along[label] * value)` by leaf: x, h_0 and c_0 if given, the parameters; in x's dtype."""
    leaves = {label: value.requires_grad_() for label, value in _leaves(case).items()}
    found = _by_library(case, leaves)
    loss = sum((found[label] * direction.double()).sum() for label, direction in along.items())
    assert isinstance(loss, torch.Tensor)
    came = torch.autograd.grad(loss, list(leaves.values()))
    return {label: value.to(case.x.dtype) for label, value in zip(leaves, came, strict=True)}


def _leaves(case: Case) -> dict[str, torch.Tensor]:
    given = {"x": case.x}
    if case.state is not None:
        given |= {"h_0": case.state[0], "c_0": case.state[1]}
    return {label: value.detach().double().clone() for label, value in {**given, **case.weights}.items()}


def _by_library(case: Case, leaves: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    library = nn.LSTM(case.input_size, case.hidden_size, batch_first=True, dtype=torch.float64)
    weights = {name: leaves[label] for label, name in THEIRS.items()}
    weights["bias_hh_l0"] = torch.zeros_like(leaves["bias"])
    state = () if case.state is None else ((leaves["h_0"][None], leaves["c_0"][None]),)
    outputs, (h, c) = functional_call(library, weights, (leaves["x"], *state))
    return {"outputs": outputs, "h": h[0], "c": c[0]}
