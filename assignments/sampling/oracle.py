"""What draws and texts should be, by another road than the solution. Never leaves the trusted side.

Counts of draws are judged by exact binomial intervals, made from the float64 softmax; texts by
walking a table of logits by hand. Nothing is drawn here, so nothing depends on how a student draws.
Where the student's sampler was replaced (`submission.stand_in`), the chances are the stand-in's.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch

from grader.suite.memory import remembered

Rows = dict[tuple[int, ...], torch.Tensor]

# All symbols of a test together: half of the one in a million that a correct sampler may fail, the
# other half being left to the rounding of float32 probabilities.
FALSE_FAILURES = 5e-7
SURE = 40.0  # a lead in logits: another symbol has a chance of e^-40, and e^40 is finite in float32


def softmax(logits: torch.Tensor, temperature: float) -> np.ndarray:
    """softmax(logits / temperature) in float64, (V,)."""
    scaled = logits.double().numpy() / temperature
    weights = np.exp(scaled - scaled.max())
    return weights / weights.sum()


def evenly(logits: torch.Tensor, temperature: float) -> np.ndarray:
    """What the stand-in of `stand_in.py` draws from, (V,): all that are near enough to the largest, alike."""
    scaled = logits.double().numpy() / temperature
    near = scaled.max() - scaled <= 2
    return near / near.sum()


def chances_of(logits: torch.Tensor, temperature: float, stand_in: bool) -> np.ndarray:
    """The probability of each index, (V,)."""
    return evenly(logits, temperature) if stand_in else softmax(logits, temperature)


@remembered
def bounds(
    logits: torch.Tensor,
    temperature: float,
    draws: int,
    false_failures: float = FALSE_FAILURES,
    stand_in: bool = False,
) -> list[tuple[int, int]]:
    """For each symbol the counts a correct sampler stays between, but for a chance of `false_failures` in all."""
    chances = chances_of(logits, temperature, stand_in)
    return [interval(draws, float(chance), false_failures / len(chances)) for chance in chances]


def tail(logits: torch.Tensor) -> list[int]:
    """The less likely half of the indices."""
    return logits.argsort()[: len(logits) // 2].tolist()


def tail_bounds(
    logits: torch.Tensor,
    temperature: float,
    draws: int,
    false_failures: float = FALSE_FAILURES,
    stand_in: bool = False,
) -> tuple[int, int]:
    """How often the less likely half comes, taken together: a cut-off tail is too thin to show index by index."""
    return interval(draws, float(chances_of(logits, temperature, stand_in)[tail(logits)].sum()), false_failures)


def interval(draws: int, chance: float, false_failures: float) -> tuple[int, int]:
    """The narrowest (low, high) with P(count < low) and P(count > high) at most half of `false_failures` each."""
    mass = binomial(draws, chance)
    below = np.cumsum(mass)  # P(count <= k), small terms first, so that both tails are exact
    above = np.cumsum(mass[::-1])[::-1]  # P(count >= k)
    low = int((below <= false_failures / 2).sum())
    high = draws - int((above <= false_failures / 2).sum())
    return low, high


def binomial(draws: int, chance: float) -> np.ndarray:
    """The probabilities of 0, 1 … `draws` hits, (draws + 1,)."""
    if chance <= 0 or chance >= 1:
        mass = np.zeros(draws + 1)
        mass[draws if chance >= 1 else 0] = 1.0
        return mass
    hits = np.arange(draws + 1)
    return np.exp(log_choices(draws) + hits * math.log(chance) + (draws - hits) * math.log1p(-chance))


@functools.cache
def log_choices(draws: int) -> np.ndarray:
    """log of the binomial coefficients (draws over k), k = 0 … draws."""
    factorials = np.array([math.lgamma(count + 1) for count in range(draws + 1)])
    return factorials[-1] - factorials - factorials[::-1]


def greedy(rows: Rows, seed: list[int], length: int) -> list[int]:
    """The tokens that follow a seed if after each history the largest logit of its row is taken."""
    longest = max(len(key) for key in rows)
    history = list(seed)
    for _ in range(length):
        endings = (tuple(history[len(history) - size :]) for size in range(min(longest, len(history)), -1, -1))
        row = next(rows[ending] for ending in endings if ending in rows)
        history.append(int(np.argmax(row.numpy())))
    return history[len(seed) :]


def spelled(tokens: list[int], vocabulary: str) -> str:
    """Tokens as text."""
    return "".join(vocabulary[token] for token in tokens)


def leads(token: int, size: int, lead: float = SURE) -> torch.Tensor:
    """Logits (V,) in which one token is ahead of all others."""
    row = torch.zeros(size)
    row[token] = lead
    return row


def ring(size: int, rng: torch.Generator, lead: float = SURE) -> Rows:
    """A table with one successor ahead for each token, all tokens in one ring: no memory is needed to follow it."""
    order = torch.randperm(size, generator=rng).tolist()
    rows = {
        (token,): leads(successor, size, lead) for token, successor in zip(order, order[1:] + order[:1], strict=True)
    }
    return {(): torch.zeros(size), **rows}


def way_out(size: int, rng: torch.Generator, lead: float = SURE) -> Rows:
    """The same, but the tokens stand in a row whose last one follows itself."""
    order = torch.randperm(size, generator=rng).tolist()
    rows = {(token,): leads(after, size, lead) for token, after in zip(order, [*order[1:], order[-1]], strict=True)}
    return {(): torch.zeros(size), **rows}


def memory(size: int, rng: torch.Generator) -> Rows:
    """A table with one successor ahead for every two tokens, so that the last one alone is not enough."""
    rows: Rows = {(): torch.zeros(size)}
    for last in range(size):
        successors = torch.randperm(size, generator=rng).tolist()
        rows[(last,)] = leads(successors[0], size)
        rows |= {(before, last): leads(successors[before], size) for before in range(size)}
    return rows


def undecided(size: int, rng: torch.Generator) -> Rows:
    """A table of mild random logits that depend on the last token: every text is possible."""
    rows: Rows = {(): torch.zeros(size)}
    return rows | {(token,): torch.randn(size, generator=rng) for token in range(size)}


def least_likely(logits: torch.Tensor, mass: float) -> torch.Tensor:
    """The indices of smallest probability, as many as make up at most `mass` together."""
    chances = logits.double().softmax(0)
    order = chances.argsort()
    return order[chances[order].cumsum(0) <= mass]


def half_and_half(size: int, temperature: float, rng: torch.Generator) -> torch.Tensor:
    """Logits (V,) of which one has half of the probability at this temperature, and a crowd the other half.

    With a large crowd nothing tells temperatures apart as well: at a higher one the crowd takes over.
    """
    logits = temperature * (torch.rand(size, generator=rng) - 0.5)
    leader = int(torch.randint(size, (), generator=rng))
    logits[leader] = -torch.inf
    logits[leader] = temperature * torch.logsumexp(logits / temperature, dim=0)
    return logits


def near_and_far(size: int, far: int, temperature: float, rng: torch.Generator) -> torch.Tensor:
    """Logits (V,) for the stand-in, in any order: at this temperature `far` of them never come, all others alike.

    The gap between near and far is narrow: at another temperature some near ones go or the far ones come.
    """
    scaled = torch.cat([torch.linspace(0.0, -1.9, size - far), torch.full((far,), -2.1)])
    return temperature * scaled[torch.randperm(size, generator=rng)]
