"""Public tests of the language model: right answers from `torch.nn` with the same weights.

Where your cells have a mistake of their own, a test is tried again with other cells, which step
linearly (`probes.plain_step`); then the right answer is a product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from assignments.language_model import probes
from grader.suite import Mismatch, expect, points

LSTM, ANY = "CharLSTM", "CharRNN"
LOGITS = "row step character"
V, E, H = 7, 5, 3
TWO_LAYERS = {"vocab_size": V, "embed_size": E, "hidden_size": H, "num_layers": 2}
KINDS = {
    "rnn": {"W_x": (H, "I"), "W_h": (H, H), "bias": (H,)},
    "lstm": {"W_x": (4 * H, "I"), "W_h": (4 * H, H), "bias": (4 * H,)},
    "gru": {
        "W_x_gates": (2 * H, "I"),
        "W_h_gates": (2 * H, H),
        "b_gates": (2 * H,),
        "W_x_cand": (H, "I"),
        "W_h_cand": (H, H),
        "b_cand": (H,),
    },
}


@points(0.5, of=LSTM, promise="parts")
def test_charlstm_parts(submission):
    _expect_structure(submission, LSTM, TWO_LAYERS, "lstm", 2)


@points(0.5, of=LSTM, promise="char-lstm")
def test_charlstm_one_layer(submission, rng):
    sizes = {"vocab_size": V, "embed_size": E, "hidden_size": H}
    _expect_logits(submission, LSTM, sizes, _draw(rng, "lstm", 1), _characters(rng, 2, 3))


@points(0.5, of=LSTM, promise="logits")
def test_charlstm_two_layers(submission, rng):
    _expect_logits(submission, LSTM, TWO_LAYERS, _draw(rng, "lstm", 2), _characters(rng, 2, 3))


@points(0.5, of=LSTM, promise="states-returned")
def test_charlstm_states(submission, rng):
    weights, x = _draw(rng, "lstm", 2), _characters(rng, 2, 3)
    reply = submission.run(probes.forward, name=LSTM, sizes=TWO_LAYERS, weights=weights, x=x, plain=submission.stand_in)
    right = _right(submission, weights, x)
    expect(reply["the number of states"]).equals(2)
    for layer in range(2):
        expect(reply[f"h of layer {layer}"], axes="row unit").matches(right.h[layer].detach())
        expect(reply[f"c of layer {layer}"], axes="row unit").matches(right.c[layer].detach())


@points(0.5, of=LSTM, promise="states-carried")
def test_charlstm_in_two_halves(submission, rng):
    weights, x = _draw(rng, "lstm", 2), _characters(rng, 2, 4)
    reply = submission.run(
        probes.in_pieces, name=LSTM, sizes=TWO_LAYERS, weights=weights, x=x, lengths=[2, 2], plain=submission.stand_in
    )
    whole = _right(submission, weights, x).logits.detach()
    expect(reply["logits of piece 0"], axes=LOGITS).matches(whole[:, :2])
    expect(reply["logits of piece 1"], axes=LOGITS).matches(whole[:, 2:])


@points(0.25, of=LSTM, promise="gradients")
def test_charlstm_gradients_of_parameters(submission, rng):
    reply, right = _gradients(submission, rng, None)
    for label in ("fc.weight", "cells.1.W_x", "cells.1.bias", "cells.0.W_x", "embedding.weight"):
        theirs = right.leaves[label].grad
        expect(reply[f"the gradient of {label}"], axes="row column" if theirs.dim() == 2 else "row").matches(theirs)


@points(0.25, of=LSTM, promise="states-attached")
def test_charlstm_gradients_of_states(submission, rng):
    states = [(torch.randn(2, H, generator=rng), torch.randn(2, H, generator=rng)) for _ in range(2)]
    reply, right = _gradients(submission, rng, states)
    for label in ("h of layer 0", "c of layer 0", "h of layer 1", "c of layer 1"):
        expect(reply[f"the gradient of {label}"], axes="row unit").matches(right.leaves[label].grad)


@points(0.25, of=LSTM, promise="states-untouched", side=True)
def test_charlstm_leaves_its_states(submission, rng):
    weights, x = _draw(rng, "lstm", 2), _characters(rng, 2, 3)
    states = [(torch.randn(2, H, generator=rng), torch.randn(2, H, generator=rng)) for _ in range(2)]
    inputs = {"name": LSTM, "sizes": TWO_LAYERS, "weights": weights, "x": x, "states": states}
    reply = submission.run(probes.states_afterwards, **inputs, plain=submission.stand_in)
    expect(reply["logits"], axes=LOGITS).matches(_right(submission, weights, x, states).logits.detach())
    expect(reply["the list is as it was"]).equals(True)
    for layer, (h, c) in enumerate(states):
        expect(reply[f"h of layer {layer}"], axes="row unit").matches(h)
        expect(reply[f"c of layer {layer}"], axes="row unit").matches(c)


@points(0.25, of=LSTM, promise="any-size")
def test_charlstm_one_character(submission, rng):
    _expect_logits(submission, LSTM, TWO_LAYERS, _draw(rng, "lstm", 2), _characters(rng, 1, 1))


@points(0.75, of=ANY, promise="cell-types")
def test_charrnn_kinds_of_cells(submission):
    for kind in ("rnn", "gru"):
        _expect_structure(submission, ANY, {**TWO_LAYERS, "cell_type": kind}, kind, 2)
    _expect_structure(submission, ANY, {"vocab_size": V, "embed_size": E, "hidden_size": H}, "lstm", 1)


@points(0.5, of=ANY, promise="layers")
def test_charrnn_three_layers(submission, rng):
    sizes = {**TWO_LAYERS, "num_layers": 3, "cell_type": "rnn"}
    _expect_logits(submission, ANY, sizes, _draw(rng, "rnn", 3), _characters(rng, 2, 3))


@points(0.5, of=ANY, promise="states-given")
def test_charrnn_from_given_states(submission, rng):
    states = [(torch.randn(2, H, generator=rng), torch.randn(2, H, generator=rng)) for _ in range(2)]
    sizes = {**TWO_LAYERS, "cell_type": "lstm"}
    _expect_logits(submission, ANY, sizes, _draw(rng, "lstm", 2), _characters(rng, 2, 3), states)


@points(0.25, of=ANY, promise="states-default")
def test_charrnn_starts_from_zeros_at_every_call(submission, rng):
    weights, sizes = _draw(rng, "lstm", 1), {"vocab_size": V, "embed_size": E, "hidden_size": H}
    xs = [_characters(rng, 2, 3), _characters(rng, 2, 3)]
    reply = submission.run(probes.calls, name=ANY, sizes=sizes, weights=weights, xs=xs, plain=submission.stand_in)
    for number, x in enumerate(xs):
        right = _right(submission, weights, x).logits.detach()
        expect(reply[f"logits of call {number}"], axes=LOGITS).matches(right)


@points(0.25, of=ANY, promise="cell-type-error", side=True)
def test_charrnn_unknown_cell_type(submission, rng):
    weights, x = _draw(rng, "rnn", 2), _characters(rng, 2, 2)
    inputs = {"name": ANY, "sizes": {**TWO_LAYERS, "cell_type": "rnn"}, "weights": weights, "x": x}
    reply = submission.run(probes.refusals, **inputs, cell_types=["transformer"], plain=submission.stand_in)
    expect(reply["logits"], axes=LOGITS).matches(_right(submission, weights, x).logits.detach())
    expect(reply["what cell_type='transformer' raises"]).equals("ValueError")
    if not reply.flag("the error for cell_type='transformer' names the three"):
        raise Mismatch("the ValueError's text does not name all of rnn, lstm and gru")


@points(0.25, of=LSTM, promise="grad-mode", side=True)
def test_charlstm_keeps_grad_mode(submission, rng):
    weights, x = _draw(rng, "lstm", 2), _characters(rng, 2, 2)
    reply = submission.run(
        probes.grad_modes, name=LSTM, sizes=TWO_LAYERS, weights=weights, x=x, plain=submission.stand_in
    )
    expect(reply["logits"], axes=LOGITS).matches(_right(submission, weights, x).logits.detach())
    expect(reply["grad mode on is kept"]).equals(True)
    expect(reply["grad mode off is kept"]).equals(True)


@dataclass
class Right:
    """Right logits (B, T, V), each layer's last h and c, and the leaves that gradients can be asked of."""

    logits: torch.Tensor
    h: list[torch.Tensor]
    c: list[torch.Tensor]
    leaves: dict[str, torch.Tensor]


