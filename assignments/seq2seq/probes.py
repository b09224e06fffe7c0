"""Probes of sequence to sequence: build the modules and feed them, and let the functions work on tables.

They run beside the student's code and hold inputs but no answers. Since the parameters of `Encoder`
and `Decoder` may have any names, all are filled with numbers that depend on their shapes only. The
functions get a `TableEncoder` and a `TableDecoder`; a `table` is its two arguments, `endings` and
`logits` (R, V): what the decoder answers after a history, source and inputs, that ends so.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import nn

from assignments.scripted import Complaint, TableDecoder, TableEncoder, pair, read_off, settled, whole_numbers

NUDGE = 1e-7  # how far a state is moved to see a slope in float64
MORE_THAN_ASKED = 8  # tokens that the tables can hold beyond what is asked for


def built(student: Any, name: str, sizes: list[int], cell_type: str | None, like: torch.Tensor) -> Any:
    """The student's `Encoder` or `Decoder` of [V, E, H], on a tensor's device; a cell type of None is left out."""
    module = getattr(student, name)(*sizes, **({} if cell_type is None else {"cell_type": cell_type}))
    if not isinstance(module, nn.Module):
        raise Complaint(f"{name} is a {type(module).__name__}, expected an nn.Module")
    return settled(module, like.device).eval()


def fill(module: nn.Module, scale: float, seed: int, silent: tuple[int, int] | None = None) -> None:
    """Give every parameter normal numbers times `scale`, the same ones to every tensor of its shape.

    With `silent` = (V, H) all is zero but what can take a state to a state, known by two dimensions of
    at least H and none of V: then nothing comes in, whatever shape a bias has, and a state of zeros stays one.
    """
    generator = torch.Generator()
    with torch.no_grad():
        for parameter in module.parameters():
            shape = tuple(parameter.shape)
            if silent and (silent[0] in shape or sum(size >= silent[1] for size in shape) < 2):
                parameter.zero_()
            else:
                generator.manual_seed(seed + sum(31**i * size for i, size in enumerate(shape)))
                parameter.copy_(scale * torch.randn(shape, generator=generator, dtype=torch.float64))


def contexts(
    student: Any,
    sizes: list[int],
    cell_types: list[str | None],
    sources: dict[str, torch.Tensor],
    scale: float,
    seed: int,
    silent: torch.Tensor | None = None,
    dtype: str = "float32",
) -> dict[str, Any]:
    """For each cell type the contexts of all sources, and of `silent` with a silent embedding.

    `dtype` is torch's default meanwhile; the session sets it back.
    """
    torch.set_default_dtype(getattr(torch, dtype))
    found: dict[str, Any] = {}

    def read(label: str, source: torch.Tensor) -> None:
        h, c = pair(encoder(source), "Encoder")
        found[f"h ({cell_type or 'lstm'}, {label})"] = h
        found[f"c ({cell_type or 'lstm'}, {label})"] = c

    for cell_type in cell_types:
        encoder = built(student, "Encoder", sizes, cell_type, next(iter(sources.values())))
        fill(encoder, scale, seed)
        for label, source in sources.items():
            read(label, source)
        if silent is not None:
            fill(encoder, scale, seed, silent=(sizes[0], sizes[2]))
            read("silent", silent)
    return found


def steps(
    student: Any,
    sizes: list[int],
    cell_types: list[str | None],
    calls: dict[str, list[torch.Tensor]],
    scale: float,
    seed: int,
    dtype: str = "float32",
) -> dict[str, Any]:
    """For each cell type the answers to all calls [token, h, c]; an RNN and a GRU get h twice."""
    torch.set_default_dtype(getattr(torch, dtype))
    found: dict[str, Any] = {}
    for cell_type in cell_types:
        decoder = built(student, "Decoder", sizes, cell_type, next(iter(calls.values()))[0])
        fill(decoder, scale, seed)
        for label, (token, h, c) in calls.items():
            logits, state = pair(decoder(token, _state(cell_type, h.clone(), c.clone())), "Decoder")
            if not isinstance(state, tuple | list) or len(state) != 2:
                raise Complaint(f"Decoder returned a {type(state).__name__} as its state, expected a pair (h, c)")
            h_after, c_after = state
            where = f"{cell_type or 'lstm'}, {label}"
            found |= {f"logits ({where})": logits, f"h ({where})": h_after, f"c ({where})": c_after}
    return found


def _state(cell_type: str | None, h: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return (h, h.clone()) if cell_type in ("rnn", "gru") else (h, c)


def encoder_gradients(
    student: Any, sizes: list[int], cell_types: list[str | None], source: torch.Tensor, seed: int
) -> dict[str, Any]:
    """What arrives at the parameters of an encoder from the squares of a context."""
    found: dict[str, Any] = {}
    for cell_type in cell_types:
        encoder = built(student, "Encoder", sizes, cell_type, source)
        fill(encoder, 0.5, seed)
        h, c = pair(encoder(source), "Encoder")
        found |= _arrived(encoder, sizes, {"h": h, "c": c}, cell_type or "lstm")
    return found


def decoder_gradients(
    student: Any,
    sizes: list[int],
    cell_types: list[str | None],
    tokens: torch.Tensor,
    state: list[torch.Tensor],
    seed: int,
) -> dict[str, Any]:
    """What arrives at the parameters of a decoder, and at the state it began with, from its last logits' squares.

    It is fed tokens (B, T) step by step, in float64, and once more from a state that is a little larger
    everywhere: what the squares gain by that is their slope.
    """
    torch.set_default_dtype(torch.float64)
    found: dict[str, Any] = {}
    for cell_type in cell_types:
        decoder = built(student, "Decoder", sizes, cell_type, tokens)
        fill(decoder, 0.5, seed)
        h, c = (part.clone().requires_grad_() for part in state)
        logits = _last_logits(decoder, tokens, _state(cell_type, h, c))
        where = cell_type or "lstm"
        found |= _arrived(decoder, sizes, {"logits": logits}, where)
        with torch.no_grad():
            moved = _last_logits(decoder, tokens, _state(cell_type, h + NUDGE, c + NUDGE))
            slope = ((moved**2).sum() - (logits**2).sum()) / NUDGE
        found |= {f"the gradient of h ({where})": h.grad, f"the gradient of c ({where})": c.grad}
        found[f"the slope ({where})"] = float(slope)
    return found


def _last_logits(decoder: Any, tokens: torch.Tensor, state: Any) -> Any:
    logits: Any = None
    for token in tokens.unbind(dim=1):
        logits, state = pair(decoder(token, state), "Decoder")
    return logits


def _arrived(module: nn.Module, sizes: list[int], results: dict[str, Any], where: str) -> dict[str, Any]:
    """How large the gradients are: of each row of the embedding and of the cells.

    The embedding is known by its sizes V and E or, where it is one table with what comes after it, by
    rows that nothing reaches: the rows of an output layer all count.
    """
    for label, result in results.items():
        if not isinstance(result, torch.Tensor):
            raise Complaint(f"{label} is a {type(result).__name__}, expected a tensor")
        if not result.requires_grad:
            raise Complaint(f"{label} has no gradient: it was detached, computed under no_grad or made anew")
    torch.stack([(result**2).sum() for result in results.values()]).sum().backward()
    vocab_size, embed_size, _ = sizes
    of_tokens, of_cells = torch.zeros(vocab_size), 0.0
    for parameter in module.parameters():
        if parameter.grad is None:
            continue
        size = parameter.grad.detach().abs().float().cpu()
        if vocab_size not in size.shape:
            of_cells += float(size.sum())
            continue
        by_row = size.movedim(size.shape.index(vocab_size), 0).reshape(vocab_size, -1).sum(dim=1)
        if sorted(size.shape) == sorted([vocab_size, embed_size]) or (by_row == 0).any():
            of_tokens += by_row
    return {f"the gradient by token ({where})": of_tokens, f"the gradient of the cells ({where})": of_cells}


def refused_cell_types(
    student: Any, sizes: list[int], source: torch.Tensor, cell_types: list[str], seed: int
) -> dict[str, Any]:
    """The context of an ordinary encoder, and what constructing one of each unknown cell type raises."""
    return contexts(student, sizes, ["gru"], {"source": source}, 0.5, seed) | _refused(
        student.Encoder, sizes, cell_types
    )


def refused_by_decoder(
    student: Any, sizes: list[int], token: torch.Tensor, state: list[torch.Tensor], cell_types: list[str], seed: int
) -> dict[str, Any]:
    """A step of an ordinary decoder, and what constructing one of each unknown cell type raises."""
    return steps(student, sizes, ["gru"], {"one step": [token, *state]}, 0.5, seed) | _refused(
        student.Decoder, sizes, cell_types
    )


def _refused(construct: Any, sizes: list[int], cell_types: list[str]) -> dict[str, Any]:
    return {
        f"what is raised for cell_type={cell_type!r}": raised_by(construct, *sizes, cell_type=cell_type)
        for cell_type in cell_types
    }


def raised_by(function: Any, *arguments: Any, **named: Any) -> str:
    """The name of the exception's type that a call raises, "ValueError" for its heirs too, "nothing" for none."""
    try:
        function(*arguments, **named)
    except ValueError:
        return "ValueError"
    except Exception as problem:
        return type(problem).__name__
    return "nothing"


