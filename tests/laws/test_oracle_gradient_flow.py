"""The solution's norms and singular values agree with the oracle's, on 1,000 fresh inputs each."""

from __future__ import annotations

import pytest
import torch

from assignments.cells import oracle as cells_oracle
from assignments.gradient_flow import oracle, probes
from assignments.gradient_flow.test_hidden import SINGLE
from grader.diagnosis import LocalStudent
from grader.suite import Reply, expect

STUDENT = LocalStudent("gradient_flow")
CELLS = {"rnn": "RNNCellFromScratch", "lstm": "LSTMCellFromScratch", "gru": "GRUCellFromScratch"}


def drawn_case(kind: str, rng: torch.Generator) -> oracle.Case:
    """A case of sizes 1 to 5, in either dtype."""
    steps, batch, input_size, hidden_size = (int(n) for n in torch.randint(1, 6, (4,), generator=rng))
    dtype = (torch.float32, torch.float64)[int(torch.randint(2, (), generator=rng))]
    sizes = {"steps": steps, "batch": batch, "input_size": input_size, "hidden_size": hidden_size}
    return oracle.wide_case(kind, rng, **sizes, dtype=dtype)


@pytest.mark.parametrize("kind", CELLS)
def test_norms_agree_on_a_thousand_inputs(kind):
    rng = torch.Generator().manual_seed(11)
    for _ in range(1000):
        case = drawn_case(kind, rng)
        reply = Reply(probes.results(STUDENT, [case.inputs]))
        expect(reply["the result of case 0"]).matches(oracle.norms(case))


def test_singular_values_agree_on_a_thousand_inputs():
    rng = torch.Generator().manual_seed(12)
    for _ in range(1000):
        rows, columns, rank = (int(n) for n in torch.randint(1, 7, (3,), generator=rng))
        matrix = torch.randn(rows, rank, generator=rng) @ torch.randn(rank, columns, generator=rng)
        reply = Reply(probes.singular_values(STUDENT, [matrix]))
        expect(reply["the value of matrix 0"]).is_close(oracle.largest_singular_value(matrix), SINGLE)


@pytest.mark.parametrize("kind", CELLS)
def test_the_cells_that_are_handed_over_step_as_the_contract_says(kind):
    rng = torch.Generator().manual_seed(13)
    for _ in range(100):
        case = drawn_case(kind, rng)
        cell = probes.build(kind, case.weights, case.x)
        h = torch.randn(case.x.shape[0], cell.hidden_size, generator=rng).to(case.x.dtype)
        c = torch.randn(case.x.shape[0], cell.hidden_size, generator=rng).to(case.x.dtype)
        right = cells_oracle.walk(cells_oracle.Case(CELLS[kind], case.weights, case.x.transpose(0, 1), h, c))
        for step, x_t in enumerate(case.x.unbind(1)):
            h, c = cell(x_t, h, c)
            expect(h.detach()).matches(right.h[step])
            expect(c.detach()).matches(right.c[step])
