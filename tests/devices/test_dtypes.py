"""In a world of float64 nothing is made in float32: a law for the solutions, below the tolerances that students have.

A zero or a one of the wrong dtype is right in its numbers, and wrong in its place. Single numbers may be
float32: an optimiser counts its steps in them.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from grader.diagnosis.local import LocalStudent, modes_kept
from tests.devices.pretended import tensors_in
from tests.devices.slips import SLIPS

NARROW = (torch.float32, torch.float16, torch.bfloat16)
VOCABULARY = "abcd"
LETTERS = {letter: index for index, letter in enumerate(VOCABULARY)}
NAMES = dict(enumerate(VOCABULARY))


class Narrow(Exception):
    """Something was made in less than float64."""


class OnlyFloat64(TorchDispatchMode):
    """Refuses every operation that gives a tensor of smaller floats."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = operation(*args, **(kwargs or {}))
        if any(tensor.dim() and tensor.dtype in NARROW for tensor in tensors_in(found)):
            raise Narrow(str(operation))
        return found


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64).requires_grad_()


def made(kind, *sizes, **options):
    """A module in float64."""
    return kind(*sizes, **options).double()


def a_cell(name):
    def use(student):
        cell, x, h, c = made(getattr(student, name), 5, 3), double(2, 5), double(2, 3), double(2, 3)
        return lambda: sum(state.sum() for state in cell(x, h, c)).backward()

    return use


def a_model(name, **options):
    def use(student):
        model, x = made(getattr(student, name), 4, 3, 5, 2, **options), torch.randint(4, (2, 6))

        def work():
            first, states = model(x[:, :3])
            second, _ = model(x[:, 3:], states)
            torch.cat([first, second], 1).sum().backward()

        return work

    return use


def a_training(student):
    model = made(LocalStudent("language_model").CharRNN, 4, 3, 5)
    data = torch.randint(4, (60,))
    return lambda: student.train(model, data, batch_size=3, seq_len=5, num_epochs=2)


def a_draw(student):
    logits = double(6).detach()
    return lambda: [student.sample_next(logits, temperature) for temperature in (0, 0.5, 1.0)]


def a_text(name, **options):
    def use(student):
        model = made(LocalStudent("language_model").CharRNN, 4, 3, 5)
        return lambda: getattr(student, name)(model, LETTERS, NAMES, seed="ab", length=4, **options)

    return use


def sequences(work):
    def use(student):
        encoder, decoder = made(student.Encoder, 4, 3, 5), made(student.Decoder, 4, 3, 5)
        source, target = torch.randint(4, (2, 3)), torch.randint(4, (2, 4))
        return lambda: work(student, encoder, decoder, source, target)

    return use


def a_loss(student, encoder, decoder, source, target):
    student.sequence_loss(encoder, decoder, source, target, 0.5).backward()


def norms(student):
    cell, x = made(LocalStudent("cells").LSTMCellFromScratch, 5, 3), double(2, 4, 5)
    return lambda: student.hidden_gradient_norms(cell, x)


def a_stretch(student):
    matrix = double(3, 4)
    return lambda: student.largest_singular_value(matrix)


def a_fast_lstm(student):
    lstm, x = made(student.FastLSTM, 5, 3), double(2, 4, 5)
    return lambda: lstm(x)[0].sum().backward()


USES = {
    "RNNCellFromScratch": ("cells", a_cell("RNNCellFromScratch")),
    "LSTMCellFromScratch": ("cells", a_cell("LSTMCellFromScratch")),
    "GRUCellFromScratch": ("cells", a_cell("GRUCellFromScratch")),
    "CharRNN": ("language_model", a_model("CharRNN", cell_type="gru")),
    "CharLSTM": ("language_model", a_model("CharLSTM")),
    "train": ("training", a_training),
    "sample_next": ("sampling", a_draw),
    "generate_text": ("sampling", a_text("generate_text")),
    "beam_search": ("beam_search", a_text("beam_search", beam_width=2)),
    "Encoder": ("seq2seq", sequences(a_loss)),
    "Decoder": ("seq2seq", sequences(a_loss)),
    "sequence_loss": ("seq2seq", sequences(a_loss)),
    "greedy_decode": (
        "seq2seq",
        sequences(
            lambda student, encoder, decoder, source, _: student.greedy_decode(encoder, decoder, source, 0, 1, 4)
        ),
    ),
    "hidden_gradient_norms": ("gradient_flow", norms),
    "largest_singular_value": ("gradient_flow", a_stretch),
    "FastLSTM": ("fast_lstm", a_fast_lstm),
}
KINDS = [pytest.param(slip, id=f"{slip.of}-{number}") for number, slip in enumerate(SLIPS) if slip.kind]


def used(name, source=None):
    """Make the thing, then use it where nothing but float64 may be made."""
    assignment, use = USES[name]
    with modes_kept():
        torch.manual_seed(1)
        work = use(LocalStudent(assignment, source))
        with OnlyFloat64():
            work()


@pytest.mark.parametrize("name", USES)
def test_the_solutions_make_nothing_but_float64(name):
    used(name)


@pytest.mark.parametrize("slip", KINDS)
def test_a_tensor_of_the_wrong_dtype_is_found(slip):
    with pytest.raises(Narrow):
        used(slip.of, slip.source(slip.kind))
