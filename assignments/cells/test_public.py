"""Public tests of the cells: right answers from `torch.nn` or written out as numbers."""

from __future__ import annotations

import torch
from torch import nn

from assignments.cells import probes
from grader.suite import Tolerance, expect, points

RNN, LSTM, GRU = "RNNCellFromScratch", "LSTMCellFromScratch", "GRUCellFromScratch"
WRITTEN_OUT = Tolerance(1e-5, 0)  # the numbers below are given to six places
GATES = "input forget candidate output"
SATURATED = 40.0  # sigmoid(±40) is 1 or 0 to the last bit of float32


def spread(*shape: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """Numbers evenly spread over the shape, no two alike and none of them random."""
    count = int(torch.tensor(shape).prod())
    return torch.linspace(low, high, count).reshape(shape)


@points(0.25, of=RNN, promise="parameters")
def test_rnn_parameters(submission):
    reply = submission.run(probes.construction, name=RNN, labels=["W_x", "W_h", "bias"], input_size=5, hidden_size=3)
    _expect_parameters(reply, {"W_x": [3, 5], "W_h": [3, 3], "bias": [3]})


@points(1, of=RNN, promise="rnn-step")
def test_rnn_one_step(submission, rng):
    library = nn.RNNCell(5, 3)
    weights = {"W_x": torch.randn(3, 5, generator=rng), "W_h": torch.randn(3, 3, generator=rng)}
    weights["bias"] = torch.tensor([0.5, -1.0, 1.5])
    _load(library, weights)
    x, h = torch.randn(1, 2, 5, generator=rng), torch.randn(2, 3, generator=rng)
    reply = submission.run(probes.steps, name=RNN, weights=weights, x=x, h=h, c=torch.zeros(2, 3))
    right = library(x[0], h).detach()[None]
    expect(reply["h"], axes="step row unit").matches(right)
    expect(reply["c"], axes="step row unit").matches(right)


@points(0.25, of=RNN, promise="rnn-optional-c")
def test_rnn_without_c(submission):
    weights = {"W_x": spread(3, 5), "W_h": spread(3, 3), "bias": spread(3)}
    reply = submission.run(probes.without_c, name=RNN, weights=weights, x=spread(1, 1, 5), h=spread(1, 3))
    expect(reply["h"], axes="row unit").matches(torch.tensor([[0.211065, 0.837960, 0.976418]]), WRITTEN_OUT)


@points(0.5, of=LSTM, promise="parameters")
def test_lstm_parameters(submission):
    reply = submission.run(probes.construction, name=LSTM, labels=["W_x", "W_h", "bias"], input_size=5, hidden_size=3)
    _expect_parameters(reply, {"W_x": [12, 5], "W_h": [12, 3], "bias": [12]})


@points(0.5, of=LSTM, promise="lstm-forget-bias")
def test_lstm_forget_bias(submission):
    reply = submission.run(probes.construction, name=LSTM, labels=["bias"], input_size=2, hidden_size=3)
    expect(reply["bias"], axes="row", blocks=GATES).matches(torch.tensor([0.0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]))


@points(1.5, of=LSTM, promise="lstm-step")
def test_lstm_one_step(submission, rng):
    weights, library = _lstm_beside_library(5, 3, rng)
    x, h, c = (torch.randn(*shape, generator=rng) for shape in ((1, 2, 5), (2, 3), (2, 3)))
    reply = submission.run(probes.steps, name=LSTM, weights=weights, x=x, h=h, c=c)
    right_h, right_c = library(x[0], (h, c))
    expect(reply["c"], axes="step row unit").matches(right_c.detach()[None])
    expect(reply["h"], axes="step row unit").matches(right_h.detach()[None])


@points(1, of=LSTM, promise="lstm-order")
def test_lstm_block_order(submission):
    # All weights are zero, so each block is its bias: input shut, forget open, output open.
    # Then c must persist exactly, and h = tanh(c).
    shut, open_, level = torch.full((2,), -SATURATED), torch.full((2,), SATURATED), torch.full((2,), 0.7)
    weights = {"W_x": torch.zeros(8, 3), "W_h": torch.zeros(8, 2), "bias": torch.cat([shut, open_, level, open_])}
    c = torch.tensor([[0.5, -2.0]])
    reply = submission.run(probes.steps, name=LSTM, weights=weights, x=spread(1, 1, 3), h=torch.ones(1, 2), c=c)
    expect(reply["c"], axes="step row unit").matches(c[None])
    expect(reply["h"], axes="step row unit").matches(torch.tanh(c)[None])


@points(0.25, of=LSTM, promise="any-batch")
def test_lstm_row_of_one(submission, rng):
    weights, library = _lstm_beside_library(3, 4, rng)
    x, h, c = torch.randn(1, 1, 3, generator=rng), torch.ones(1, 4), -torch.ones(1, 4)
    reply = submission.run(probes.steps, name=LSTM, weights=weights, x=x, h=h, c=c)
    expect(reply["h"], axes="step row unit").matches(library(x[0], (h, c))[0].detach()[None])


@points(0.25, of=LSTM, promise="dtypes")
def test_lstm_float64(submission, rng):
    weights, library = _lstm_beside_library(5, 3, rng)
    library.double()
    x, h, c = (torch.randn(*shape, generator=rng).double() for shape in ((1, 2, 5), (2, 3), (2, 3)))
    weights = {label: value.double() for label, value in weights.items()}
    reply = submission.run(probes.steps, name=LSTM, weights=weights, x=x, h=h, c=c)
    expect(reply["h"], axes="step row unit").matches(library(x[0], (h, c))[0].detach()[None])


@points(0.5, of=LSTM, promise="gradients")
def test_lstm_gradients(submission, rng):
    weights, library = _lstm_beside_library(5, 3, rng)
    x, h, c = (torch.randn(*shape, generator=rng) for shape in ((1, 2, 5), (2, 3), (2, 3)))
    ones = torch.ones(2, 3)
    reply = submission.run(
        probes.gradients, name=LSTM, weights=weights, x=x, h=h, c=c, along_h=ones[None], along_c=ones
    )
    leaves = [tensor.clone().requires_grad_() for tensor in (x, h, c)]
    right_h, right_c = library(leaves[0][0], (leaves[1], leaves[2]))
    (right_h.sum() + right_c.sum()).backward()
    axes = {"x": "step row column", "h_prev": "row unit", "c_prev": "row unit"}
    for (label, names), leaf in zip(axes.items(), leaves, strict=True):
        expect(reply[f"the gradient of {label}"], axes=names).matches(leaf.grad)
    expect(reply["the gradient of W_x"], axes="row column", blocks=GATES).matches(library.weight_ih.grad)


@points(0.25, of=LSTM, promise="inputs-untouched", side=True)
def test_lstm_leaves_its_inputs(submission, rng):
    weights, library = _lstm_beside_library(5, 3, rng)
    x, h, c = (torch.randn(*shape, generator=rng) for shape in ((1, 2, 5), (2, 3), (2, 3)))
    reply = submission.run(probes.inputs_afterwards, name=LSTM, weights=weights, x=x, h=h, c=c)
    right = library(x[0], (h, c))[0].detach()
    expect(reply["h"], axes="row unit").matches(right)
    expect(reply["x_t"], axes="row column").matches(x[0])
    expect(reply["h_prev"], axes="row unit").matches(h)
    expect(reply["c_prev"], axes="row unit").matches(c)
    # The same tensors give the same again, and with weights of 0 every gate is a half and the candidate 0.
    expect(reply["h of a second call"], axes="row unit").matches(right)
    expect(reply["h of a third call, with weights of 0"], axes="row unit").matches(torch.tanh(c / 2) / 2)
    expect(reply["the grad mode is left as found"]).equals(True)


@points(0.25, of=GRU, promise="parameters")
def test_gru_parameters(submission):
    shapes = {"W_x_gates": [6, 5], "W_h_gates": [6, 3], "b_gates": [6]}
    shapes |= {"W_x_cand": [3, 5], "W_h_cand": [3, 3], "b_cand": [3]}
    reply = submission.run(probes.construction, name=GRU, labels=list(shapes), input_size=5, hidden_size=3)
    _expect_parameters(reply, shapes)


@points(1.5, of=GRU, promise="gru-step")
def test_gru_one_step(submission):
    weights = {"W_x_gates": spread(4, 3), "W_h_gates": spread(4, 2, low=1, high=-0.75), "b_gates": spread(4, low=-0.5)}
    weights |= {"W_x_cand": spread(2, 3), "W_h_cand": torch.tensor([[1.5, -2.0], [0.5, 3.0]])}
    weights |= {"b_cand": torch.tensor([0.25, -0.75])}
    x, h = torch.tensor([[[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]]]), torch.tensor([[0.8, -0.6], [-1.2, 0.4]])
    reply = submission.run(probes.steps, name=GRU, weights=weights, x=x, h=h, c=torch.zeros(2, 2))
    right = torch.tensor([[[0.841041, -0.567930], [-1.180357, 0.225169]]])
    expect(reply["h"], axes="step row unit").matches(right, WRITTEN_OUT)
    expect(reply["c"], axes="step row unit").matches(right, WRITTEN_OUT)


@points(0.75, of=GRU, promise="gru-order")
def test_gru_block_order(submission):
    # All weights are zero, so the gates are their biases: update shut, reset open. The state must stay.
    weights = {"W_x_gates": torch.zeros(4, 3), "W_h_gates": torch.zeros(4, 2)}
    weights |= {"b_gates": torch.tensor([-SATURATED, -SATURATED, SATURATED, SATURATED])}
    weights |= {"W_x_cand": spread(2, 3), "W_h_cand": spread(2, 2), "b_cand": torch.tensor([0.3, -0.3])}
    h = torch.tensor([[0.5, -0.9]])
    reply = submission.run(probes.steps, name=GRU, weights=weights, x=spread(1, 1, 3), h=h, c=torch.zeros(1, 2))
    expect(reply["h"], axes="step row unit").matches(h[None])


@points(0.25, of=GRU, promise="rnn-optional-c")
def test_gru_without_c(submission):
    # Update open and candidate weights zero: h is tanh(b_cand), whatever went in.
    weights = {"W_x_gates": torch.zeros(4, 3), "W_h_gates": torch.zeros(4, 2), "b_gates": torch.full((4,), SATURATED)}
    weights |= {"W_x_cand": torch.zeros(2, 3), "W_h_cand": torch.zeros(2, 2), "b_cand": torch.tensor([0.5, -1.0])}
    reply = submission.run(probes.without_c, name=GRU, weights=weights, x=spread(1, 1, 3), h=torch.ones(1, 2))
    expect(reply["h"], axes="row unit").matches(torch.tensor([[0.462117, -0.761594]]), WRITTEN_OUT)


def _lstm_beside_library(input_size: int, hidden_size: int, rng: torch.Generator):
    """Wide weights for the student's cell, and an `nn.LSTMCell` that has the same."""
    library = nn.LSTMCell(input_size, hidden_size)
    rows = 4 * hidden_size
    shapes = {"W_x": (rows, input_size), "W_h": (rows, hidden_size), "bias": (rows,)}
    weights = {label: torch.randn(*shape, generator=rng) for label, shape in shapes.items()}
    _load(library, weights)
    return weights, library


def _load(library: nn.RNNCellBase, weights: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        library.weight_ih.copy_(weights["W_x"])
        library.weight_hh.copy_(weights["W_h"])
        library.bias_ih.copy_(weights["bias"])
        library.bias_hh.zero_()


def _expect_parameters(reply, shapes: dict[str, list[int]]) -> None:
    for label, shape in shapes.items():
        expect(reply[f"the shape of {label}"]).equals(shape)
        expect(reply[f"{label} is a trained parameter"]).equals(True)
