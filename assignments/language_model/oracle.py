"""What the language model should do, by another road than the solution. Never leaves the trusted side.

The solution walks over time and takes all layers at each step; here each layer reads the whole
sequence before the next begins: `nn.LSTM` and `nn.RNN` stack their own layers, the GRU is NumPy's of
the cells' oracle. Where the student's cells were replaced (`submission.stand_in`), the same stand-in
is stepped here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import one_hot

from assignments.cells import oracle as cells_oracle
from assignments.cells import stand_in as stand_in_cells
from grader.suite.memory import remembered

CELLS = {"rnn": "RNNCellFromScratch", "lstm": "LSTMCellFromScratch", "gru": "GRUCellFromScratch"}
LIBRARY = {"rnn": nn.RNN, "lstm": nn.LSTM}
CELL_SCALE = 0.25  # N(0, 1) makes the stand-in chaotic: it would blow float32's rounding up past the tolerance

Weights = dict[str, torch.Tensor]
States = list[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Case:
    """One model with its weights, one batch of characters, and the states to start from, if any."""

    name: str
    cell_type: str
    layers: int
    weights: Weights
    x: torch.Tensor
    states: States | None

    @property
    def sizes(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        vocab_size, embed_size = self.weights["embedding.weight"].shape
        sizes = {"vocab_size": vocab_size, "embed_size": embed_size, "hidden_size": self.hidden_size}
        sizes["num_layers"] = self.layers
        return sizes if self.name == "CharLSTM" else {**sizes, "cell_type": self.cell_type}

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.weights["fc.weight"].shape[1]

    @property
    def model(self) -> dict[str, Any]:
        """What every probe needs to build the model."""
        return {"name": self.name, "sizes": self.sizes, "weights": self.weights}

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of `probes.forward`."""
        return {**self.model, "x": self.x, "states": self.states}


@dataclass(frozen=True)
class Walk:
    """The right logits (B, T, V), and each layer's (h, c) after the last step."""

    logits: torch.Tensor
    states: States


