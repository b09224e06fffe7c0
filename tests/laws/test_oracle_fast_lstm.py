"""The solution's fast LSTM agrees with `nn.LSTM` on 1,000 fresh inputs, gradients too, and with small differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import linear

from assignments.cells import oracle as cells_oracle
from assignments.fast_lstm import oracle, probes
from grader.diagnosis import LocalStudent
from grader.suite import Reply, expect

STUDENT = LocalStudent("fast_lstm")


def drawn_case(rng: torch.Generator) -> oracle.Case:
    """A case of sizes 1 to 5, in either dtype, with a state or without."""
    steps, batch, input_size, hidden_size = (int(n) for n in torch.randint(1, 6, (4,), generator=rng))
    sizes = {"steps": steps, "batch": batch, "input_size": input_size, "hidden_size": hidden_size}
    double, from_zeros = (bool(n) for n in torch.randint(2, (2,), generator=rng))
    return oracle.wide_case(rng, **sizes, dtype=torch.float64 if double else torch.float32, from_zeros=from_zeros)


def test_numbers_and_gradients_agree_on_a_thousand_inputs():
    rng = torch.Generator().manual_seed(14)
    for _ in range(1000):
        case = drawn_case(rng)
        reply = Reply(probes.numbers(STUDENT, **case.inputs))
        for label, right in oracle.walk(case).items():
            expect(reply[label]).matches(right)
        used = [label for label in ("outputs", "h", "c") if torch.rand((), generator=rng) < 0.6] or ["c"]
        along = case.along(rng, *used)
        right_gradients = oracle.gradients(case, along)
        reply = Reply(probes.gradients(STUDENT, **case.inputs, along=along))
        for label, right in right_gradients.items():
            expect(reply[f"the gradient of {label}"]).matches(right)


def test_the_oracle_steps_like_the_cell():
    rng = torch.Generator().manual_seed(15)
    for _ in range(100):
        case = oracle.wide_case(rng, dtype=torch.float64)
        assert case.state is not None
        cell = cells_oracle.Case("LSTMCellFromScratch", case.weights, case.x.transpose(0, 1), *case.state)
        stepped, whole = cells_oracle.walk(cell), oracle.walk(case)
        expect(whole["outputs"]).matches(stepped.h.transpose(0, 1))
        expect(whole["c"]).matches(stepped.c[-1])


@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (2, 1), (1, 3), (2, 4)])
def test_the_backward_pass_by_hand_stands_up_to_small_differences(batch, steps):
    rng = torch.Generator().manual_seed(16)
    case = oracle.wide_case(rng, batch=batch, steps=steps, input_size=3, hidden_size=2, dtype=torch.float64)
    assert case.state is not None
    leaves = [tensor.requires_grad_() for tensor in (case.x, *case.state, *case.weights.values())]
    assert torch.autograd.gradcheck(STUDENT.module("fast_lstm").LSTMWalk.apply, leaves)


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_the_solution_makes_as_few_products_as_its_docstring_says(steps):
    case = oracle.wide_case(torch.Generator().manual_seed(17), steps=steps)
    forward = probes.forward_products(STUDENT, **case.inputs)
    assert forward["the inner sizes of the forward products"] == [case.input_size] + steps * [case.hidden_size]
    along = case.along(torch.Generator().manual_seed(18), "outputs", "h", "c")
    both = probes.all_products(STUDENT, **case.inputs, along=along)
    assert both["the number of forward products"] == steps + 1
    assert both["the number of products in all"] == 2 * steps + 4


A, B, V = torch.ones(2, 3), torch.ones(3, 5), torch.ones(3)
ROWS, SUM, SUMMAND = torch.ones(4, 2, 3), torch.zeros(2, 5), torch.ones(4, 2, 5)
WAYS: dict[str, Callable[[], object]] = {
    "@": lambda: A @ B,
    "linear": lambda: linear(A, B.T),
    "linear with bias": lambda: linear(A, B.T, torch.ones(5)),
    "linear of three dimensions": lambda: linear(ROWS, B.T, torch.ones(5)),
    "einsum": lambda: torch.einsum("bi,io->bo", A, B),
    "einsum of three dimensions": lambda: torch.einsum("tbi,io->bto", ROWS, B),
    "matrix by vector": lambda: A @ V,
    "vector by matrix": lambda: V @ B,
    "addmv": lambda: torch.addmv(torch.ones(2), A, V),
    "addmm": lambda: torch.addmm(torch.ones(5), A, B),
    "addmm in place": lambda: SUM.addmm_(A, B),
    "mm into a tensor": lambda: torch.mm(A, B, out=SUM),
    "bmm": lambda: torch.bmm(ROWS, B.expand(4, 3, 5)),
    "baddbmm": lambda: torch.baddbmm(SUMMAND, ROWS, B.expand(4, 3, 5)),
    "baddbmm in place": lambda: SUMMAND.baddbmm_(ROWS, B.expand(4, 3, 5)),
    "tensordot": lambda: torch.tensordot(ROWS, B, dims=1),
    "inner": lambda: torch.inner(A, B.T),
    "the operator itself": lambda: torch.ops.aten.mm(A, B),
    "vmap": lambda: torch.vmap(lambda row: B.T @ row)(A),
    "inference mode": torch.inference_mode()(lambda: torch.matmul(A, B)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_product_is_counted_once_whichever_way_it_is_written(way):
    with probes.ProductCount() as count:
        WAYS[way]()
    assert count.inner_sizes == [3]


def test_a_backward_pass_is_counted_too():
    weight = B.clone().requires_grad_()
    with probes.ProductCount() as count:
        loss = (A.clone().requires_grad_() @ weight).sum()
        loss.backward()
    assert sorted(count.inner_sizes) == [2, 3, 5]


def test_what_is_no_product_is_not_counted():
    with probes.ProductCount() as count:
        (A[:, :, None] * B).sum(dim=1).sigmoid().mul_(2).add(1).chunk(5, dim=1)[0].norm()
    assert count.inner_sizes == []