Table = dict[str, Any]  # endings: a list of R lists of tokens; logits: (R, V)


def scripted(table: Table, source: torch.Tensor, tokens: int) -> tuple[TableEncoder, TableDecoder]:
    """An encoder and a decoder made of a table, for a source and at most so many tokens."""
    capacity = source.shape[1] + tokens + MORE_THAN_ASKED
    rows = {tuple(ending): row for ending, row in zip(table["endings"], table["logits"].tolist(), strict=True)}
    encoder, decoder = TableEncoder(capacity), TableDecoder(table["logits"].shape[1], rows, capacity)
    return (encoder, decoder) if source.device.type == "cpu" else (encoder.to(source.device), decoder.to(source.device))


def inputs_of(decoder: TableDecoder, source: torch.Tensor) -> dict[str, Any]:
    """What the decoder was fed for each row of the source, in order, and whether always from the state before.

    Rows are known by their source, so that they may come in one batch or in several.
    """
    rows = source.tolist()
    fed: list[list[int]] = [[] for _ in rows]
    carried = True
    for call in decoder.fed:
        for place, (before, token) in enumerate(zip(call["before"], call["tokens"], strict=True)):
            start = before[: source.shape[1]]
            row = rows.index(start) if start in rows else place if len(call["tokens"]) == len(rows) else None
            carried = carried and row is not None and before == rows[row] + fed[row]
            if row is not None:
                fed[row].append(token)
    return {"inputs": fed, "every state was carried on": carried}


