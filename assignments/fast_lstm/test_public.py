"""Public tests of the fast LSTM: right answers from `nn.LSTM` with the same weights, and a count of products."""

from __future__ import annotations

import torch
from torch import nn

from assignments.fast_lstm import probes
from grader.suite import Mismatch, expect, points

FAST = "FastLSTM"
SIZES = "the inner sizes of the forward products"
INPUT, HIDDEN = 6, 4
GATES = "input forget candidate output"


@points(0.25, of=FAST, promise="parameters")
def test_parameters(submission):
    reply = submission.run(probes.construction, input_size=5, hidden_size=2)
    for label, shape in {"W_x": [8, 5], "W_h": [8, 2], "bias": [8]}.items():
        expect(reply[f"the shape of {label}"]).equals(shape)
        expect(reply[f"{label} is a trained parameter"]).equals(True)
    expect(reply["bias"], axes="row", blocks=GATES).matches(torch.tensor([0.0, 0, 1, 1, 0, 0, 0, 0]))


@points(0.75, of=FAST, promise="numbers")
def test_numbers_from_zeros(submission, rng):
    weights, library = _beside_library(rng)
    x = torch.randn(3, 4, INPUT, generator=rng)
    reply = submission.run(probes.numbers, weights=weights, x=x)
    _expect_numbers(reply, library, x)


@points(0.5, of=FAST, promise="state")
def test_numbers_from_a_given_state(submission, rng):
    weights, library = _beside_library(rng)
    x, h, c = (torch.randn(*shape, generator=rng) for shape in ((3, 2, INPUT), (3, HIDDEN), (3, HIDDEN)))
    reply = submission.run(probes.numbers, weights=weights, x=x, state=(h, c))
    _expect_numbers(reply, library, x, (h[None], c[None]))


@points(0.5, of=FAST, promise="gradients")
def test_gradients(submission, rng):
    weights, library = _beside_library(rng)
    x, h, c, along = _gradient_case(rng, batch=3, steps=2)
    reply = submission.run(probes.gradients, weights=weights, x=x, state=(h, c), along=along)
    _expect_gradients(reply, library, x, (h, c), along)


@points(0.25, of=FAST, promise="any-size")
def test_one_row_and_a_transposed_batch_in_float64(submission, rng):
    weights, library = _beside_library(rng)
    weights, library = {label: value.double() for label, value in weights.items()}, library.double()
    one, several = (torch.randn(*shape, INPUT, generator=rng).double() for shape in ((1, 1), (3, 2)))
    _expect_numbers(submission.run(probes.numbers, weights=weights, x=one), library, one)
    _expect_numbers(submission.run(probes.strided, weights=weights, x=several), library, several)


@points(0.25, of=FAST, promise="untouched", side=True)
def test_inputs_are_left_alone(submission, rng):
    weights, library = _beside_library(rng)
    x, h, c = (torch.randn(*shape, generator=rng) for shape in ((2, 2, INPUT), (2, HIDDEN), (2, HIDDEN)))
    reply = submission.run(probes.afterwards, weights=weights, x=x, state=(h, c))
    right = library(x, (h[None], c[None]))[0].detach()
    for label in ("outputs", "outputs of a second call"):
        expect(reply[label], axes="row step unit").matches(right)
    for label, given in {"x": x, "h given": h, "c given": c}.items():
        expect(reply[label], axes="row step column" if label == "x" else "row unit").matches(given)
    expect(reply["the grad mode is left as found"]).equals(True)


@points(1.25, of=FAST, promise="forward-products")
def test_products_of_a_forward_pass(submission, rng):
    weights, library = _beside_library(rng)
    x, steps = torch.randn(2, 4, INPUT, generator=rng), 4
    reply = submission.run(probes.forward_products, weights=weights, x=x)
    _expect_numbers(reply, library, x)
    inner = reply.sequence(SIZES)
    seen = f"matrix products seen in a forward pass over {steps} steps: {len(inner)}"
    if len(inner) < steps:
        raise Mismatch(f"{seen}. There must be one a step at least, so some are made where they can't be seen.")
    if len(inner) > steps + 1:
        raise Mismatch(
            f"{seen}. At most {steps + 1} are allowed. Their inner sizes: {inner}; I is {INPUT} and H is {HIDDEN}."
        )
    if inner.count(INPUT) != 1 or inner.count(HIDDEN) != len(inner) - 1:
        raise Mismatch(
            f"{seen}, of inner sizes {inner}. One should be of size I = {INPUT}, the others of size H = {HIDDEN}."
        )


