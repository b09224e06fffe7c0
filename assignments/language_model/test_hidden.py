"""Hidden tests of the language model: two and three layers, given states, every gradient.

Each is graded with the student's own cells, and if it fails again with stand-ins for them; the
oracle reckons with whichever it is.
"""

from __future__ import annotations

import torch

from assignments.language_model import oracle, probes
from grader.suite import Mismatch, expect, points

LSTM, ANY = "CharLSTM", "CharRNN"
LOGITS = "row step character"


@points(0.75, of=LSTM, promise="states-given")
def test_charlstm_two_layers_from_given_states(submission, rng):
    _expect_logits(submission, oracle.wide_case(LSTM, rng))


@points(0.5, of=LSTM, promise="states-returned")
def test_charlstm_states_of_three_layers(submission, rng):
    case = oracle.wide_case(LSTM, rng, layers=3, steps=2)
    reply = submission.run(probes.forward, **case.inputs)
    right = oracle.walk(case, submission.stand_in)
    _expect_states(reply, right.states, case.cell_type)


@points(0.5, of=LSTM, promise="states-attached")
def test_charlstm_every_gradient_of_states(submission, rng):
    # In evaluation mode, where some would think that no gradient is wanted.
    _expect_gradients(submission, oracle.wide_case(LSTM, rng, steps=3), rng, ("h of", "c of"), training=False)


@points(0.5, of=LSTM, promise="gradients")
def test_charlstm_every_gradient(submission, rng):
    _expect_gradients(
        submission, oracle.wide_case(LSTM, rng, steps=3, from_zeros=True), rng, ("embedding", "cells", "fc")
    )


@points(0.5, of=LSTM, promise="states-carried")
def test_charlstm_in_uneven_pieces(submission, rng):
    _expect_pieces(submission, oracle.wide_case(LSTM, rng, from_zeros=True), [1, 2, 1])


@points(0.25, of=LSTM, promise="states-untouched", side=True)
def test_charlstm_leaves_the_states_it_is_given(submission, rng):
    case = oracle.wide_case(LSTM, rng, steps=3)
    reply = submission.run(probes.states_afterwards, **case.inputs)
    expect(reply["logits"], axes=LOGITS).matches(oracle.walk(case, submission.stand_in).logits)
    expect(reply["the list is as it was"]).equals(True)
    _expect_states(reply, case.states, case.cell_type)


@points(0.25, of=ANY, promise="parts")
def test_charrnn_parts_of_three_layers(submission, rng):
    case = oracle.wide_case(ANY, rng, cell_type="rnn", layers=3)
    labels = [label for label in case.weights if label != "fc.bias"]
    reply = submission.run(probes.structure, name=ANY, sizes=case.sizes, labels=labels)
    expect(reply["cells is an nn.ModuleList"]).equals(True)
    expect(reply["the number of cells"]).equals(3)
    for label in labels:
        expect(reply[f"the shape of {label}"]).equals(list(case.weights[label].shape))
        expect(reply[f"{label} is a trained parameter"]).equals(True)
        expect(reply[f"{label} is the same tensor as"]).equals(label)


@points(0.5, of=ANY, promise="layers")
def test_charrnn_three_rnn_layers(submission, rng):
    _expect_logits(submission, oracle.wide_case(ANY, rng, cell_type="rnn", layers=3, steps=2))


@points(0.5, of=ANY, promise="cell-types")
def test_charrnn_two_gru_layers(submission, rng):
    _expect_logits(submission, oracle.wide_case(ANY, rng, cell_type="gru"))


@points(0.5, of=ANY, promise="states-carried")
def test_charrnn_gru_in_halves(submission, rng):
    _expect_pieces(submission, oracle.wide_case(ANY, rng, cell_type="gru", from_zeros=True), [2, 2])


@points(0.25, of=ANY, promise="gradients")
def test_charrnn_rnn_gradients(submission, rng):
    case = oracle.wide_case(ANY, rng, cell_type="rnn", steps=3)
    _expect_gradients(submission, case, rng, ("embedding", "cells", "fc", "h of"))