def _expect_logits(submission, name, sizes, weights, x, states=None) -> None:
    inputs = {"name": name, "sizes": sizes, "weights": weights, "x": x, "states": states}
    reply = submission.run(probes.forward, **inputs, plain=submission.stand_in)
    expect(reply["logits"], axes=LOGITS).matches(_right(submission, weights, x, states).logits.detach())


def _expect_structure(submission, name, sizes, kind, layers) -> None:
    shapes = {"embedding.weight": [V, E], "fc.weight": [V, H]}
    for layer in range(layers):
        inputs = E if layer == 0 else H
        for label, shape in KINDS[kind].items():
            shapes[f"cells.{layer}.{label}"] = [inputs if size == "I" else size for size in shape]
    reply = submission.run(probes.structure, name=name, sizes=sizes, labels=list(shapes))
    for part in ("embedding is an nn.Embedding", "cells is an nn.ModuleList", "fc is an nn.Linear"):
        expect(reply[part]).equals(True)
    expect(reply["the number of cells"]).equals(layers)
    for label, shape in shapes.items():
        expect(reply[f"the shape of {label}"]).equals(shape)
        expect(reply[f"{label} is a trained parameter"]).equals(True)
        expect(reply[f"{label} is the same tensor as"]).equals(label)


def _gradients(submission, rng, states):
    """The student's gradients of `sum(along * logits)` in a two-layer LSTM, and the right ones."""
    weights, x = _draw(rng, "lstm", 2), _characters(rng, 2, 3)
    along = torch.randn(2, 3, V, generator=rng)
    inputs = {"name": LSTM, "sizes": TWO_LAYERS, "weights": weights, "x": x, "along": along, "states": states}
    reply = submission.run(probes.gradients, **inputs, plain=submission.stand_in)
    right = _right(submission, weights, x, states)
    (right.logits * along).sum().backward()
    return reply, right