def wide_case(
    name: str,
    rng: torch.Generator,
    *,
    cell_type: str = "lstm",
    layers: int = 2,
    batch: int = 3,
    steps: int = 4,
    embed_size: int = 5,
    hidden_size: int = 4,
    vocab_size: int = 9,
    from_zeros: bool = False,
) -> Case:
    """Draw a case in float32 in which no two sizes, layers, rows or states can be confused."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng)

    weights = {"embedding.weight": draw(vocab_size, embed_size)}
    for layer in range(layers):
        shapes = cells_oracle.SHAPES[CELLS[cell_type]](embed_size if layer == 0 else hidden_size, hidden_size)
        weights.update({f"cells.{layer}.{label}": CELL_SCALE * draw(*shape) for label, shape in shapes.items()})
    weights |= {"fc.weight": draw(vocab_size, hidden_size), "fc.bias": draw(vocab_size)}
    x = torch.randint(vocab_size, (batch, steps), generator=rng)
    states = None
    if not from_zeros:
        states = [(draw(batch, hidden_size), draw(batch, hidden_size)) for _ in range(layers)]
        states = states if cell_type == "lstm" else [(h, h.clone()) for h, _ in states]
    return Case(name, cell_type, layers, weights, x, states)


@remembered
def walk(case: Case, stand_in: bool) -> Walk:
    """The right answer to one call, computed in float64."""
    with torch.no_grad():
        logits, states = _walk(case, _doubled(case.weights), _start(case), stand_in)
    return Walk(logits.float(), [(h.float(), c.float()) for h, c in states])


@remembered
def gradients(case: Case, along: torch.Tensor, stand_in: bool) -> dict[str, torch.Tensor]:
    """Gradients of `sum(along * logits)` by parameter and by state given; not for the GRU.

    The RNN ignores its c, so there is none of it.
    """
    weights = {label: value.requires_grad_() for label, value in _doubled(case.weights).items()}
    start = [(h.requires_grad_(), c.requires_grad_()) for h, c in _start(case)]
    leaves = dict(weights)
    if case.states is not None:
        for number, (h, c) in enumerate(start):
            leaves[f"h of layer {number}"] = h
            if case.cell_type == "lstm":
                leaves[f"c of layer {number}"] = c
    logits, _ = _walk(case, weights, start, stand_in)
    found = torch.autograd.grad((logits * along.double()).sum(), list(leaves.values()))
    return {label: grad.float() for label, grad in zip(leaves, found, strict=True)}


def _walk(case: Case, weights: Weights, start: States, stand_in: bool) -> tuple[torch.Tensor, States]:
    chosen = one_hot(case.x, weights["embedding.weight"].shape[0]).double()
    embedded = chosen @ weights["embedding.weight"]
    if stand_in:
        top, states = _by_stand_in(case, weights, embedded, start)
    elif case.cell_type == "gru":
        top, states = _by_numpy(case, weights, embedded, start)
    else:
        top, states = _by_library(case, weights, embedded, start)
    return torch.einsum("bth,vh->btv", top, weights["fc.weight"]) + weights["fc.bias"], states


def _by_library(case: Case, weights: Weights, x: torch.Tensor, start: States) -> tuple[torch.Tensor, States]:
    """`nn.LSTM` or `nn.RNN` with as many layers; its second bias is zero."""
    kind = LIBRARY[case.cell_type]
    library = kind(x.shape[2], case.hidden_size, case.layers, batch_first=True, dtype=torch.float64)
    theirs = {"W_x": "weight_ih", "W_h": "weight_hh", "bias": "bias_ih"}
    given = {
        f"{name}_l{layer}": weights[f"cells.{layer}.{label}"]
        for layer in range(case.layers)
        for label, name in theirs.items()
    }
    given |= {f"bias_hh_l{layer}": torch.zeros_like(weights[f"cells.{layer}.bias"]) for layer in range(case.layers)}
    h, c = (torch.stack(states) for states in zip(*start, strict=True))
    if case.cell_type == "rnn":
        top, h = functional_call(library, given, (x, h))
        return top, list(zip(h, h, strict=True))
    top, (h, c) = functional_call(library, given, (x, (h, c)))
    return top, list(zip(h, c, strict=True))


def _by_numpy(case: Case, weights: Weights, x: torch.Tensor, start: States) -> tuple[torch.Tensor, States]:
    states = []
    for layer, (h, c) in enumerate(start):
        own = _of_layer(weights, layer)
        hs = cells_oracle.numpy_gru(cells_oracle.Case(CELLS["gru"], own, x.transpose(0, 1), h, c)).h
        x = hs.transpose(0, 1)
        states.append((hs[-1], hs[-1]))
    return x, states


def _by_stand_in(case: Case, weights: Weights, x: torch.Tensor, start: States) -> tuple[torch.Tensor, States]:
    states = []
    for layer, (h, c) in enumerate(start):
        own = _of_layer(weights, layer)
        cell = getattr(stand_in_cells, CELLS[case.cell_type])(x.shape[2], case.hidden_size)
        hs = []
        for x_t in x.unbind(dim=1):
            h, c = functional_call(cell, own, (x_t, h, c))
            hs.append(h)
        x = torch.stack(hs, dim=1)
        states.append((h, c))
    return x, states


def _of_layer(weights: Weights, layer: int) -> Weights:
    start = f"cells.{layer}."
    return {label.removeprefix(start): value for label, value in weights.items() if label.startswith(start)}


def _doubled(weights: Weights) -> Weights:
    return {label: value.detach().double() for label, value in weights.items()}


def _start(case: Case) -> States:
    if case.states is not None:
        return [(h.detach().double(), c.detach().double()) for h, c in case.states]
    zeros = torch.zeros(case.x.shape[0], case.hidden_size, dtype=torch.float64)
    return [(zeros.clone(), zeros.clone()) for _ in range(case.layers)]
