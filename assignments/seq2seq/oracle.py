"""What encoder, decoder and the functions around them should do, by another road than the solution.

Losses and texts come from walking a table by hand: plain lists and `math`, in float64, row by row.
The recurrent modules are NumPy in float64, for parameters laid out as the library does; the tests of
a student's modules, whose parameters have names of their own, rest on what must hold of any. Never
leaves the trusted side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

# Half of the one in a million that a right program may fail, as in sampling.
FALSE_FAILURES = 5e-7

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Table:
    """A decoder as data: `rows` maps the ending of a history, source and inputs, to the next token's logits."""

    rows: dict[tuple[int, ...], list[float]]

    @property
    def inputs(self) -> dict[str, Any]:
        """The table as the probes take it."""
        return {"endings": [list(ending) for ending in self.rows], "logits": torch.tensor(list(self.rows.values()))}

    def after(self, history: list[int]) -> list[float]:
        """The logits after a history."""
        endings = (tuple(history[start:]) for start in range(len(history) + 1))
        return next(self.rows[ending] for ending in endings if ending in self.rows)

    def choice(self, history: list[int]) -> int:
        """The likeliest token after a history."""
        logits = self.after(history)
        return logits.index(max(logits))


@dataclass(frozen=True)
class Taught:
    """What `sequence_loss` should do: the loss, its gradients by the bias and the lift, and each row's inputs."""

    loss: float
    by_bias: list[float]
    by_lift: float
    inputs: list[list[int]]


def taught(table: Table, source: list[list[int]], target: list[list[int]], forced: list[bool]) -> Taught:
    """Walk over the target; `forced[t]` says whether input t is the target's, and forced[0] always is."""
    losses: list[float] = []
    slopes: list[list[float]] = []
    inputs: list[list[int]] = []
    for before, row in zip(source, target, strict=True):
        history, fed = list(before), []
        for t in range(1, len(row)):
            fed.append(row[t - 1] if forced[t - 1] else table.choice(history))
            history.append(fed[-1])
            logits = table.after(history)
            weights = [math.exp(logit - max(logits)) for logit in logits]
            losses.append(math.log(math.fsum(weights)) - logits[row[t]] + max(logits))
            chances = [weight / math.fsum(weights) for weight in weights]
            slopes.append([chance - (token == row[t]) for token, chance in enumerate(chances)])
        inputs.append(fed)
    by_bias = [math.fsum(column) / len(slopes) for column in zip(*slopes, strict=True)]
    # the lift adds token / V to the logit of each token, at every step
    by_lift = math.fsum(token / len(by_bias) * slope for token, slope in enumerate(by_bias))
    return Taught(math.fsum(losses) / len(losses), by_bias, by_lift, inputs)


def greedy(table: Table, source: list[list[int]], start: int, end: int, max_len: int) -> list[list[int]]:
    """For each row the likeliest tokens, one after the other, until `end` or for `max_len` steps."""
    rows = []
    for before in source:
        history, written = [*before, start], []
        while len(written) < max_len and table.choice(history) != end:
            written.append(table.choice(history))
            history.append(written[-1])
        rows.append(written)
    return rows


def probability(step: int, total_steps: int, schedule: str = "linear", k: float | None = None) -> float:
    """The three schedules as the paper writes them, but for numbers too large to be written down."""
    if schedule == "linear":
        return max(total_steps - step, 0) / total_steps
    assert k is not None
    if schedule == "exponential":
        return math.exp(step * math.log(k))
    return k / (k + math.exp(step / k)) if step / k < 700 else 0.0


def drawn(rng: torch.Generator, size: int, memory: int, rows: int = 12) -> Table:
    """A table of `size` tokens in which nothing is a close call: logits at least 0.3 apart.

    Each token has a row, and so have some longer endings, up to `memory` tokens, so that a decoder
    that forgets, or hears something else, soon says something else.
    """

    def logits() -> list[float]:
        order = torch.randperm(size, generator=rng) * 0.6 + torch.rand(size, generator=rng) * 0.3
        return order.tolist()

    endings: list[tuple[int, ...]] = [(), *((token,) for token in range(size))]
    for _ in range(rows):
        length = int(torch.randint(2, memory + 1, (), generator=rng))
        endings.append(tuple(torch.randint(size, (length,), generator=rng).tolist()))
    return Table({ending: logits() for ending in endings})


def library_context(weights: Weights, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The context of sources (B, S), from zeros. `weights`: embedding (V, E), and W_x, W_h and two biases
    as in `nn.RNN`, `nn.LSTM` and `nn.GRU`, which the number of rows tells apart."""
    h = np.zeros((len(source), weights["W_h"].shape[1]))
    c = h.copy()
    for tokens in source.T:
        h, c = library_step(weights, weights["embedding"][tokens], h, c)
    return h, c


def library_step(weights: Weights, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of the library's RNN, LSTM or GRU cell; h twice where there is no c."""
    kinds = weights["W_h"].shape[0] // weights["W_h"].shape[1]
    from_x = np.split(x @ weights["W_x"].T + weights["b_x"], kinds, axis=1)
    from_h = np.split(h @ weights["W_h"].T + weights["b_h"], kinds, axis=1)
    if kinds == 1:
        h = np.tanh(from_x[0] + from_h[0])
        return h, h
    if kinds == 4:
        i, f, g, o = (a + b for a, b in zip(from_x, from_h, strict=True))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    r, z = (sigmoid(a + b) for a, b in zip(from_x[:2], from_h[:2], strict=True))
    h = (1 - z) * np.tanh(from_x[2] + r * from_h[2]) + z * h
    return h, h


def sigmoid(values: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−values)), by tanh, which never overflows."""
    return 0.5 * (1 + np.tanh(values / 2))


def interval(draws: int, chance: float, false_failures: float = FALSE_FAILURES) -> tuple[int, int]:
    """The narrowest (low, high) with P(count < low) and P(count > high) at most half of `false_failures` each."""
    mass = [math.comb(draws, k) * chance**k * (1 - chance) ** (draws - k) for k in range(draws + 1)]
    low = max(k for k in range(draws + 1) if math.fsum(mass[:k]) <= false_failures / 2)
    high = min(k for k in range(draws + 1) if math.fsum(mass[k + 1 :]) <= false_failures / 2)
    return low, high


def off_token_zero(rng: torch.Generator, rows: int, steps: int, size: int) -> torch.Tensor:
    """A target (rows, steps) in which no token is 0, and no token stands twice in a row."""
    moves = torch.randint(1, size - 1, (rows, steps), generator=rng)
    return moves.cumsum(dim=1) % (size - 1) + 1
