"""What probes of several assignments share: scripted models made of tables, and how a probe complains.

Staged into the student's process, so it holds no answers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Complaint(Exception):
    """What the student's code returned cannot be used as the handout promises; the text says why."""


def pair(result: Any, what: str) -> tuple[Any, Any]:
    """Take a returned pair apart, or complain about what came instead."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        came = f"{len(result)} values" if isinstance(result, tuple | list) else f"a {type(result).__name__}"
        raise Complaint(f"{what} returned {came}, expected a pair")
    return result[0], result[1]


class Tape(list[Any]):
    """A list that all copies of its owner share: who works on a deep copy of a model is heard as well."""

    def __deepcopy__(self, memo: Any) -> Tape:
        return self


class TableModel(nn.Module):
    """A language model that is a table: the logits after a history are written down, not learned.

    `rows` maps a history's last tokens to the logits of the next one, the longest matching ending
    wins, `()` matches everything: `TableModel(3, {(): [0, 0, 0], (2,): [5, 0, 0], (1, 2): [0, 5, 0]})`
    answers [0, 5, 0] after a history that ends in 1, 2. The history is kept in the states, row by
    row, so a caller who drops, mixes up or shares states is answered from the wrong history.

    It has the interface of `CharRNN`: `forward(x (B, T), states=None) -> (logits (B, T, V), states)`
    with states a list of one (h, c), h (B, capacity) the history, c (B, capacity) its length. It
    keeps what it and its copies were fed in `fed`, a list of calls: tokens, whether states came along, each row's
    history before the call, whether gradients were on and whether it was in training mode.
    """

    def __init__(self, vocab_size: int, rows: dict[tuple[int, ...], list[float]], capacity: int = 256) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(()))  # a parameter, so that device and gradients can be seen
        self.vocab_size = vocab_size
        self.rows = {tuple(key): torch.tensor(row, dtype=torch.float32) for key, row in rows.items()}
        self.longest = max(len(key) for key in self.rows)
        self.capacity = capacity
        self.fed = Tape()

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """Answer from the table; `x` is (B, T), T ≥ 1."""
        if x.dim() != 2:
            raise Complaint(f"the model was called with a tensor of shape {tuple(x.shape)}, expected (B, T)")
        batch = x.shape[0]
        histories = [[] for _ in range(batch)] if states is None else self._histories(states, batch)
        self.fed.append(
            {
                "tokens": x.tolist(),
                "states": states is not None,
                "histories": [list(history) for history in histories],
                "grad": torch.is_grad_enabled(),
                "training": self.training,
            }
        )
        logits = torch.zeros(batch, x.shape[1], self.vocab_size)
        for row, tokens in enumerate(x.tolist()):
            for step, token in enumerate(tokens):
                histories[row].append(token)
                logits[row, step] = self._after(histories[row])
        return logits.to(x.device) + 0 * self.anchor, [self._states(histories, x.device)]

    def _after(self, history: list[int]) -> torch.Tensor:
        for length in range(min(self.longest, len(history)), 0, -1):
            row = self.rows.get(tuple(history[-length:]))
            if row is not None:
                return row
        return self.rows[()]

    def _histories(self, states: Any, batch: int) -> list[list[int]]:
        try:
            (h, c), *others = states
            lengths = [round(count) for count in c[:, 0].tolist()]
            rows = [[round(token) for token in row[:length]] for row, length in zip(h.tolist(), lengths, strict=True)]
        except (TypeError, ValueError, IndexError, RuntimeError, AttributeError):
            raise Complaint("the model was given states that are not the list of (h, c) it returned") from None
        if others or len(rows) != batch:
            raise Complaint(f"the model was given states of {len(rows)} rows with a batch of {batch}")
        return rows

    def _states(self, histories: list[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        h = torch.zeros(len(histories), self.capacity, device=device)
        c = torch.zeros(len(histories), self.capacity, device=device)
        for row, history in enumerate(histories):
            h[row, : len(history)] = torch.tensor(history, dtype=torch.float32)
            c[row, 0] = len(history)
        return h, c
