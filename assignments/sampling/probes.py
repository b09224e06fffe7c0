"""Probes of the sampler: draw and count, let scripted models be written with, note what they were fed.

They run beside the student's code and hold inputs but no answers. A model is given as `rows`, a
history's last tokens to the logits (V,) that follow it, and is a `TableModel`; the vocabulary is a
string whose characters are numbered as they stand.
"""

from __future__ import annotations

import contextlib
import math
import random
from typing import Any

import numpy as np
import torch
from torch import nn

from assignments.scripted import Complaint, Rows, TableModel, Tape, default_said

COPIES = 20  # of its logits that a model makes at once
HOLDERS = (torch.Tensor, np.ndarray, np.generic)  # that may hold one index


class Recorder(TableModel):
    """A table that also has a dropout layer, and notes whether it was on and gradients were recorded."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self.dropout = nn.Dropout(0.5)
        self.dropout_seen = Tape()
        self.gradients_seen = Tape()

    def forward(self, x: Any, states: Any = None) -> tuple[torch.Tensor, list[Any]]:
        """Answer from the table; `x` is (1, T) and whole numbers."""
        if not isinstance(x, torch.Tensor) or x.dtype not in (torch.int64, torch.int32):
            kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
            raise Complaint(f"the model was called with {kind}, expected a LongTensor")
        if x.dim() != 2 or x.shape[0] != 1 or x.shape[1] == 0:
            raise Complaint(f"the model was called with a tensor of shape {tuple(x.shape)}, expected (1, T)")
        if len(self.tokens) + x.shape[1] > self.capacity:
            raise Complaint(f"the model was fed more than {self.capacity} characters")
        self.dropout_seen.append(self.dropout.training)
        logits, states = super().forward(x, states)
        self.gradients_seen.append(logits.requires_grad)
        return logits, states

    @property
    def tokens(self) -> list[int]:
        """Everything it was fed, in order."""
        return [token for call in self.fed for token in call["tokens"][0]]

    @property
    def states_carried(self) -> bool:
        """Whether each call came with the states of the call before."""
        so_far: list[int] = []
        for call in self.fed:
            if call["histories"] != [so_far]:
                return False
            so_far = so_far + call["tokens"][0]
        return True


class Dice(nn.Module):
    """Gives the same logits (V,) whatever it is fed, and so costs next to nothing."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits.clone())
        self.copies: list[torch.Tensor] = []  # (1, 1, V) each: one by one they would cost as much as a draw

    def forward(self, x: torch.Tensor, states: Any = None) -> tuple[torch.Tensor, Any]:
        """Logits (B, T, V) and one (h, c) that says nothing."""
        if states is None:
            states = [(self.logits.new_zeros(x.shape[0], 1), self.logits.new_zeros(x.shape[0], 1))]
        if x.shape != (1, 1) or torch.is_grad_enabled():
            return self.logits.expand(*x.shape, -1).clone(), states
        if not self.copies:
            self.copies = list(self.logits.repeat(COPIES, 1, 1, 1).unbind())
        return self.copies.pop(), states  # a copy: whoever writes into it changes nothing here


def made_generator(where: torch.Tensor, seed: int) -> torch.Generator:
    """A generator on the device of a tensor."""
    return torch.Generator(where.device).manual_seed(seed)


def numbered(vocabulary: str) -> tuple[dict[str, int], dict[int, str]]:
    """The two mappings of a vocabulary, as dicts."""
    pairs = list(enumerate(vocabulary))
    return {character: index for index, character in pairs}, dict(pairs)


def index_from(value: Any, size: int) -> int:
    """The drawn index, be it an int or something that holds one; that it be an int is another probe's matter."""
    if type(value) is not int and isinstance(value, HOLDERS) and math.prod(value.shape) == 1:
        value = value.item()
    if not isinstance(value, int):
        raise Complaint(f"sample_next returned a {type(value).__name__}, expected an int")
    if not 0 <= value < size:
        raise Complaint(f"sample_next returned {value}, expected an index from 0 to {size - 1}")
    return int(value)


