"""What beam search may return, by another road than the solution. Never leaves the trusted side.

The process of the contract is followed on plain strings: every hypothesis is scored from its first
character on, by `math` in float64, and wherever scores are tied every choice is followed. So the
answer is the set of all texts that a correct program could return. No tensors, no states, no batches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from grader.suite.memory import remembered

TIE = 1e-4  # scores this close count as equal; float32 sums of a few hundred terms differ by less
CLEAR = 0.02  # a drawn case is used only if its answer stands when scores this close count as equal


@dataclass(frozen=True)
class Table:
    """A model as data: `rows` maps the ending of a history to the logits of the next character."""

    alphabet: str
    rows: dict[str, list[float]]
    _log_probs: dict[str, dict[str, float]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the probes that describe the table."""
        return {
            "alphabet": self.alphabet,
            "endings": list(self.rows),
            "logits": torch.tensor(list(self.rows.values()), dtype=torch.float32),
        }

    def log_probs(self, history: str) -> dict[str, float]:
        """The log-probability of every character after a history."""
        ending = next(history[start:] for start in range(len(history) + 1) if history[start:] in self.rows)
        if ending not in self._log_probs:
            row = self.rows[ending]
            total = math.log(math.fsum(math.exp(logit - max(row)) for logit in row)) + max(row)
            self._log_probs[ending] = {char: logit - total for char, logit in zip(self.alphabet, row, strict=True)}
        return self._log_probs[ending]


@dataclass(frozen=True)
class Case:
    """A table and the keyword arguments of one call."""

    table: Table
    call: dict[str, Any]

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments of the probes that search once."""
        return {**self.table.inputs, "call": self.call}


def table_of(alphabet: str, probabilities: dict[str, dict[str, float]]) -> Table:
    """A table from probabilities: `{"s": {"a": 0.6}}` is 0.6 for a after s, and the rest shared by the others.

    The shares are nearly equal and not quite, and other ones after each character, so that nothing is tied by chance.
    """
    rows = {}
    for ending in ("", *alphabet, *probabilities):
        row, turn = probabilities.get(ending, {}), alphabet.find(ending[-1:])
        shares = {char: 10 + (0.618 * n + 0.414 * turn) % 1 for n, char in enumerate(alphabet) if char not in row}
        rest = (1 - sum(row.values())) / max(1, sum(shares.values()))
        rows[ending] = [math.log(row[char] if char in row else rest * shares[char]) for char in alphabet]
    return Table(alphabet, rows)


@remembered
def acceptable(case: Case, tie: float = TIE) -> frozenset[str]:
    """Every text that a correct program may return."""
    return frozenset(case.call["seed"] + text for text in _Search(case, tie).texts())


class _Search:
    """One case's search, on strings of generated characters."""

    def __init__(self, case: Case, tie: float) -> None:
        self.table, self.tie = case.table, tie
        self.seed, self.length, self.width = (case.call[name] for name in ("seed", "length", "beam_width"))
        self.penalty = case.call.get("length_penalty", 0.0)
        self.end = case.call.get("end_char")
        self._scores = {"": 0.0}

    def texts(self) -> set[str]:
        winners: set[str] = set()
        seen = set()
        todo = [(frozenset([""]), frozenset[str]())]
        while todo:
            live, finished = todo.pop()
            if (live, finished) in seen:
                continue
            seen.add((live, finished))
            over = not live or len(next(iter(live))) == self.length
            if over or self._decided(live, finished):
                winners |= self._winners(live | finished)
            if not over:
                for kept in self._kept([text + char for text in live for char in self.table.alphabet]):
                    ended = frozenset(text for text in kept if text[-1] == self.end)
                    todo.append((kept - ended, finished | ended))
        return {text[:-1] if text.endswith(self.end or "\0") else text for text in winners}

    def score(self, text: str) -> float:
        """The sum of the log-probabilities of the generated characters."""
        if text not in self._scores:
            self._scores[text] = self.score(text[:-1]) + self.table.log_probs(self.seed + text[:-1])[text[-1]]
        return self._scores[text]

    def normalised(self, text: str) -> float:
        """What the final choice compares."""
        return self.score(text) / len(text) ** self.penalty

    def at_most(self, text: str) -> float:
        """The same if rounding has been kind to the score."""
        return (self.score(text) + self.tie) / len(text) ** self.penalty

    def _kept(self, expansions: list[str]) -> Iterator[frozenset[str]]:
        """Every set of the `width` best: what is clearly above the last place, and any choice of what ties there."""
        if len(expansions) <= self.width:
            yield frozenset(expansions)
            return
        last = sorted(map(self.score, expansions), reverse=True)[self.width - 1]
        sure = [text for text in expansions if self.score(text) > last + self.tie]
        tied = [text for text in expansions if abs(self.score(text) - last) <= self.tie]
        for choice in itertools.combinations(tied, self.width - len(sure)):
            yield frozenset([*sure, *choice])

    def _decided(self, live: Iterable[str], finished: Iterable[str]) -> bool:
        """Nothing live can still win: a score only falls, and the longest text divides by most."""
        hope = max(map(self.score, live)) / self.length**self.penalty
        return any(self.at_most(text) >= hope for text in finished)

    def _winners(self, texts: frozenset[str]) -> set[str]:
        best = max(map(self.normalised, texts))
        return {text for text in texts if self.at_most(text) >= best}


