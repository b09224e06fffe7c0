"""Probes of beam search: a model that answers from a table, searched with the student's function.

They run beside the student's code and hold inputs but no answers. A table is three things: the
`alphabet`, whose characters are numbered from 0; `endings`, texts; and `logits` (R, V), what the model
answers after a history that ends in each of them. The longest ending that fits wins; "" always fits.
A `call` holds the keyword arguments of `beam_search` after the first three.
"""

from __future__ import annotations

import contextlib
import random
from typing import Any

import numpy
import torch
from torch import nn

from assignments.scripted import Complaint, Rows, TableModel, default_said


class LayeredTable(TableModel):
    """A table model that looks like a network of two layers with dropout.

    Its states are two pairs (h, c) of shape (B, capacity). Each of the four tensors holds the whole
    history (a token + 1 in each place, then zeros), the first as it is, the second twice that, and so
    on: rows that are picked, repeated or reordered together stay whole, and rows put together from
    different hypotheses, or an h and a c that have changed places, are noticed.
    """

    LAYERS = 2
    MULTIPLES = torch.arange(1.0, 2 * LAYERS + 1)[:, None, None]  # of the history, in the states' tensors

    def __init__(self, rows: Rows, capacity: int) -> None:
        super().__init__(rows, capacity)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """Answer from the table; note the histories, whether dropout was on and whether a graph was built."""
        if not isinstance(x, torch.Tensor) or x.dim() != 2 or x.is_floating_point():
            raise Complaint("the model was called with something that is not an integer tensor of shape (B, T)")
        rows = x.tolist()
        if any(not 0 <= token < self.vocab_size for row in rows for token in row):
            raise Complaint("the model was fed a number that is not of its vocabulary")
        before = [[] for _ in rows] if states is None else self._histories(states, len(rows))
        answers = [
            self._after(history + row[: step + 1])
            for history, row in zip(before, rows, strict=True)
            for step in range(len(row))
        ]
        logits = torch.stack(answers) if answers else torch.zeros(0, self.vocab_size)
        logits = logits.reshape(*x.shape, self.vocab_size).to(x.device) + self.anchor  # which is 0
        self.fed.append(
            {"before": before, "tokens": rows, "dropout": self.dropout.training, "graph": logits.requires_grad}
        )
        return logits, self._layers([history + row for history, row in zip(before, rows, strict=True)], x.device)

    def _histories(self, states: Any, batch: int) -> list[list[int]]:
        try:
            parts = [tensor for h, c in states for tensor in (h, c)]
            if len(parts) != 2 * self.LAYERS:
                came = len(parts) // 2
                raise Complaint(f"the model was given {came} layers of states, and it returned {self.LAYERS}")
            together = all(part.shape == parts[0].shape for part in parts)
            copies = (torch.stack(parts) / self.MULTIPLES.to(parts[0].device)).tolist() if together else [[]]
            histories = [[round(place) - 1 for place in row if place > 0] for row in copies[0]]
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError):
            raise Complaint("the model was given states that are not the list of (h, c) it returned") from None
        if not together or any(copy != copies[0] for copy in copies):
            raise Complaint("the model was given states whose parts (h and c, or the layers) do not belong together")
        if len(histories) != batch:
            raise Complaint(f"the model was given states of {len(histories)} rows with a batch of {batch}")
        return histories

    def _layers(self, histories: list[list[int]], device: torch.device) -> list[tuple[torch.Tensor, torch.Tensor]]:
        rows = [[token + 1 for token in history[-self.capacity :]] for history in histories]
        padded = numpy.array([row + [0] * (self.capacity - len(row)) for row in rows], dtype=numpy.float32)
        whole = torch.from_numpy(padded.reshape(len(rows), self.capacity)).to(device)
        parts = (whole * self.MULTIPLES.to(device)).unbind()
        return list(zip(parts[::2], parts[1::2], strict=True))


def setting(
    alphabet: str, endings: list[str], logits: torch.Tensor, room: int
) -> tuple[LayeredTable, dict[str, int], dict[int, str]]:
    """The first three arguments of `beam_search`; the model can remember `room` characters."""
    pairs = list(enumerate(alphabet))[::-1]  # a dict's own order means nothing
    char_to_idx, idx_to_char = {char: index for index, char in pairs}, dict(pairs)
    keys = [tuple(char_to_idx[char] for char in ending) for ending in endings]
    model = LayeredTable(dict(zip(keys, logits.unbind(), strict=True)), room)
    return model, char_to_idx, idx_to_char


def search(
    student: Any, alphabet: str, endings: list[str], logits: torch.Tensor, call: dict[str, Any], as_list: bool = False
) -> tuple[Any, LayeredTable]:
    """What `beam_search` returns for one call, and the model it was given."""
    room = len(call["seed"]) + call["length"] + 1
    model, char_to_idx, idx_to_char = setting(alphabet, endings, logits, room)
    numbering = list(alphabet) if as_list else idx_to_char
    return student.beam_search(model, char_to_idx, numbering, device=str(logits.device), **call), model


