"""Hidden tests of the fast LSTM: wide weights, other sizes, every gradient alone, and the count again."""

from __future__ import annotations

import torch

from assignments.fast_lstm import oracle, probes
from grader.suite import Mismatch, expect, points

FAST = "FastLSTM"
AXES = {"outputs": "row step unit", "h": "row unit", "c": "row unit"}


@points(0.25, of=FAST, promise="parameters")
def test_parameters_of_other_sizes(submission):
    reply = submission.run(probes.construction, input_size=2, hidden_size=3)
    expect(reply["the shape of W_x"]).equals([12, 2])
    right = torch.zeros(12)
    right[3:6] = 1.0
    expect(reply["bias"], axes="row").matches(right)


@points(0.5, of=FAST, promise="numbers")
def test_numbers_match_nn_lstm(submission, rng):
    case = oracle.wide_case(rng, steps=5, hidden_size=7)
    assert case.state is not None
    case.state[1].mul_(4)  # a memory may be large: nothing promises to cut it off
    _expect_numbers(submission, case)


@points(0.25, of=FAST, promise="state")
def test_state_left_out_in_float64(submission, rng):
    _expect_numbers(submission, oracle.wide_case(rng, steps=2, from_zeros=True, dtype=torch.float64))


@points(0.25, of=FAST, promise="any-size")
def test_other_sizes(submission, rng):
    _expect_numbers(submission, oracle.wide_case(rng, steps=1, batch=2, input_size=1, hidden_size=1))


@points(0.25, of=FAST, promise="any-size")
def test_other_memory_layouts(submission, rng):
    _expect_numbers(submission, oracle.wide_case(rng, steps=2), probes.strided)


@points(0.25, of=FAST, promise="gradients")
def test_gradients_from_everything(submission, rng):
    case = oracle.wide_case(rng, steps=3)
    along = case.along(rng, "outputs", "h", "c")
    reply = submission.run(probes.gradients, **case.inputs, along=along)
    _expect_gradients(reply, oracle.gradients(case, along))


@points(0.5, of=FAST, promise="gradients")
def test_gradients_from_each_alone(submission, rng):
    case = oracle.wide_case(rng, steps=2, dtype=torch.float64)
    along = case.along(rng, "outputs", "h", "c")
    reply = submission.run(probes.gradients_apart, **case.inputs, along=along)
    for label, direction in along.items():
        _expect_gradients(reply, oracle.gradients(case, {label: direction}), f"from {label}, ")


@points(0.25, of=FAST, promise="untouched", side=True)
def test_what_is_given_is_left_alone(submission, rng):
    case = oracle.wide_case(rng, steps=2)
    reply = submission.run(probes.afterwards, **case.inputs)
    right = oracle.walk(case)["outputs"]
    expect(reply["outputs"]).matches(right)
    expect(reply["outputs of a second call"]).matches(right)
    assert case.state is not None
    for label, given in {"x": case.x, "h given": case.state[0], "c given": case.state[1]}.items():
        expect(reply[label]).matches(given)
    expect(reply["the grad mode is left as found"]).equals(True)


@points(1.25, of=FAST, promise="forward-products")
def test_forward_products_of_one_row(submission, rng):
    case = oracle.wide_case(rng, steps=5, batch=1, input_size=6, hidden_size=3)
    reply = submission.run(probes.forward_products, **case.inputs)
    _expect_right(reply, case)
    sizes = reply.sequence("the inner sizes of the forward products")
    few = case.steps <= len(sizes) <= case.steps + 1
    if not few or sizes.count(case.input_size) != 1 or sizes.count(case.hidden_size) != len(sizes) - 1:
        raise Mismatch("too many products, or too few, or of other sizes")


@points(1.25, of=FAST, promise="all-products")
def test_all_products_of_a_longer_walk(submission, rng):
    case = oracle.wide_case(rng, steps=6, batch=2, from_zeros=True)
    along = case.along(rng, "outputs", "c")
    reply = submission.run(probes.all_products, **case.inputs, along=along)
    _expect_gradients(reply, oracle.gradients(case, along))
    seen = reply.whole("the number of forward products")
    if seen < case.steps or reply.whole("the number of products in all") > 2 * case.steps + 4:
        raise Mismatch("too many products, or too few")


def _expect_numbers(submission, case: oracle.Case, probe=probes.numbers) -> None:
    _expect_right(submission.run(probe, **case.inputs), case)


def _expect_right(reply, case: oracle.Case) -> None:
    for label, right in oracle.walk(case).items():
        expect(reply[label], axes=AXES[label]).matches(right)


def _expect_gradients(reply, right: dict[str, torch.Tensor], prefix: str = "") -> None:
    for label, gradient in right.items():
        expect(reply[f"{prefix}the gradient of {label}"]).matches(gradient)
