"""Sequence to sequence: an encoder reads, a decoder writes, and a loss teaches them.

    source      7   2   9                      target   START  a    b
                ↓   ↓   ↓                                 ↓    ↓    ↓
    zeros ──→  Encoder ──→  context (h, c)  ──→  Decoder ──→ ──→ ──→
                                                          ↓    ↓    ↓
                                               predicts   a    b   END

`sequence_loss` is for training, where the target is known; `greedy_decode` is for later, when it is not.
Every sequence of a batch has the same length here: nothing is padded, and nothing masked.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Encoder(nn.Module):
    """Reads a source and hands on its last state, the context."""

    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        """cell_type: "rnn", "lstm" or "gru"; anything else is a ValueError. Library cells are allowed."""
        super().__init__()
        raise NotImplementedError("seq2seq: write Encoder.__init__, then type: grader check -a seq2seq")

    def forward(self, source):
        """Read the whole source, starting from zeros.

        source: (B, S), long. Returns the context (h, c), each (B, H): the state after the last
        token; h twice for "rnn" and "gru".
        """
        raise NotImplementedError("seq2seq: write Encoder.forward, then type: grader check -a seq2seq")


class Decoder(nn.Module):
    """Writes one token at a time: each step takes a token and a state to logits and the next state."""

    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        """cell_type: as in `Encoder`."""
        super().__init__()
        raise NotImplementedError("seq2seq: write Decoder.__init__, then type: grader check -a seq2seq")

    def forward(self, token, state):
        """One step.

        token: (B,), long; state: a pair (h, c), each (B, H).
        Returns (logits, state): logits (B, V) for the token that comes next, and the new (h, c).
        """
        raise NotImplementedError("seq2seq: write Decoder.forward, then type: grader check -a seq2seq")


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    """The mean cross-entropy of predicting `target` from `source`, in nats.

    encoder, decoder: any two that are called like those above; source: (B, S); target: (B, T) with
    T ≥ 2, its first column the start token. Step t = 1 … T−1 predicts target[:, t]. Its input is
    target[:, t−1] with probability `teacher_forcing_prob`, one draw a step for the whole batch, and
    else the model's own argmax of the step before; the first input is always target[:, 0].
    generator: a torch.Generator on the target's device to draw with, in place of the global one.
    Returns a scalar tensor that has gradients.
    """
    raise NotImplementedError("seq2seq: write sequence_loss, then type: grader check -a seq2seq")


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    """Write for each row of `source` what the decoder finds likeliest, one token after the other.

    source: (B, S); start_token and end_token: ints; max_len: the most tokens to return for a row, ≥ 0.
    Returns a list of B lists of ints, without start_token, each cut before its first end_token.
    Dropout is off and no gradients are recorded meanwhile; the modes of both modules are left as found.
    """
    raise NotImplementedError("seq2seq: write greedy_decode, then type: grader check -a seq2seq")


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    """How often to feed the truth at a training step: scheduled sampling (Bengio et al., 2015).

    "linear": from 1 at step 0 to 0 at total_steps, then 0; "exponential": k ** step, 0 < k < 1;
    "inverse_sigmoid": k / (k + exp(step / k)), k ≥ 1. Only "linear" reads total_steps, only the
    others read k. Returns a float from 0 to 1, however large the step. Raises ValueError for an
    unknown schedule and for a k that is missing or out of range.
    """
    raise NotImplementedError("seq2seq: write teacher_forcing_probability, then type: grader check -a seq2seq")
