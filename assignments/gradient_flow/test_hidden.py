"""Hidden tests of the gradient flow: wide random cells of every kind, every size different."""

from __future__ import annotations

import torch

from assignments.gradient_flow import oracle, probes
from assignments.gradient_flow.test_public import ROUNDED
from grader.suite import Tolerance, expect, points

FLOW, SINGULAR = "hidden_gradient_norms", "largest_singular_value"
# A float32 singular value is good to 1e-6 of itself, whichever way it is found.
SINGLE = Tolerance(1e-5, 1e-5)


@points(0.75, of=FLOW, promise="norms")
def test_rnn_norms(submission, rng):
    _expect_norms(submission, oracle.wide_case("rnn", rng))


@points(0.75, of=FLOW, promise="any-cell")
def test_lstm_norms(submission, rng):
    _expect_norms(submission, oracle.wide_case("lstm", rng, steps=4))


@points(0.5, of=FLOW, promise="any-cell")
def test_gru_norms(submission, rng):
    _expect_norms(submission, oracle.wide_case("gru", rng, steps=3))


@points(0.5, of=FLOW, promise="any-size")
def test_other_sizes(submission, rng):
    cases = [
        oracle.wide_case("lstm", rng, steps=1, batch=2, input_size=3, hidden_size=5),
        oracle.wide_case("lstm", rng, steps=2, batch=1, input_size=1, hidden_size=3),
        oracle.wide_case("rnn", rng, steps=3, batch=3, input_size=3, hidden_size=3),
    ]
    reply = submission.run(probes.sizes, cases=[case.inputs for case in cases])
    for number, case in enumerate(cases):
        expect(reply[f"the norms of case {number}"], axes="step").matches(oracle.norms(case))


@points(0.25, of=FLOW, promise="result")
def test_dtype_of_the_result(submission, rng):
    cases = [oracle.wide_case("rnn", rng, steps=3, dtype=torch.float64), oracle.wide_case("rnn", rng, steps=2)]
    reply = submission.run(probes.results, cases=[case.inputs for case in cases])
    expect(reply["the result of case 0"], axes="step").matches(oracle.norms(cases[0]), ROUNDED)
    expect(reply["the result of case 1"], axes="step").matches(oracle.norms(cases[1]))


@points(0.25, of=FLOW, promise="left-alone", side=True)
def test_nothing_is_left_behind(submission, rng):
    case = oracle.wide_case("rnn", rng, steps=2)
    reply = submission.run(probes.left_behind, **case.inputs)
    expect(reply["the norms"], axes="step").matches(oracle.norms(case))
    for label in probes.LEFT_ALONE:
        expect(reply[label]).equals(True)


@points(0.75, of=SINGULAR, promise="singular")
def test_singular_values(submission, rng):
    tall = torch.randn(7, 3, generator=rng)
    thin = torch.randn(5, 1, generator=rng) @ torch.randn(1, 4, generator=rng)  # of rank 1
    one = torch.randn(1, 1, generator=rng)
    matrices = [torch.randn(5, 5, generator=rng), tall, torch.randn(2, 6, generator=rng), thin, one]
    reply = submission.run(probes.singular_values, matrices=matrices)
    for number, matrix in enumerate(matrices):
        expect(reply[f"the value of matrix {number}"]).is_close(oracle.largest_singular_value(matrix), SINGLE)


@points(0.25, of=SINGULAR, promise="singular-float")
def test_singular_value_of_a_parameter(submission, rng):
    matrix = torch.randn(4, 3, generator=rng).double()
    reply = submission.run(probes.of_a_parameter, matrix=matrix)
    for label in ("the value", "the value in float32"):
        expect(reply[label]).is_close(oracle.largest_singular_value(matrix), SINGLE)
        expect(reply[f"{label} is a float"]).equals(True)


def _expect_norms(submission, case: oracle.Case) -> None:
    reply = submission.run(probes.norms, **case.inputs)
    expect(reply["the norms"], axes="step").matches(oracle.norms(case))