@points(1.25, of=FAST, promise="all-products")
def test_products_of_both_passes(submission, rng):
    weights, library = _beside_library(rng)
    x, h, c, along = _gradient_case(rng, batch=2, steps=4)
    reply = submission.run(probes.all_products, weights=weights, x=x, state=(h, c), along=along)
    _expect_gradients(reply, library, x, (h, c), along)
    forward, together = reply.whole("the number of forward products"), reply.whole("the number of products in all")
    if forward < 4:
        raise Mismatch(
            f"matrix products seen in a forward pass over 4 steps: {forward}. There must be one a step at least, "
            "so some are made where they can't be seen."
        )
    if together > 2 * 4 + 4:
        raise Mismatch(
            f"matrix products seen in a forward pass over 4 steps: {forward}, in its backward pass: "
            f"{together - forward}. Together at most 2T + 4 = 12 are allowed."
        )


def _beside_library(rng: torch.Generator) -> tuple[dict[str, torch.Tensor], nn.LSTM]:
    """Wide weights for the student's module, and an `nn.LSTM` that has the same."""
    library = nn.LSTM(INPUT, HIDDEN, batch_first=True)
    weights = {
        "W_x": torch.randn(4 * HIDDEN, INPUT, generator=rng),
        "W_h": torch.randn(4 * HIDDEN, HIDDEN, generator=rng),
    }
    weights["bias"] = torch.randn(4 * HIDDEN, generator=rng)
    with torch.no_grad():
        library.weight_ih_l0.copy_(weights["W_x"])
        library.weight_hh_l0.copy_(weights["W_h"])
        library.bias_ih_l0.copy_(weights["bias"])
        library.bias_hh_l0.zero_()
    return weights, library


def _gradient_case(rng: torch.Generator, batch: int, steps: int):
    """x, h, c, and a direction for each of outputs, h and c."""
    shapes = (
        (batch, steps, INPUT),
        (batch, HIDDEN),
        (batch, HIDDEN),
        (batch, steps, HIDDEN),
        (batch, HIDDEN),
        (batch, HIDDEN),
    )
    x, h, c, *directions = (torch.randn(*shape, generator=rng) for shape in shapes)
    return x, h, c, dict(zip(("outputs", "h", "c"), directions, strict=True))


def _expect_numbers(reply, library: nn.LSTM, x: torch.Tensor, *state) -> None:
    outputs, (h, c) = library(x, *state)
    expect(reply["outputs"], axes="row step unit").matches(outputs.detach())
    expect(reply["h"], axes="row unit").matches(h[0].detach())
    expect(reply["c"], axes="row unit").matches(c[0].detach())


def _expect_gradients(reply, library: nn.LSTM, x: torch.Tensor, state, along: dict[str, torch.Tensor]) -> None:
    leaves = [tensor.clone().requires_grad_() for tensor in (x, *state)]
    outputs, (h, c) = library(leaves[0], (leaves[1][None], leaves[2][None]))
    came = {"outputs": outputs, "h": h[0], "c": c[0]}
    torch.stack([(came[label] * direction).sum() for label, direction in along.items()]).sum().backward()
    axes = {"x": "row step column", "h_0": "row unit", "c_0": "row unit"}
    for (label, names), leaf in zip(axes.items(), leaves, strict=True):
        expect(reply[f"the gradient of {label}"], axes=names).matches(leaf.grad)
    for label, theirs in (("W_x", library.weight_ih_l0), ("W_h", library.weight_hh_l0), ("bias", library.bias_ih_l0)):
        names = "row column" if theirs.dim() == 2 else "row"
        expect(reply[f"the gradient of {label}"], axes=names, blocks=GATES).matches(theirs.grad)
