"""Hidden tests of the cells: several steps, wide weights, every size different, every gradient."""

from __future__ import annotations

import torch

from assignments.cells import oracle, probes
from grader.suite import expect, points

RNN, LSTM, GRU = "RNNCellFromScratch", "LSTMCellFromScratch", "GRUCellFromScratch"
AXES = "step row unit"


@points(1, of=RNN, promise="rnn-step")
def test_rnn_matches_nn_rnn(submission, rng):
    _expect_walk(submission, oracle.wide_case(RNN, rng, dtype=torch.float32))


@points(0.75, of=RNN, promise="gradients")
def test_rnn_every_gradient(submission, rng):
    _expect_gradients(submission, oracle.wide_case(RNN, rng, steps=3), rng)


@points(0.25, of=RNN, promise="any-batch")
def test_rnn_other_sizes(submission, rng):
    _expect_walk(submission, oracle.wide_case(RNN, rng, batch=1, input_size=3, hidden_size=5))
    _expect_walk_of_a_used_cell(submission, oracle.wide_case(RNN, rng, input_size=4, hidden_size=4), rows=2)
    _expect_transposed(submission, oracle.wide_case(RNN, rng))


@points(0.25, of=RNN, promise="dtypes")
def test_rnn_in_float64(submission, rng):
    _expect_walk(submission, oracle.wide_case(RNN, rng))


@points(0.25, of=RNN, promise="inputs-untouched", side=True)
def test_rnn_leaves_what_it_is_given(submission, rng):
    _expect_untouched(submission, oracle.wide_case(RNN, rng))


@points(1.5, of=LSTM, promise="lstm-step")
def test_lstm_matches_nn_lstm(submission, rng):
    _expect_walk(submission, oracle.wide_case(LSTM, rng, steps=6, dtype=torch.float32))


@points(0.75, of=LSTM, promise="gradients")
def test_lstm_every_gradient(submission, rng):
    _expect_gradients(submission, oracle.wide_case(LSTM, rng, steps=3), rng)


@points(0.25, of=LSTM, promise="any-batch")
def test_lstm_equal_sizes(submission, rng):
    _expect_walk_of_a_used_cell(submission, oracle.wide_case(LSTM, rng, batch=4, input_size=4, hidden_size=4), rows=4)


@points(0.25, of=LSTM, promise="any-batch")
def test_lstm_one_row_and_one_unit(submission, rng):
    _expect_walk(submission, oracle.wide_case(LSTM, rng, batch=1, input_size=2, hidden_size=1))
    _expect_walk_of_a_used_cell(submission, oracle.wide_case(LSTM, rng, input_size=1, hidden_size=7), rows=2)


@points(0.25, of=LSTM, promise="any-batch")
def test_lstm_transposed_inputs(submission, rng):
    _expect_transposed(submission, oracle.wide_case(LSTM, rng))


@points(0.25, of=LSTM, promise="lstm-forget-bias")
def test_lstm_forget_bias_of_another_size(submission):
    reply = submission.run(probes.construction, name=LSTM, labels=["bias"], input_size=7, hidden_size=5)
    right = torch.zeros(20)
    right[5:10] = 1.0
    expect(reply["bias"], axes="row").matches(right)


@points(1.25, of=GRU, promise="gru-step")
def test_gru_matches_the_formula(submission, rng):
    _expect_walk(submission, oracle.wide_case(GRU, rng, dtype=torch.float32))


@points(0.5, of=GRU, promise="gru-step")
def test_gru_matches_nn_gru_where_they_meet(submission, rng):
    case = oracle.diagonal(oracle.wide_case(GRU, rng))
    reply = submission.run(probes.steps, **case.inputs)
    expect(reply["h"], axes=AXES).matches(oracle.nn_gru_where_they_meet(case).h)


@points(0.75, of=GRU, promise="gradients")
def test_gru_every_gradient(submission, rng):
    _expect_gradients(submission, oracle.wide_case(GRU, rng, steps=2, input_size=3, hidden_size=4), rng)


@points(0.25, of=GRU, promise="any-batch")
def test_gru_other_sizes(submission, rng):
    _expect_walk(submission, oracle.wide_case(GRU, rng, batch=1, input_size=3, hidden_size=5))
    _expect_walk_of_a_used_cell(submission, oracle.wide_case(GRU, rng, input_size=4, hidden_size=4), rows=2)
    _expect_transposed(submission, oracle.wide_case(GRU, rng))


@points(0.25, of=GRU, promise="dtypes")
def test_gru_in_float64(submission, rng):
    _expect_walk(submission, oracle.wide_case(GRU, rng))


@points(0.25, of=GRU, promise="inputs-untouched", side=True)
def test_gru_leaves_what_it_is_given(submission, rng):
    _expect_untouched(submission, oracle.wide_case(GRU, rng))


def _expect_walk(submission, case: oracle.Case, probe=probes.steps, **options: int) -> None:
    reply = submission.run(probe, **case.inputs, **options)
    right = oracle.walk(case)
    expect(reply["c"], axes=AXES).matches(right.c)
    expect(reply["h"], axes=AXES).matches(right.h)


def _expect_walk_of_a_used_cell(submission, case: oracle.Case, rows: int) -> None:
    # Called before with other weights: on fewer rows for what is made to the first batch's size, on as
    # many for what is kept. From one row a buffer would fit every batch.
    _expect_walk(submission, case, probes.steps_of_a_used_cell, rows=rows)


def _expect_transposed(submission, case: oracle.Case) -> None:
    _expect_walk(submission, case, probes.transposed_inputs)


def _expect_gradients(submission, case: oracle.Case, rng: torch.Generator) -> None:
    along_h = torch.randn(*case.x.shape[:2], case.h.shape[1], generator=rng).to(case.x.dtype)
    along_c = torch.randn(case.h.shape, generator=rng).to(case.x.dtype)
    reply = submission.run(probes.gradients, **case.inputs, along_h=along_h, along_c=along_c)
    for label, right in oracle.gradients(case, along_h, along_c).items():
        expect(reply[f"the gradient of {label}"]).matches(right)


def _expect_untouched(submission, case: oracle.Case) -> None:
    reply = submission.run(probes.inputs_afterwards, **case.inputs)
    right = oracle.walk(case).h[0]
    expect(reply["h"]).matches(right)
    expect(reply["h of a second call"]).matches(right)
    expect(reply["x_t"]).matches(case.x[0])
    expect(reply["h_prev"]).matches(case.h)
    expect(reply["c_prev"]).matches(case.c)
    expect(reply["the grad mode is left as found"]).equals(True)