def _draw(rng: torch.Generator, kind: str, layers: int) -> dict[str, torch.Tensor]:
    """Wide weights, another one for every place."""
    weights = {"embedding.weight": torch.randn(V, E, generator=rng)}
    for layer in range(layers):
        for label, shape in KINDS[kind].items():
            sizes = [(E if layer == 0 else H) if size == "I" else size for size in shape]
            weights[f"cells.{layer}.{label}"] = torch.randn(*sizes, generator=rng) / 2
    weights["fc.weight"], weights["fc.bias"] = torch.randn(V, H, generator=rng), torch.randn(V, generator=rng)
    return weights


def _characters(rng: torch.Generator, rows: int, steps: int) -> torch.Tensor:
    return torch.randint(V, (rows, steps), generator=rng)


def _right(submission, weights, x, states=None) -> Right:
    """The right answer for an LSTM or RNN, from `states` or from zeros."""
    leaves = {label: value.clone().requires_grad_() for label, value in weights.items()}
    layers = sum(label.endswith(".W_x") for label in weights)
    for layer in range(layers):
        for which, letter in enumerate("hc"):
            start = torch.zeros(x.shape[0], H) if states is None else states[layer][which]
            leaves[f"{letter} of layer {layer}"] = start.clone().requires_grad_()
    values = {label: leaf.double() for label, leaf in leaves.items()}
    top = nn.functional.embedding(x, values["embedding.weight"])
    hs, cs = [], []
    for layer in range(layers):
        own = {label: values[f"cells.{layer}.{label}"] for label in ("W_x", "W_h", "bias")}
        h, c = values[f"h of layer {layer}"], values[f"c of layer {layer}"]
        top, c = (_plain_layer if submission.stand_in else _library_layer)(own, top, h, c)
        hs.append(top[:, -1].float())
        cs.append(c.float())
    return Right(nn.functional.linear(top, values["fc.weight"], values["fc.bias"]).float(), hs, cs, leaves)


def _library_layer(own, x, h, c):
    """`nn.LSTM` or `nn.RNN` with these weights: every h (B, T, H) and the last c."""
    given = {"weight_ih_l0": own["W_x"], "weight_hh_l0": own["W_h"], "bias_ih_l0": own["bias"]}
    given["bias_hh_l0"] = torch.zeros_like(own["bias"])
    if own["W_x"].shape[0] == H:
        hs, last = functional_call(nn.RNN(x.shape[2], H, batch_first=True).double(), given, (x, h[None]))
        return hs, last[0]
    library = nn.LSTM(x.shape[2], H, batch_first=True).double()
    hs, (_, last) = functional_call(library, given, (x, (h[None], c[None])))
    return hs, last[0]


def _plain_layer(own, x, h, c):
    """The same of `probes.plain_step`, all steps at once."""
    drive = x @ own["W_x"][:H].T + own["bias"][:H]
    if own["W_x"].shape[0] == H:
        hs = _fading(0.5, h, drive)
        return hs, hs[:, -1]
    cs = _fading(0.5, c, drive)
    return _fading(0.25, h, 2 * cs), cs[:, -1]


def _fading(left: float, start: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    """A state (B, T, H) of which so much is left at each step, and to which `added` (B, T, H) comes."""
    steps = added.shape[1]
    ages = torch.arange(steps)[:, None] - torch.arange(steps)
    fading = torch.where(ages >= 0, left ** ages.double(), 0.0)
    return fading @ added + left ** torch.arange(1, steps + 1).double()[:, None] * start[:, None]
