"""Public tests of training: right answers by hand, by torch functions, or written out as numbers.

All of them train on one text of 14 characters. In batches of two rows it reads, the last but one
character being a target only and the last one left over,

    x  0 2 1 3 1 4    y  2 1 3 1 4 2
       2 0 3 4 1 2       0 3 4 1 2 0

and the sequence length says into how many batches these columns are cut.
"""

from __future__ import annotations

import math

import torch

from assignments.training import probes
from grader.suite import Mismatch, Part, Tolerance, expect, points

TRAIN = "train"
TEXT = torch.tensor([0, 2, 1, 3, 1, 4, 2, 0, 3, 4, 1, 2, 0, 3])
X = torch.tensor([[0, 2, 1, 3, 1, 4], [2, 0, 3, 4, 1, 2]])
Y = torch.tensor([[2, 1, 3, 1, 4, 2], [0, 3, 4, 1, 2, 0]])
UNCLIPPED = 100.0
CLOSE = Tolerance(1e-5, 1e-5)  # the numbers written out below are given to six places


def spread(*shape: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """Numbers evenly spread over the shape, no two alike and none of them random."""
    return torch.linspace(low, high, math.prod(shape), dtype=torch.float64).reshape(shape)


TABLE = (spread(5, 5) * 7).sin() * 2  # a model whose logits are looked up by the last character
IN_PARTS = {"table": spread(5, 3) * 2, "fc": (spread(5, 3) * 5).cos() * 6, "bias": spread(5, high=0.5)}
RECURRENT = {
    "embedding": spread(5, 4),
    "W_0": spread(4, 4, low=0.9),
    "C_0": (spread(4, 4) * 9).sin(),
    "fc": (spread(5, 4) * 5).cos(),
    "bias": spread(5, high=0.5),
}


def given(submission, weights: dict[str, torch.Tensor], *, seq_len: int, **options: float) -> dict[str, object]:
    """The arguments of a probe for our text in batches of two rows."""
    options = {"batch_size": 2, "seq_len": seq_len, "num_epochs": 1, "grad_clip": UNCLIPPED, **options}
    batches = list(zip(X.split(seq_len, 1), Y.split(seq_len, 1), strict=True))
    stand_in = submission.stand_in  # your create_batches has failed: these take their place
    return {"weights": weights, "data": TEXT, "options": options, "batches": batches if stand_in else None}


@points(0.25, of=TRAIN, promise="signature")
def test_defaults(submission):
    # What is left out is what the signature says. Where it does not say, train is called on a text of one character
    # only, long enough for one batch of 64 rows and 100 columns, and half of a second one, which 50 columns would
    # use; and for as many epochs as it likes on two characters, in batches of one row and one column.
    reply = submission.run(probes.default_sizes, **_same(submission, 64, 100, spare=64 * 50), options={"num_epochs": 1})
    expect(reply["rows and columns fed by default"]).equals([64, 100])
    reply = submission.run(probes.default_epochs, **_same(submission, 1, 1), options={"batch_size": 1, "seq_len": 1})
    expect(reply["num_epochs by default"]).equals(20)


@points(0.25, of=TRAIN, promise="batches")
def test_batches_in_order(submission):
    inputs = given(submission, {"table": TABLE}, seq_len=3, num_epochs=2)
    reply = submission.run(probes.inputs_met, **inputs)
    expect(reply["the inputs"], axes="row column").matches(torch.cat([X, X], 1))


@points(0.5, of=TRAIN, promise="cross-entropy")
def test_cross_entropy(submission):
    # One batch is one epoch, and its loss is that before the step. Equal logits cost ln 5.
    even = {"table": torch.zeros(5, 5, dtype=torch.float64)}
    reply = submission.run(probes.losses, **given(submission, even, seq_len=6, learning_rate=0.5), still=False)
    _expect_losses(reply, [math.log(5)])
    inputs = given(submission, {"table": TABLE}, seq_len=6, learning_rate=0.5)
    _expect_losses(submission.run(probes.losses, **inputs, still=False), [_loss(TABLE)])


@points(0.5, of=TRAIN, promise="losses")
def test_losses(submission):
    # The model stands still here, whatever is done to it, but its logits grow with every column.
    inputs = given(submission, {"table": TABLE}, seq_len=2, num_epochs=2)
    reply = submission.run(probes.losses, **inputs, still=True)
    _expect_losses(reply, _losses_while_growing(2))
    expect(reply["the result is a list of floats"]).equals(True)


@points(0.25, of=TRAIN, promise="adam")
def test_first_step(submission):
    # Adam's first step moves each logit by the learning rate: up where this character followed that
    # one in the text, down where it did not.
    even = {"table": torch.zeros(5, 5, dtype=torch.float64)}
    reply = submission.run(probes.training, **given(submission, even, seq_len=6, learning_rate=0.1))
    right = torch.full((5, 5), -0.1, dtype=torch.float64)
    right[X, Y] = 0.1
    expect(reply["table after training"], axes="row column").matches(right, CLOSE)


@points(0.5, of=TRAIN, promise="adam")
def test_six_steps(submission):
    reply = submission.run(probes.training, **given(submission, {"table": TABLE}, seq_len=1, learning_rate=0.1))
    right = [
        [-1.753914, -0.706112, 1.143005, 1.740408, 1.557968],
        [1.373216, 0.457615, -0.468870, -1.255476, -1.984109],
        [-1.487580, -0.958483, -0.461683, 0.639935, 1.377207],
        [1.703109, 1.463330, 0.181206, -0.966429, -1.421130],
        [-2.171972, -1.570402, -0.928150, 0.092108, 1.139911],
    ]
    expect(reply["table after training"], axes="row column").matches(torch.tensor(right, dtype=torch.float64), CLOSE)


@points(0.5, of=TRAIN, promise="one-adam")
def test_three_epochs(submission):
    inputs = given(submission, {"table": TABLE}, seq_len=3, num_epochs=3, learning_rate=0.1)
    reply = submission.run(probes.training, **inputs)
    right = [
        [-1.767690, -0.719888, 1.327923, 2.151225, 1.544192],
        [1.040443, 0.124842, -0.250507, -1.013997, -1.733044],
        [-1.239255, -0.657390, -0.570388, 0.531230, 1.268501],
        [1.371128, 1.467716, -0.150775, -1.298409, -1.163350],
        [-2.340932, -1.374558, -0.526986, -0.076853, 0.970950],
    ]
    expect(reply["table after training"], axes="row column").matches(torch.tensor(right, dtype=torch.float64), CLOSE)


@points(0.75, of=TRAIN, promise="clipping")
def test_clipping(submission):
    # The norms of the six gradients, over all three weights together, are 5.6, 8.3, 4.0, 3.6, 7.6, 3.7:
    # unlike each other, and not all of them within the default.
    inputs = given(submission, IN_PARTS, seq_len=2, num_epochs=2, learning_rate=0.1, grad_clip=0.5)
    reply = submission.run(probes.training, **inputs)
    right = torch.tensor([-0.506246, -0.771569, -0.150003, 0.229669, 0.177558], dtype=torch.float64)
    expect(reply["bias after training"], axes="character").matches(right, CLOSE)


@points(0.5, of=TRAIN, promise="carried")
def test_states_are_carried(submission):
    reply = submission.run(probes.states_met, **given(submission, RECURRENT, seq_len=2), still=True)
    came = reply.tensor("the states that came in", (3, 2, 2, 4))
    went = reply.tensor("the states that went out", (3, 2, 2, 4))
    after = Part("what came into the second and third batch", came[1:])
    expect(after, axes="batch state row unit").matches(went[:-1], CLOSE)


@points(1, of=TRAIN, promise="detached")
def test_states_are_detached(submission):
    reply = submission.run(probes.states_met, **given(submission, RECURRENT, seq_len=2), still=False)
    expect(reply["a graph came along with h"]).equals([False, False, False])
    expect(reply["a graph came along with c"]).equals([False, False, False])


@points(0.5, of=TRAIN, promise="reset")
def test_states_start_anew(submission):
    inputs = given(submission, RECURRENT, seq_len=3, num_epochs=2)
    came = submission.run(probes.states_met, **inputs, still=True).tensor("the states that came in", (4, 2, 2, 4))
    nothing = torch.zeros(2, 2, 4, dtype=torch.float64)
    expect(Part("what came into the first batch of epoch 0", came[0]), axes="state row unit").matches(nothing, CLOSE)
    expect(Part("what came into the first batch of epoch 1", came[2]), axes="state row unit").matches(nothing, CLOSE)


@points(0.25, of=TRAIN, promise="training-mode")
def test_training_mode(submission):
    # The model, which has a dropout layer, comes in evaluation mode.
    reply = submission.run(probes.modes_met, **given(submission, {"table": TABLE}, seq_len=6))
    expect(reply["every part was in training mode"]).equals(True)


@points(0.25, of=TRAIN, promise="on-epoch", curve="the losses")
def test_on_epoch(submission):
    # Epochs enough for a loss curve, which your page in the class report shows.
    inputs = given(submission, {"table": TABLE}, seq_len=6, num_epochs=8, learning_rate=0.2)
    reply = submission.run(probes.callbacks, **inputs)
    expect(reply["the epochs told to on_epoch"]).equals(list(range(8)))
    expect(reply["the columns fed before each call of on_epoch"]).equals([6 * epochs for epochs in range(1, 9)])
    _expect_losses(reply, reply.numbers("the losses"), "the losses told to on_epoch")


@points(0.25, of=TRAIN, promise="no-epochs")
def test_no_epochs(submission):
    reply = submission.run(probes.no_epochs, **given(submission, {"table": TABLE}, seq_len=3))
    expect(reply["the result of no epochs"]).equals([])
    expect(reply["the calls of on_epoch in no epochs"]).equals(0)
    expect(reply["table after no epochs"]).matches(TABLE, CLOSE)
    expect(reply["the columns fed in one epoch"]).equals(6)
    _expect_length(reply, 1)


@points(0.5, of=TRAIN, promise="in-place")
def test_in_place(submission):
    # As in test_first_step, but it is the very model that was passed which is looked at, and no more
    # is asked than that each logit has moved the right way.
    even = {"table": torch.zeros(5, 5, dtype=torch.float64)}
    reply = submission.run(probes.training_in_place, **given(submission, even, seq_len=6, learning_rate=0.1))
    moved = reply.tensor("table after training", (5, 5))
    up = torch.zeros(5, 5, dtype=torch.bool)
    up[X, Y] = True
    if (moved == 0).all():
        raise Mismatch("the model that was passed is the same after training as before")
    if not torch.equal(moved > 0, up) or not torch.equal(moved < 0, ~up):
        raise Mismatch("the model that was passed has changed, but not as the text asks")


@points(0.25, of=TRAIN, promise="device")
def test_device(submission):
    reply = submission.run(probes.devices_met, **given(submission, {"table": TABLE}, seq_len=3))
    expect(reply["the batches went to the device"]).equals(True)
    expect(reply["their targets went to the device"]).equals(True)
    expect(reply["the model went to the device"]).equals(True)


@points(0.25, of=TRAIN, promise="grad-mode", side=True)
def test_grad_mode(submission):
    reply = submission.run(probes.losses, **given(submission, {"table": TABLE}, seq_len=6), still=True)
    expect(reply["gradients are on afterwards"]).equals(True)
    _expect_losses(reply, _losses_while_growing(1))


def _same(submission, rows: int, columns: int, spare: int = 0) -> dict[str, object]:
    """A probe's text and batches, for a text that is the character 0 over and over."""
    same, batch = (
        torch.zeros(rows * columns + 1 + spare, dtype=torch.long),
        torch.zeros(rows, columns, dtype=torch.long),
    )
    batches = [(batch, batch)] if submission.stand_in else None
    return {"data": same, "batches": batches}


def _loss(table: torch.Tensor) -> float:
    """What this table costs on the whole text: the mean over all 12 predictions."""
    return -table.log_softmax(1)[X, Y].mean().item()


def _losses_while_growing(epochs: int) -> list[float]:
    """What TABLE costs in each epoch if its logits grow by a twentieth of themselves with every column."""
    growth = 1 + probes.GROWTH * torch.arange(6.0 * epochs, dtype=torch.float64).reshape(epochs, 1, 6, 1)
    chances = (TABLE[X] * growth).log_softmax(3).gather(3, Y.expand(epochs, 2, 6).unsqueeze(3))
    return (-chances.mean((1, 2, 3))).tolist()


def _expect_losses(reply, right: list[float], label: str = "the losses") -> None:
    found = torch.tensor(reply.numbers(label), dtype=torch.float64)
    expect(Part(label, found), axes="epoch").matches(torch.tensor(right, dtype=torch.float64), CLOSE)


def _expect_length(reply, epochs: int) -> None:
    count = len(reply.sequence("the losses"))
    if count != epochs:
        raise Mismatch(f"{count} losses were returned, expected one for each of {epochs} epochs")