def greedy(case: Case) -> str:
    """The text of always taking the likeliest character, for tables without ties."""
    text = case.call["seed"]
    for _ in range(case.call["length"]):
        log_probs = case.table.log_probs(text)
        char = max(log_probs, key=lambda char: log_probs[char])
        if char == case.call.get("end_char"):
            break
        text += char
    return text


@remembered
def global_optimum(case: Case) -> str:
    """The best of all texts that there are, found by trying each."""
    search = _Search(case, TIE)
    length, end = case.call["length"], case.call.get("end_char")
    going_on = [char for char in case.table.alphabet if char != end]
    texts = ["".join(text) for text in itertools.product(going_on, repeat=length)]
    if end is not None:
        for n in range(length):
            texts.extend("".join(text) + end for text in itertools.product(going_on, repeat=n))
    best = max(texts, key=search.normalised)
    return case.call["seed"] + (best[:-1] if best[-1] == end else best)


def drawn(
    rng: torch.Generator,
    alphabet: str,
    seed: str,
    *,
    memory: int = 2,
    spread: float = 1.5,
    beyond_greedy: bool = False,
    **call: Any,
) -> Case:
    """A random case whose answer no rounding can change: logits N(0, spread²) after every `memory` characters.

    With `beyond_greedy` and a width above 1 it is also one that a greedy search gets wrong, which takes
    a length of at least 2.
    """
    while True:
        endings = [""] + ["".join(e) for n in range(1, memory + 1) for e in itertools.product(alphabet, repeat=n)]
        logits = torch.randn(len(endings), len(alphabet), generator=rng, dtype=torch.float64) * spread
        table = Table(alphabet, dict(zip(endings, logits.float().tolist(), strict=True)))
        case = Case(table, {"seed": seed, **call})
        right = acceptable(case, CLEAR)
        wants_more = beyond_greedy and call["beam_width"] > 1
        greedy = Case(table, {**case.call, "beam_width": 1})
        if len(right) == 1 and not (wants_more and right & acceptable(greedy)):
            return case


def tied(rng: torch.Generator, alphabet: str, seed: str, **call: Any) -> Case:
    """A random case full of ties: after every character, logits that are 0 or 1."""
    rows = {char: torch.randint(2, (len(alphabet),), generator=rng).float().tolist() for char in ["", *alphabet]}
    return Case(Table(alphabet, rows), {"seed": seed, **call})


def relabelled(case: Case, rng: torch.Generator) -> Case:
    """The same case with the characters' parts dealt out anew: what `a` was is now another character."""
    alphabet = case.table.alphabet
    order = torch.randperm(len(alphabet), generator=rng).tolist()
    new = str.maketrans(alphabet, "".join(alphabet[place] for place in order))
    rows = {
        ending.translate(new): [logits[order.index(place)] for place in range(len(alphabet))]
        for ending, logits in case.table.rows.items()
    }
    call = {name: value.translate(new) if isinstance(value, str) else value for name, value in case.call.items()}
    return Case(Table(alphabet, rows), call)