@points(0.25, of=ANY, promise="any-size")
def test_charrnn_other_sizes(submission, rng):
    _expect_logits(submission, oracle.wide_case(ANY, rng, batch=1, steps=3, layers=1, hidden_size=7))
    _expect_logits(submission, oracle.wide_case(ANY, rng, batch=2, steps=2, embed_size=1, vocab_size=2, hidden_size=1))


@points(0.25, of=ANY, promise="states-default")
def test_charrnn_starts_anew_at_every_call(submission, rng):
    first = oracle.wide_case(ANY, rng, from_zeros=True, steps=2)
    xs = [first.x, first.x, first.x[:2, :1]]
    reply = submission.run(probes.calls, **first.model, xs=xs)
    for number, x in enumerate(xs):
        case = oracle.Case(first.name, first.cell_type, first.layers, first.weights, x, None)
        right = oracle.walk(case, submission.stand_in)
        expect(reply[f"logits of call {number}"], axes=LOGITS).matches(right.logits)


@points(0.25, of=ANY, promise="grad-mode", side=True)
def test_charrnn_keeps_grad_mode(submission, rng):
    case = oracle.wide_case(ANY, rng, cell_type="gru", layers=1, steps=2, from_zeros=True)
    reply = submission.run(probes.grad_modes, **case.model, x=case.x)
    expect(reply["logits"], axes=LOGITS).matches(oracle.walk(case, submission.stand_in).logits)
    expect(reply["grad mode on is kept"]).equals(True)
    expect(reply["grad mode off is kept"]).equals(True)


@points(0.25, of=ANY, promise="cell-type-error", side=True)
def test_charrnn_refuses_near_misses(submission, rng):
    case = oracle.wide_case(ANY, rng, cell_type="rnn", layers=1, steps=2)
    near = ["", "ls", "grus", "rnn lstm", "LSTM"]
    reply = submission.run(probes.refusals, **case.inputs, cell_types=near)
    expect(reply["logits"], axes=LOGITS).matches(oracle.walk(case, submission.stand_in).logits)
    for cell_type in near:
        expect(reply[f"what cell_type={cell_type!r} raises"]).equals("ValueError")
        if not reply.flag(f"the error for cell_type={cell_type!r} names the three"):
            raise Mismatch(f"the ValueError for cell_type={cell_type!r} does not name rnn, lstm and gru")


def _expect_logits(submission, case: oracle.Case) -> None:
    reply = submission.run(probes.forward, **case.inputs)
    expect(reply["logits"], axes=LOGITS).matches(oracle.walk(case, submission.stand_in).logits)


def _expect_pieces(submission, case: oracle.Case, lengths: list[int]) -> None:
    reply = submission.run(probes.in_pieces, **case.model, x=case.x, lengths=lengths)
    right = oracle.walk(case, submission.stand_in)
    for number, piece in enumerate(right.logits.split(lengths, dim=1)):
        expect(reply[f"logits of piece {number}"], axes=LOGITS).matches(piece)


def _expect_gradients(
    submission, case: oracle.Case, rng: torch.Generator, kinds: tuple[str, ...], training: bool = True
) -> None:
    along = torch.randn(*case.x.shape, case.weights["fc.bias"].shape[0], generator=rng)
    reply = submission.run(probes.gradients, **case.inputs, along=along, training=training)
    for label, right in oracle.gradients(case, along, submission.stand_in).items():
        if label.startswith(kinds):
            expect(reply[f"the gradient of {label}"]).matches(right)


def _expect_states(reply, right: oracle.States, cell_type: str) -> None:
    expect(reply["the number of states"]).equals(len(right))
    for number, (h, c) in enumerate(right):
        expect(reply[f"h of layer {number}"], axes="row unit").matches(h)
        if cell_type == "lstm":
            expect(reply[f"c of layer {number}"], axes="row unit").matches(c)