def counted(student: Any, logits: torch.Tensor, draws: int, **arguments: Any) -> torch.Tensor:
    """How often each index comes in a number of draws, each from a copy of the logits: (V,)."""
    counts = [0] * len(logits)
    for copy in logits.repeat(draws, 1).unbind():
        counts[index_from(student.sample_next(copy, **arguments), len(counts))] += 1
    return torch.tensor(counts)


def counts(student: Any, logits: torch.Tensor, temperature: float, draws: int, seed: int) -> dict[str, Any]:
    """Draws with one generator, counted."""
    generator = made_generator(logits, seed)
    return {"counts": counted(student, logits, draws, temperature=temperature, generator=generator)}


def counts_by_default(student: Any, logits: torch.Tensor, draws: int) -> dict[str, Any]:
    """Draws by `sample_next(logits)`, counted."""
    return {"counts": counted(student, logits, draws)}


def draws_at_zero(student: Any, logits: torch.Tensor, draws: int) -> dict[str, Any]:
    """Each row of `logits` (N, V) drawn from several times at temperature 0: N lists."""
    size = logits.shape[1]
    index_from(student.sample_next(logits[0].clone(), 1.0), size)  # who refuses this too has another mistake
    try:
        drawn = [[student.sample_next(row, 0) for _ in range(draws)] for row in logits]
    except ValueError as problem:
        raise Complaint("sample_next raised ValueError at temperature 0") from problem
    return {"draws": [[index_from(value, size) for value in row] for row in drawn]}


def kinds(student: Any, logits: torch.Tensor, temperatures: list[float]) -> dict[str, Any]:
    """The type of a draw at each temperature, "int" for an int, and its value."""
    drawn = [student.sample_next(logits.clone(), temperature=temperature) for temperature in temperatures]
    size = len(logits)
    return {
        "the type of the draw": ["int" if isinstance(value, int) else type(value).__name__ for value in drawn],
        "draws": [index_from(value, size) for value in drawn],
    }


def same_state_twice(student: Any, logits: torch.Tensor, temperature: float, draws: int, seed: int) -> dict[str, Any]:
    """Draws with two generators in the same state, and all global random states moved in between."""
    first, second = made_generator(logits, seed), made_generator(logits, seed + 1)
    torch.rand(3, generator=first, device=logits.device)
    second.set_state(first.get_state())
    size = len(logits)
    rows = []
    for generator in (first, second):
        drawn = [student.sample_next(logits.clone(), temperature, generator) for _ in range(draws)]
        rows.append([index_from(value, size) for value in drawn])
        move_global_states()
    return {"draws": rows[0], "draws from the same state": rows[1]}


def move_global_states() -> None:
    """Put the global generators of torch, NumPy and Python somewhere else."""
    torch.default_generator.manual_seed(1)  # torch.manual_seed also asks after every accelerator
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(1)
    np.random.seed(1)
    random.seed(1)


def global_states(where: torch.Tensor) -> dict[str, Any]:
    """The state of every global generator, in comparable form."""
    kept, position = np.random.get_state()[1:3]
    states = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (kept.tobytes(), position),
        "python": random.getstate(),
    }
    if where.is_cuda:
        states["torch.cuda"] = torch.cuda.get_rng_state(where.device).numpy().tobytes()
    return states


def what_a_draw_changes(
    student: Any, logits: torch.Tensor, temperature: float, draws: int, seed: int
) -> dict[str, Any]:
    """Draws with a generator from one and the same tensor: that tensor afterwards, the global states, the grad mode."""
    before = global_states(logits)
    generator = made_generator(logits, seed)
    began = generator.get_state()
    drawn, kept = [], True
    for number in range(draws):
        mode = number % 2 == 1  # off first: what switches it on is seen at once
        with torch.set_grad_enabled(mode):
            index = student.sample_next(logits, temperature=temperature, generator=generator)
            kept = kept and torch.is_grad_enabled() is mode
        drawn.append(index_from(index, len(logits)))
    after = global_states(logits)
    moved = [name for name in before if before[name] != after[name]]
    return {
        "draws": drawn,
        "logits": logits,
        "the global random states that moved": moved,
        "the grad mode is left as found": kept,
        "the generator moved": not torch.equal(generator.get_state(), began),  # tells who ignores it; not graded here
    }