def texts(student: Any, searches: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The text of every search, under its own label.

    A search is a table and a call, {"alphabet": …, "endings": …, "logits": …, "call": …}, and perhaps
    {"as_list": True}, which makes idx_to_char a list.
    """
    return {label: search(student, **wanted)[0] for label, wanted in searches.items()}


def feeding(
    student: Any, alphabet: str, endings: list[str], logits: torch.Tensor, call: dict[str, Any]
) -> dict[str, Any]:
    """The text, how often each character of the seed was fed, and whether always after those before it.

    Equal rows of one batch count as one, different ones each for themselves. And whether any row was fed
    more than seed and text can be together.
    """
    text, model = search(student, alphabet, endings, logits, call)
    seed = [alphabet.index(char) for char in call["seed"]]
    times, in_order, longest = [0] * len(seed), True, len(seed) + call["length"]
    for entry in model.fed:
        rows = zip(entry["before"], entry["tokens"], strict=True)
        pieces = {
            (tuple(before), tuple(tokens[: len(seed) - len(before)]))
            for before, tokens in rows
            if len(before) < len(seed)
        }
        for before, now in pieces:
            places = range(len(before), len(before) + len(now))
            in_order = in_order and [*before, *now] == seed[: places.stop]
            for place in places:
                times[place] += 1
    return {
        "the text": text,
        "how often each character of the seed was fed": times,
        "whether the seed was fed in order": in_order,
        "whether a row was fed more than the seed and the text after it": any(
            len(before) + len(tokens) > longest
            for entry in model.fed
            for before, tokens in zip(entry["before"], entry["tokens"], strict=True)
        ),
    }


def modes(
    student: Any, alphabet: str, endings: list[str], logits: torch.Tensor, call: dict[str, Any]
) -> dict[str, Any]:
    """A search with the model in training mode, one with it in evaluation mode, one inside `no_grad`.

    Each is followed by one that is refused, for an unknown character in the seed.
    """
    found: dict[str, Any] = {}
    for where, training, grad in (
        ("in training", True, True),
        ("in evaluation", False, True),
        ("no_grad", True, False),
    ):
        model, char_to_idx, idx_to_char = setting(alphabet, endings, logits, len(call["seed"]) + call["length"] + 1)
        model.train(training)
        with torch.set_grad_enabled(grad):
            text = student.beam_search(model, char_to_idx, idx_to_char, device=str(logits.device), **call)
            grad_afterwards = torch.is_grad_enabled()
            untouched, *_ = setting(alphabet, endings, logits, 64)
            untouched.train(training)
            kept = True
            with contextlib.suppress(Exception):  # what is raised, if anything, is another probe's matter
                try:
                    stranger = {**call, "seed": call["seed"] + "\0"}
                    student.beam_search(untouched, char_to_idx, idx_to_char, device=str(logits.device), **stranger)
                except ValueError:
                    kept = untouched.training is training and torch.is_grad_enabled() is grad
        found |= {
            f"the text ({where})": text,
            f"dropout was on during the search ({where})": any(entry["dropout"] for entry in model.fed),
            f"gradients were recorded during the search ({where})": any(entry["graph"] for entry in model.fed),
            f"model.training afterwards ({where})": model.training,
            f"gradients enabled afterwards ({where})": grad_afterwards,
            f"modes left as found by a call that is refused ({where})": kept,
        }
    return found


def under_two_seeds(
    student: Any, alphabet: str, endings: list[str], logits: torch.Tensor, call: dict[str, Any]
) -> dict[str, Any]:
    """The same search under different states of the global generators."""
    found = {}
    for label, seed in (("the text", 1), ("the text of a second search", 20_001)):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also asks after every accelerator
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        numpy.random.seed(seed)
        random.seed(seed)
        found[label] = search(student, alphabet, endings, logits, call)[0]
    return found


def errors(
    student: Any,
    alphabet: str,
    endings: list[str],
    logits: torch.Tensor,
    call: dict[str, Any],
    changes: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """The text of an ordinary call, and for each change of it what came: "ValueError", another type, or none."""
    text, _ = search(student, alphabet, endings, logits, call)
    model, char_to_idx, idx_to_char = setting(alphabet, endings, logits, 64)
    found = {"the text": text}
    for what, change in changes.items():
        label = f"what came for {what}"
        found[label] = "no exception"
        try:
            student.beam_search(model, char_to_idx, idx_to_char, device=str(logits.device), **{**call, **change})
        except ValueError:
            found[label] = "ValueError"
        except Complaint:  # of the model, which should not have been asked
            found[label] = "a call of the model"
        except Exception as problem:
            found[label] = type(problem).__name__
    return found


def arguments(
    student: Any, alphabet: str, endings: list[str], logits: torch.Tensor, by_position: list[Any]
) -> dict[str, Any]:
    """A call with every argument in its place, and one with as many as possible left out.

    `by_position` holds what follows the first three, without the device; the default of `length`, which
    would take long to see at work, is read from the signature where there is one.
    """
    device = str(logits.device)
    first, second = (setting(alphabet, endings, logits, 64) for _ in range(2))
    seed, length, beam_width, *others = by_position
    placed = student.beam_search(*first, seed, length, beam_width, device, *others)
    left_out = student.beam_search(*second, length=2, **({} if device == "cpu" else {"device": device}))
    return {
        "with every argument in its place": placed,
        "with the defaults and length=2": left_out,
        "the default of length": default_said(student.beam_search, "length"),
    }
