"""Training a character model with truncated back-propagation through time.

A text is far longer than any graph of it could be. So it is cut into batches that follow on from
each other: the states travel from batch to batch, the gradients stop at the batch's edge.
"""

import torch
from torch.nn import functional as F

from batching import create_batches


def train(
    model,
    data,
    *,
    batch_size=64,
    seq_len=100,
    num_epochs=20,
    learning_rate=0.002,
    grad_clip=5.0,
    device="cpu",
    on_epoch=None,
):
    """Train `model` in place on `data`, a LongTensor (N,), and return each epoch's mean loss.

    model: anything with `CharRNN`'s forward, `model(x (B, T), states=None) -> (logits (B, T, V), states)`
        with states a list of one (h, c) per layer. It and the batches go to `device`.
    One Adam for the whole run; the states start anew with every epoch; before each step the gradients
    are clipped to the global norm `grad_clip`. `on_epoch(epoch, loss)` is called after each epoch,
    epoch counted from 0. `train(model, data, num_epochs=3)` returns, say, `[3.31, 2.87, 2.64]`.
    """
    raise NotImplementedError("training: write train, then type: grader check -a training")