def losses(
    student: Any, table: Table, source: torch.Tensor, target: torch.Tensor, calls: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """For each call, keyword arguments, the loss and the gradients that it leaves."""
    found: dict[str, Any] = {}
    for label, options in calls.items():
        encoder, decoder = scripted(table, source, target.shape[1])
        loss = student.sequence_loss(encoder, decoder, source, target, **options)
        if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
            loss.reshape(()).backward()
        found |= {
            f"the loss ({label})": loss,
            f"the decoder's gradient ({label})": decoder.bias.grad,
            f"the encoder's gradient ({label})": encoder.lift.grad,
        }
    return found


def inputs(
    student: Any, table: Table, source: torch.Tensor, target: torch.Tensor, probs: list[float]
) -> dict[str, Any]:
    """What the decoder is fed for each row with each teacher_forcing_prob, and whether its states were carried on."""
    found: dict[str, Any] = {}
    for prob in probs:
        encoder, decoder = scripted(table, source, target.shape[1])
        student.sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=prob)
        label = f"teacher_forcing_prob={prob:g}"
        found |= {f"{what} ({label})": value for what, value in inputs_of(decoder, source).items()}
    return found


class Parrot(nn.Module):
    """A decoder that always says token 0, and notes what it is fed; quick, for long sequences."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.eye(1, vocab_size))
        self.fed: list[tuple[list[int], Any]] = []

    def forward(self, token: Any, state: Any) -> tuple[torch.Tensor, Any]:
        """The same logits for every row, and the state as it came."""
        tokens = whole_numbers(token, 1, "the decoder was called", "(B,)")
        self.fed.append((tokens, state))
        return self.logits.expand(len(tokens), -1), state

    def inputs(self, source: torch.Tensor) -> list[list[int]]:
        """What was fed for each row of the source, in order; the sources begin differently.

        A whole batch is taken row by row as it stands, anything else by the sources in its states.
        """
        if all(len(tokens) == len(source) for tokens, _ in self.fed):
            return [list(row) for row in zip(*(tokens for tokens, _ in self.fed), strict=True)]
        fed: dict[int, list[int]] = {first: [] for first in source[:, 0].tolist()}
        for tokens, state in self.fed:
            for token, history in zip(tokens, read_off(state, len(tokens))[0], strict=True):
                fed.setdefault(history[0] if history else -1, []).append(token)
        return list(fed.values())


def draws(
    student: Any,
    source: torch.Tensor,
    target: torch.Tensor,
    teacher_forcing_prob: float,
    generator_seeds: list[int],
) -> dict[str, Any]:
    """For a generator of each seed, the inputs of a decoder that only says 0, row by row.

    Before each call the global generators are put somewhere else; those that move meanwhile are noted.
    """
    inputs, moved = [], []
    for number, seed in enumerate(generator_seeds):
        encoder, decoder = TableEncoder(source.shape[1]), Parrot(int(target.max()) + 1)
        generator = torch.Generator(target.device).manual_seed(seed)
        torch.default_generator.manual_seed(number)
        np.random.seed(number)
        random.seed(number)
        before = global_states()
        student.sequence_loss(
            encoder.to(source.device), decoder.to(source.device), source, target, teacher_forcing_prob, generator
        )
        moved += [name for name, state in global_states().items() if state != before[name]]
        inputs.append(decoder.inputs(source))
    return {"inputs": inputs, "the global random states that moved": moved}


def global_states() -> dict[str, Any]:
    """The state of every global generator, in comparable form."""
    kept, position = np.random.get_state()[1:3]
    states = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (kept.tobytes(), position),
        "python": random.getstate(),
    }
    if torch.cuda.is_initialized():
        states["torch.cuda"] = torch.cuda.get_rng_state().numpy().tobytes()
    return states


def decodes(
    student: Any, table: Table, calls: dict[str, tuple[torch.Tensor, int]], start_token: int, end_token: int
) -> dict[str, Any]:
    """The rows decoded for each call, a source and `max_len`, and whether every token came as an int."""
    found: dict[str, Any] = {"every token is an int": True}
    for label, (source, max_len) in calls.items():
        encoder, decoder = scripted(table, source, max_len)
        rows = student.greedy_decode(encoder, decoder, source, start_token, end_token, max_len)
        found[f"the rows ({label})"] = rows
        found["every token is an int"] &= _are_ints(rows)
    return found


def _are_ints(rows: Any) -> bool:
    """Whether these are rows of ints; NumPy's are none."""
    try:
        return all(isinstance(token, int) for row in rows for token in row)
    except TypeError:
        return False


