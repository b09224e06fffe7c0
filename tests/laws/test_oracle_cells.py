"""The solution's cells and the oracle agree, on 1,000 fresh inputs each and on gradients by another road."""

from __future__ import annotations

import pytest
import torch

from assignments.cells import oracle, probes
from grader.diagnosis import LocalStudent
from grader.suite import Reply, expect

CELLS = tuple(oracle.SHAPES)
STUDENT = LocalStudent("cells")


def drawn_case(name: str, rng: torch.Generator) -> oracle.Case:
    """A case of sizes 1 to 5, in either dtype."""
    steps, batch, input_size, hidden_size = (int(n) for n in torch.randint(1, 6, (4,), generator=rng))
    dtype = (torch.float32, torch.float64)[int(torch.randint(2, (), generator=rng))]
    sizes = {"steps": steps, "batch": batch, "input_size": input_size, "hidden_size": hidden_size}
    return oracle.wide_case(name, rng, **sizes, dtype=dtype)


@pytest.mark.parametrize("name", CELLS)
def test_states_agree_on_a_thousand_inputs(name):
    rng = torch.Generator().manual_seed(7)
    for _ in range(1000):
        case = drawn_case(name, rng)
        with torch.no_grad():
            reply = Reply(probes.steps(STUDENT, **case.inputs))
        right = oracle.walk(case)
        expect(reply["h"]).matches(right.h)
        expect(reply["c"]).matches(right.c)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_agree(name):
    rng = torch.Generator().manual_seed(8)
    for _ in range(50):
        case = oracle.wide_case(name, rng, steps=2, batch=2, input_size=3, hidden_size=2)
        along_h = torch.randn(2, 2, 2, generator=rng, dtype=torch.float64)
        along_c = torch.randn(2, 2, generator=rng, dtype=torch.float64)
        right = oracle.gradients(case, along_h, along_c)
        inputs = {
            key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in case.inputs.items()
        }
        reply = Reply(probes.gradients(STUDENT, **inputs, along_h=along_h, along_c=along_c))
        for label, gradient in right.items():
            expect(reply[f"the gradient of {label}"]).matches(gradient)


def test_the_two_roads_to_the_gru_meet():
    rng = torch.Generator().manual_seed(9)
    for _ in range(200):
        case = oracle.diagonal(drawn_case("GRUCellFromScratch", rng))
        expect(oracle.numpy_gru(case).h).matches(oracle.nn_gru_where_they_meet(case).h)