def draws_below_zero(student: Any, logits: torch.Tensor, temperatures: list[float]) -> dict[str, Any]:
    """An ordinary draw at temperature 1, and whether each of the temperatures is refused."""
    drawn = index_from(student.sample_next(logits.clone(), 1.0), len(logits))
    refused = [is_refused(student.sample_next, logits.clone(), temperature) for temperature in temperatures]
    return {"draw": drawn, "refused": refused}


def is_refused(function: Any, *arguments: Any, **named: Any) -> bool:
    """Whether a call raises ValueError; any other exception goes its way."""
    try:
        function(*arguments, **named)
    except ValueError:
        return True
    return False


def written(student: Any, model: nn.Module, vocabulary: str, seed: str, length: int, **others: Any) -> str:
    """What generate_text returns for a model, on the model's device."""
    device = str(next(model.parameters()).device)
    return a_text(
        student.generate_text(model, *numbered(vocabulary), seed=seed, length=length, device=device, **others)
    )


def a_text(value: Any) -> str:
    """The value, which should be a string."""
    if not isinstance(value, str):
        raise Complaint(f"generate_text returned a {type(value).__name__}, expected a str")
    return value


def writing(
    student: Any, rows: Rows, vocabulary: str, seed: str, length: int, temperature: float, generator_seed: int
) -> dict[str, Any]:
    """A text, what the model was fed for it, and whether states went from call to call and not into a next text."""
    model = Recorder(rows)
    generator = made_generator(model.anchor, generator_seed)
    text = written(student, model, vocabulary, seed, length, temperature=temperature, generator=generator)
    reply = {
        "text": text,
        "what the model was fed": model.tokens,
        "the model was called more than once": len(model.fed) > 1,
        "the states were carried": model.states_carried,
    }
    calls = len(model.fed)
    written(student, model, vocabulary, seed, 1, temperature=temperature, generator=generator)
    began = [call["histories"] for call in model.fed[calls : calls + 1]]
    return {**reply, "a second text began without states": began == [[[]]]}


def texts(student: Any, rows: Rows, vocabulary: str, seeds: list[str], lengths: list[int]) -> dict[str, Any]:
    """A text for each seed and length, at temperature 1 without a generator, all arguments by position."""
    device = str(rows[()].device)
    came = []
    for seed, length in zip(seeds, lengths, strict=True):
        model = Recorder(rows)
        came.append(a_text(student.generate_text(model, *numbered(vocabulary), seed, length, 1.0, device)))
    return {"texts": came}


def greedy_texts(student: Any, rows: Rows, vocabulary: str, seeds: list[str], lengths: list[int]) -> dict[str, Any]:
    """A text at temperature 0 for each seed and length."""
    pairs = zip(seeds, lengths, strict=True)
    return {"texts": [written(student, Recorder(rows), vocabulary, *pair, temperature=0) for pair in pairs]}


def text_from_dice(
    student: Any, logits: torch.Tensor, vocabulary: str, seed: str, length: int, temperature: float, generator_seed: int
) -> dict[str, Any]:
    """A text by a model that always gives the same logits."""
    generator = made_generator(logits, generator_seed)
    text = written(student, Dice(logits), vocabulary, seed, length, temperature=temperature, generator=generator)
    return {"text": text}


def first_characters(
    student: Any, logits: torch.Tensor, vocabulary: str, seed: str, count: int, generator_seed: int
) -> dict[str, Any]:
    """A number of texts of one character each, drawn with one generator."""
    generator = made_generator(logits, generator_seed)
    return {"texts": [written(student, Dice(logits), vocabulary, seed, 1, generator=generator) for _ in range(count)]}