def quiet(
    student: Any,
    table: Table,
    source: torch.Tensor,
    start_token: int,
    end_token: int,
    max_len: int,
    modes: list[tuple[bool, bool, bool]],
) -> dict[str, Any]:
    """The rows decoded in each mode, (encoder in training, decoder in training, gradients on), and the modes after."""
    found: dict[str, Any] = {
        "the rows": [],
        "dropout was on meanwhile": [],
        "gradients were recorded meanwhile": [],
        "the modes afterwards": [],
    }
    for encoder_training, decoder_training, grad in modes:
        encoder, decoder = scripted(table, source, max_len)
        encoder.train(encoder_training)
        decoder.train(decoder_training)
        with torch.set_grad_enabled(grad):
            rows = student.greedy_decode(encoder, decoder, source, start_token, end_token, max_len)
            after = [mode_of(encoder), mode_of(decoder), torch.is_grad_enabled()]
        notes = encoder.fed + decoder.fed
        found["the rows"].append(rows)
        found["dropout was on meanwhile"].append(any(note["dropout"] for note in notes))
        found["gradients were recorded meanwhile"].append(any(note["graph"] for note in notes))
        found["the modes afterwards"].append(after)
    return found


def mode_of(module: nn.Module) -> bool | str:
    """The training flag that all parts of a module have, "mixed" if they differ."""
    flags = {part.training for part in module.modules()}
    return flags.pop() if len(flags) == 1 else "mixed"


def probabilities(student: Any, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """`teacher_forcing_probability` for each set of keyword arguments, in order."""
    return {"probabilities": [student.teacher_forcing_probability(**call) for call in calls]}


def refused_schedules(student: Any, call: dict[str, Any], changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The probability of an ordinary call, and what is raised for each change of it."""
    found = {"the probability": student.teacher_forcing_probability(**call)}
    for what, change in changes.items():
        found[f"what is raised for {what}"] = raised_by(student.teacher_forcing_probability, **{**call, **change})
    return found
