"""What probes of several assignments share: scripted models made of tables, and how a probe complains.

A table says what comes next after a history. `TableModel` has the interface of a language model,
`TableEncoder` and `TableDecoder` those of sequence to sequence; all note what they are fed.

Staged into the student's process, so it holds no answers.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from torch import nn

Rows = dict[tuple[int, ...], torch.Tensor]  # a history's last tokens to the logits (V,) that follow it


class Complaint(Exception):
    """What the student's code returned cannot be used as the handout promises; the text says why."""


def pair(result: Any, what: str) -> tuple[Any, Any]:
    """Take a returned pair apart, or complain about what came instead."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        came = f"{len(result)} values" if isinstance(result, tuple | list) else f"a {type(result).__name__}"
        raise Complaint(f"{what} returned {came}, expected a pair")
    return result[0], result[1]


def settled(module: Any, device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """The student's module, on the device and in the dtype. Most are already, and `to` takes long to see it.

    What is no module has no `to`, and raises AttributeError.
    """
    if isinstance(module, nn.Module):
        own = (*module.parameters(), *module.buffers())
        if all(tensor.device == device and tensor.dtype == (dtype or tensor.dtype) for tensor in own):
            return module
    return module.to(device=device, dtype=dtype)


def default_said(function: Any, name: str) -> int | float | None:
    """The number that a function's signature gives the argument `name` if it is left out; None if it says none.

    To leave it out is to give that number, so nothing need be run to see what comes of it.
    """
    try:
        default = inspect.signature(function).parameters[name].default
    except (TypeError, ValueError, KeyError):  # not every callable has a signature, or names them all
        return None
    return default if type(default) in (int, float) else None


class Tape(list[Any]):
    """A list that all copies of its owner share: who works on a deep copy of a model is heard as well."""

    def __deepcopy__(self, memo: Any) -> Tape:
        return self


class TableModel(nn.Module):
    """A language model that is a table: the logits after a history are written down, not learned.

    `rows` maps a history's last tokens to the logits of the next one, the longest matching ending
    wins, `()` matches everything: of `{(): (0, 0, 0), (2,): (5, 0, 0), (1, 2): (0, 5, 0)}`, each a tensor (V,),
    it answers (0, 5, 0) after a history that ends in 1, 2. The history is kept in the states, row by
    row, so a caller who drops, mixes up or shares states is answered from the wrong history.

    It has the interface of `CharRNN`: `forward(x (B, T), states=None) -> (logits (B, T, V), states)`
    with states a list of one (h, c), h (B, capacity) the history, c (B, capacity) its length. It
    keeps what it and its copies were fed in `fed`, a list of calls: tokens, whether states came along, each row's
    history before the call, whether gradients were on and whether it was in training mode.
    """

    def __init__(self, rows: Rows, capacity: int = 256) -> None:
        super().__init__()
        self.rows = rows
        self.vocab_size = len(rows[()])
        self.anchor = nn.Parameter(rows[()].new_zeros(()))  # so that device and gradients can be seen
        self.longest = max(map(len, rows))
        self.capacity = capacity
        self.fed = Tape()

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """Answer from the table; `x` is (B, T), T ≥ 1."""
        if x.dim() != 2:
            raise Complaint(f"the model was called with a tensor of shape {tuple(x.shape)}, expected (B, T)")
        batch, fed = len(x), x.tolist()
        histories = [[] for _ in range(batch)] if states is None else self._histories(states, batch)
        self.fed.append(
            {
                "tokens": fed,
                "states": states is not None,
                "histories": [list(history) for history in histories],
                "grad": torch.is_grad_enabled(),
                "training": self.training,
            }
        )
        answers = []
        for history, tokens in zip(histories, fed, strict=True):
            for token in tokens:
                history.append(token)
                answers.append(self._after(history))
        logits = torch.stack(answers).reshape(*x.shape, self.vocab_size)
        return logits.to(x.device) + self.anchor, [self._states(histories, x.device)]  # the anchor is 0

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
            written = h[:, : max(lengths)].tolist()
            rows = [[round(token) for token in row[:length]] for row, length in zip(written, lengths, strict=True)]
        except (TypeError, ValueError, OverflowError, IndexError, RuntimeError, AttributeError):
            raise Complaint("the model was given states that are not the list of (h, c) it returned") from None
        if others or len(rows) != batch:
            raise Complaint(f"the model was given states of {len(rows)} rows with a batch of {batch}")
        return rows

    def _states(self, histories: list[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        h = np.zeros((len(histories), self.capacity), np.float32)
        c = np.zeros_like(h)
        for row, history in enumerate(histories):
            h[row, : len(history)] = history
            c[row, 0] = len(history)
        return torch.from_numpy(h).to(device), torch.from_numpy(c).to(device)


class TableEncoder(nn.Module):
    """An encoder that hands on the source itself: the history that a `TableDecoder` begins with.

    `forward(source (B, S)) -> (h, c)`, each (B, capacity + 1) and both with the source written down
    in them. The parameter `lift` (2,), zero at first, rides along in the last column of h and of c, so
    that a gradient can be followed from the decoder's logits back to here, by each of them. `fed`
    notes each call: whether dropout was on and whether a graph was built.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.lift = nn.Parameter(torch.zeros(2))
        self.dropout = nn.Dropout(0.5)
        self.capacity = capacity
        self.fed: list[dict[str, Any]] = []

    def forward(self, source: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The source as a state."""
        rows = whole_numbers(source, 2, "the encoder was called", "(B, S)")
        h, c = written_down(rows, self.capacity, self.lift[:, None].expand(2, len(rows)))
        self.fed.append({"dropout": self.dropout.training, "graph": h.requires_grad or c.requires_grad})
        return h, c


class TableDecoder(nn.Module):
    """A decoder made of a table: `forward(token (B,), state) -> (logits (B, V), state)`.

    The history of a row is its source, as a `TableEncoder` wrote it down, and then every token fed
    since; the longest ending of it that `rows` has gives the logits, and `()` matches everything. To
    these come the parameter `bias` (V,), zero at first, and what the encoder's `lift` weighs in:
    the sum of `lift` times 0 for the first token, 1/V for the next, and so on. `fed` notes each call: each row's
    history before it and the token, whether dropout was on and whether a graph was built.
    """

    def __init__(self, vocab_size: int, rows: dict[tuple[int, ...], list[float]], capacity: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.dropout = nn.Dropout(0.5)
        self.register_buffer("slope", torch.arange(vocab_size) / vocab_size)
        self.rows, self.longest, self.capacity = rows, max(len(key) for key in rows), capacity
        self.fed: list[dict[str, Any]] = []

    def forward(self, token: Any, state: Any) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """One step of the table; `token` is (B,) and whole numbers."""
        tokens = whole_numbers(token, 1, "the decoder was called", "(B,)")
        before, lift = read_off(state, len(tokens))
        after = [[*history, now] for history, now in zip(before, tokens, strict=True)]
        answers = np.array([self._answer(history) for history in after], np.float32).reshape(len(after), -1)
        logits = torch.addr(torch.from_numpy(answers).to(self.bias.device) + self.bias, lift.sum(dim=0), self.slope)
        self.fed.append(
            {"before": before, "tokens": tokens, "dropout": self.dropout.training, "graph": logits.requires_grad}
        )
        return logits, written_down(after, self.capacity, lift)

    def _answer(self, history: list[int]) -> list[float]:
        lengths = range(min(self.longest, len(history)), -1, -1)
        endings = (tuple(history[len(history) - length :]) for length in lengths)
        return next(self.rows[ending] for ending in endings if ending in self.rows)


def whole_numbers(value: Any, dimensions: int, called: str, shape: str) -> Any:
    """The tensor of tokens as a list, or a complaint about what came instead."""
    if not isinstance(value, torch.Tensor):
        raise Complaint(f"{called} with a {type(value).__name__}, expected a LongTensor {shape}")
    if value.dim() != dimensions or value.dtype not in (torch.int64, torch.int32):
        came = f"a tensor of shape {tuple(value.shape)} and {value.dtype}"
        raise Complaint(f"{called} with {came}, expected a LongTensor {shape}")
    return value.tolist()


def written_down(histories: list[list[int]], capacity: int, lift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Histories as a state (h, c): in each place of h a token + 1, then zeros; in c the negative of that.

    The last columns of h and c are those of `lift` (2, B).
    """
    if any(len(history) > capacity for history in histories):
        raise Complaint("the decoder was fed far more tokens than were asked for")
    places = np.zeros((len(histories), capacity), np.float32)
    for row, history in zip(places, histories, strict=True):
        row[: len(history)] = [token + 1 for token in history]
    written, (by_h, by_c) = torch.from_numpy(places).to(lift.device), lift[:, :, None]
    return torch.cat([written, by_h], dim=1), torch.cat([-written, by_c], dim=1)


def read_off(state: Any, batch: int) -> tuple[list[list[int]], torch.Tensor]:
    """The histories that a state holds and its `lift` (2, B), or a complaint about a state that holds none."""
    if not isinstance(state, tuple | list) or len(state) != 2:
        raise Complaint(f"the decoder was given a {type(state).__name__} as its state, expected a pair (h, c)")
    h, c = state
    if not all(isinstance(part, torch.Tensor) and part.dim() == 2 for part in (h, c)) or h.shape != c.shape:
        raise Complaint("the decoder was given a state that is not a pair of (B, H) tensors")
    if len(h) != batch:
        raise Complaint(f"the decoder was called with tokens of shape ({batch},) and a state of {len(h)} rows")
    written, negative = h[:, :-1], c[:, :-1].to(h.dtype)
    rows = written.tolist()
    if not torch.equal(written, -negative):
        if torch.equal(written, negative):
            raise Complaint("the decoder was given one tensor twice as its state, expected a pair (h, c)")
        raise Complaint("the decoder was given an h and a c that do not belong together")
    if any(place < 0 for row in rows for place in row):
        raise Complaint("the decoder was given a state in which h and c have changed places")
    return [[round(place) - 1 for place in row if place > 0] for row in rows], torch.stack([h[:, -1], c[:, -1]])
