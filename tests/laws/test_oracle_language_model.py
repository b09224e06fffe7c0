"""The oracle of the language model agrees with the solution, with its own cells and with stand-ins.

Both do so with room to spare below the tolerance, which is in float32; the linear cells of the
public tests are checked against their closed form as well.
"""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
import torch

from assignments.language_model import oracle, probes, test_public
from grader.course import ASSIGNMENTS
from grader.diagnosis import LocalStudent
from grader.suite import Tolerance, expect

FRESH = 1000
ROOM = Tolerance(5e-6, 5e-6)  # a quarter of what the tests allow
STAND_IN = (ASSIGNMENTS / "cells" / "stand_in.py").read_text()


@pytest.fixture(scope="module")
def student():
    return LocalStudent("language_model")


@pytest.fixture(scope="module")
def on_stand_in():
    return LocalStudent("language_model", None, {"cells": STAND_IN})


def fresh_case(seed: int, cell_types: tuple[str, ...] = tuple(oracle.CELLS)) -> oracle.Case:
    """A case of the sizes that the hidden tests use, any of the three cells, with states or without."""
    dice = random.Random(seed)
    cell_type = dice.choice(cell_types)
    return oracle.wide_case(
        dice.choice(("CharLSTM", "CharRNN")) if cell_type == "lstm" else "CharRNN",
        torch.Generator().manual_seed(seed),
        cell_type=cell_type,
        layers=dice.randint(1, 3),
        batch=dice.randint(1, 3),
        steps=dice.randint(1, 4),
        embed_size=dice.randint(1, 5),
        hidden_size=dice.randint(1, 5),
        from_zeros=dice.random() < 0.3,
    )


def expect_walk(student: LocalStudent, case: oracle.Case, stand_in: bool) -> None:
    reply = probes.forward(student, **case.inputs)
    right = oracle.walk(case, stand_in)
    expect(reply["logits"]).matches(right.logits, ROOM)
    assert reply["the number of states"] == case.layers
    for number, (h, c) in enumerate(right.states):
        expect(reply[f"h of layer {number}"]).matches(h, ROOM)
        expect(reply[f"c of layer {number}"]).matches(c, ROOM)


def test_oracle_and_solution_agree(student):
    for seed in range(FRESH):
        expect_walk(student, fresh_case(seed), stand_in=False)


def test_oracle_and_solution_agree_on_stand_in_cells(on_stand_in):
    for seed in range(FRESH // 2):
        expect_walk(on_stand_in, fresh_case(seed), stand_in=True)


@pytest.mark.parametrize("stand_in", [False, True])
def test_oracle_and_solution_agree_on_gradients(student, on_stand_in, stand_in):
    for seed in range(FRESH // 4):
        case = fresh_case(seed, ("rnn", "lstm"))
        along = torch.randn(*case.x.shape, 9, generator=torch.Generator().manual_seed(seed))
        reply = probes.gradients(on_stand_in if stand_in else student, **case.inputs, along=along)
        for label, right in oracle.gradients(case, along, stand_in).items():
            expect(reply[f"the gradient of {label}"]).matches(right, ROOM)


def test_pieces_are_the_whole(student):
    for seed in range(100):
        case = oracle.wide_case("CharLSTM", torch.Generator().manual_seed(seed), from_zeros=True)
        cut = 1 + seed % 3
        reply = probes.in_pieces(student, **case.model, x=case.x, lengths=[cut, 4 - cut])
        pieces = torch.cat([reply["logits of piece 0"], reply["logits of piece 1"]], dim=1)
        expect(pieces).matches(probes.forward(student, **case.inputs)["logits"])


def test_the_stand_in_is_another_recurrence():
    # or a wrong cell could earn the points of a right one
    for cell_type in oracle.CELLS:
        case = oracle.wide_case("CharRNN", torch.Generator().manual_seed(1), cell_type=cell_type)
        own, other = oracle.walk(case, False).logits, oracle.walk(case, True).logits
        assert (own - other).abs().max() > 0.1


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
@pytest.mark.parametrize("stand_in", [False, True])
def test_the_public_tests_right_answer_is_the_solutions(student, kind, stand_in):
    sizes = test_public.TWO_LAYERS | {"cell_type": kind}
    for seed in range(50):
        rng = torch.Generator().manual_seed(seed)
        weights, x = test_public._draw(rng, kind, 2), test_public._characters(rng, 2, 4)
        h, c = torch.randn(2, 2, 3, generator=rng), torch.randn(2, 2, 3, generator=rng)
        states = list(zip(h, c, strict=True))
        reply = probes.forward(student, "CharRNN", sizes, weights, x, states, plain=stand_in)
        right = test_public._right(SimpleNamespace(stand_in=stand_in), weights, x, states)
        expect(reply["logits"]).matches(right.logits.detach(), ROOM)
        for number in range(2):
            expect(reply[f"h of layer {number}"]).matches(right.h[number].detach(), ROOM)
            expect(reply[f"c of layer {number}"]).matches(right.c[number].detach(), ROOM)
