"""Public tests of the gradient flow: cells at rest, whose answers can be worked out by hand.

With x and the biases zero every state stays zero, and there each cell is linear: tanh has slope 1 and
every gate is 1/2. What one step does to a gradient is then one small matrix, written beside each test.
"""

from __future__ import annotations

import torch

from assignments.gradient_flow import probes
from grader.suite import Part, Tolerance, expect, points

FLOW, SINGULAR = "hidden_gradient_norms", "largest_singular_value"
FLAT = 40.0  # tanh(40) is 1 to the last bit, of float64 too
WRITTEN_OUT = Tolerance(1e-5, 1e-6)  # the numbers below are given to six places
ROUNDED = Tolerance(0, 1e-6)  # a float64 norm may have passed through a float32 one


@points(1, of=FLOW, promise="norms")
def test_rnn_at_rest(submission):
    # (1, 1) times W_h, again and again: (0.5, 3), (0.25, 6.5), (0.125, 13.25); two equal rows.
    weights = {"W_x": torch.ones(2, 3), "W_h": torch.tensor([[0.5, 1.0], [0.0, 2.0]]), "bias": torch.zeros(2)}
    reply = submission.run(probes.norms, kind="rnn", weights=weights, x=torch.zeros(2, 4, 3))
    right = torch.tensor([18.739164, 9.199185, 4.301163, 2.0])
    expect(reply["the norms"], axes="step").matches(right, WRITTEN_OUT)


@points(1, of=FLOW, promise="any-cell")
def test_lstm_at_rest(submission):
    # One unit: c = 0.5 c + 2 h and h = 0.5 c. So a step takes dL/dc to 1.5 of it, and dL/dh is twice the next dL/dc.
    weights = {"W_x": torch.ones(4, 3), "W_h": torch.tensor([[1.0], [-1.0], [4.0], [2.0]]), "bias": torch.zeros(4)}
    reply = submission.run(probes.norms, kind="lstm", weights=weights, x=torch.zeros(4, 4, 3))
    expect(reply["the norms"], axes="step").matches(torch.tensor([4.5, 3.0, 2.0, 2.0]), WRITTEN_OUT)


@points(0.25, of=FLOW, promise="result")
def test_result_follows_the_sequence(submission):
    # x drives one unit of each row to where tanh is flat; the other is at rest, and doubles or trebles its gradient.
    weights = {"W_x": torch.eye(2), "W_h": torch.diag(torch.tensor([2.0, 3.0])), "bias": torch.zeros(2)}
    x = torch.tensor([[FLAT, 0.0], [0.0, FLAT]])[:, None].repeat(1, 3, 1)
    double = {label: value.double() for label, value in weights.items()}
    cases = [{"kind": "rnn", "weights": double, "x": x.double()}, {"kind": "rnn", "weights": weights, "x": x}]
    reply = submission.run(probes.results, cases=cases)
    # dL/dh_t is [[0, 9], [4, 0]], then [[0, 3], [2, 0]], then all ones.
    right = torch.tensor([97.0, 13.0, 4.0]).double().sqrt()
    expect(reply["the result of case 0"], axes="step").matches(right, ROUNDED)
    expect(reply["the result of case 1"], axes="step").matches(right.float(), ROUNDED)


@points(0.5, of=FLOW, promise="any-size")
def test_one_row_and_one_step(submission):
    # Nothing is before the only step: each of the H = 9 units has the gradient 1.
    weights = {"W_x": torch.ones(9, 2), "W_h": torch.eye(9), "bias": torch.zeros(9)}
    still = {"kind": "rnn", "weights": weights, "x": torch.zeros(1, 1, 2)}
    # A GRU, h = 0.5 h + 0.25 W_h_cand h: the first unit keeps its gradient, the second doubles it.
    weights = {"W_x_gates": torch.ones(4, 3), "W_h_gates": torch.ones(4, 2), "b_gates": torch.zeros(4)}
    weights |= {"W_x_cand": torch.ones(2, 3), "W_h_cand": torch.diag(torch.tensor([2.0, 6.0]))}
    weights |= {"b_cand": torch.zeros(2)}
    doubling = {"kind": "gru", "weights": weights, "x": torch.zeros(1, 3, 3)}
    reply = submission.run(probes.sizes, cases=[still, doubling])
    expect(reply["the norms of case 0"], axes="step").matches(torch.tensor([3.0]))
    expect(reply["the norms of case 1"], axes="step").matches(torch.tensor([4.123106, 2.236068, 1.414214]), WRITTEN_OUT)


@points(0.25, of=FLOW, promise="left-alone", side=True)
def test_cell_is_left_alone(submission):
    weights = {"W_x": torch.ones(1, 2), "W_h": torch.tensor([[2.0]]), "bias": torch.zeros(1)}
    reply = submission.run(probes.left_behind, kind="rnn", weights=weights, x=torch.zeros(4, 2, 2))
    expect(reply["the norms"], axes="step").matches(torch.tensor([4.0, 2.0]))
    for label in probes.LEFT_ALONE:
        expect(reply[label]).equals(True)


@points(0.75, of=SINGULAR, promise="singular")
def test_singular_values_written_out(submission):
    # A stretch, √45 (see the handout), a shear with the golden ratio, and two that are not square.
    matrices = [torch.diag(torch.tensor([1.0, -7.0, 2.0])), torch.tensor([[3.0, 0.0], [4.0, 5.0]])]
    matrices += [
        torch.tensor([[1.0, 1.0], [0.0, 1.0]]),
        torch.tensor([[3.0, 4.0]]),
        torch.tensor([[2.0], [-3.0], [6.0]]),
    ]
    reply = submission.run(probes.singular_values, matrices=matrices)
    for number, (matrix, right) in enumerate(zip(matrices, [7.0, 6.708204, 1.618034, 5.0, 7.0], strict=True)):
        value = reply.number(f"the value of matrix {number}")
        expect(Part(f"the value of {matrix.tolist()}", value)).is_close(right, WRITTEN_OUT)


@points(0.25, of=SINGULAR, promise="singular-float")
def test_singular_value_is_a_float(submission):
    reply = submission.run(probes.of_a_parameter, matrix=torch.tensor([[0.0, 2.0], [0.5, 0.0]]).double())
    for label in ("the value", "the value in float32"):
        expect(reply[label]).is_close(2.0, WRITTEN_OUT)
        expect(reply[f"{label} is a float"]).equals(True)