def text_by_default(student: Any, logits: torch.Tensor, vocabulary: str, length: int) -> dict[str, Any]:
    """A text by `generate_text(model, char_to_idx, idx_to_char)`, and how long and how hot the signature says it is.

    If it says both, no more than `length` characters are asked for.
    """
    said = {f"{name} by default": default_said(student.generate_text, name) for name in ("length", "temperature")}
    asked = {} if None in said.values() else {"length": length}
    return said | {"text": a_text(student.generate_text(Dice(logits.cpu()), *numbered(vocabulary), **asked))}


def texts_and_generators(
    student: Any, logits: torch.Tensor, vocabulary: str, seed: str, length: int, generator_seed: int
) -> dict[str, Any]:
    """Two texts with generators in the same state, and two without a generator."""
    given = []
    for _ in range(2):
        generator = made_generator(logits, generator_seed)
        given.append(written(student, Dice(logits), vocabulary, seed, length, generator=generator))
        move_global_states()
    free = [written(student, Dice(logits), vocabulary, seed, length) for _ in range(2)]
    return {"texts from the same state": given, "texts without a generator": free}


def texts_by_each_mapping(student: Any, rows: Rows, vocabulary: str, seed: str, length: int) -> dict[str, Any]:
    """The same text with `idx_to_char` a dict and with `idx_to_char` a list; the dicts are filled back to front."""
    pairs = list(enumerate(vocabulary))[::-1]
    char_to_idx = {character: index for index, character in pairs}
    device = str(rows[()].device)
    came = [
        a_text(student.generate_text(Recorder(rows), char_to_idx, mapping, seed=seed, length=length, device=device))
        for mapping in (dict(pairs), list(vocabulary))
    ]
    return {"the texts with a dict and with a list": came}


def what_the_model_sees(
    student: Any, rows: Rows, vocabulary: str, seed: str, length: int, training: bool
) -> dict[str, Any]:
    """What a model that came in this mode noted while it was written with: dropout, gradients."""
    model = Recorder(rows).train(training)
    written(student, model, vocabulary, seed, length)
    return {
        "the model was called": bool(model.fed),
        "dropout was on": any(model.dropout_seen),
        "gradients were recorded": any(model.gradients_seen),
    }


def modes_afterwards(student: Any, rows: Rows, vocabulary: str, seed: str, length: int) -> dict[str, Any]:
    """Texts by models in each mode, with gradients off and on: the texts, and the modes afterwards.

    Afterwards is after a ValueError too, where the text that is asked for next is refused with one.
    """
    came, training, grad_modes, refused = [], [], [], []
    for mode, grad in ((True, False), (False, True)):
        model = Recorder(rows).train(mode)
        with torch.set_grad_enabled(grad):
            came.append(written(student, model, vocabulary, seed, length))
            grad_modes.append(torch.is_grad_enabled())
            untouched = Recorder(rows).train(mode)
            for stranger, wanted in ((seed + "\0", length), ("", length), (seed, -1)):
                with contextlib.suppress(Exception):  # what is raised, if anything, is another probe's matter
                    if is_refused(written, student, untouched, vocabulary, stranger, wanted):
                        modes = (untouched.training, untouched.dropout.training, torch.is_grad_enabled())
                        refused.append(modes == (mode, mode, grad))
        training.append([model.training, model.dropout.training])
    return {
        "texts": came,
        "training afterwards": training,
        "grad mode afterwards": grad_modes,
        "modes are left as found by a call that is refused": all(refused),
    }


def refused_texts(
    student: Any, rows: Rows, vocabulary: str, seed: str, length: int, strangers: list[str]
) -> dict[str, Any]:
    """An ordinary text, and whether an empty seed, each of `strangers` as a seed and a negative length are refused."""

    def refused(seed: str, length: int) -> bool:
        try:
            return is_refused(written, student, Recorder(rows), vocabulary, seed, length)
        except Complaint:  # of the model: it was called, with nothing in its hands
            return False

    return {
        "text": written(student, Recorder(rows), vocabulary, seed, length),
        "an empty seed is refused": refused("", length) and refused("", 0),
        "an unknown character is refused": [refused(stranger, length) for stranger in strangers],
        "a negative length is refused": refused(seed, -1),
    }
