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

# BEGIN SOLUTION NO PROMPT
LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def chosen(kinds, cell_type):
    """The entry of LAYERS or CELLS for this type; an unknown one is a ValueError."""
    if cell_type not in list(kinds):
        raise ValueError(f"cell_type is {cell_type!r}, expected one of {', '.join(kinds)}")
    return kinds[cell_type]


def as_pair(state):
    """The state of a library cell as (h, c); an RNN and a GRU have only h, which then comes twice."""
    return state if isinstance(state, tuple) else (state, state)


# END SOLUTION


class Encoder(nn.Module):
    """Reads a source and hands on its last state, the context."""

    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        """cell_type: "rnn", "lstm" or "gru"; anything else is a ValueError. Library cells are allowed."""
        super().__init__()
        # BEGIN SOLUTION
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.layer = chosen(LAYERS, cell_type)(embed_size, hidden_size, batch_first=True)
        # END SOLUTION

    def forward(self, source):
        """Read the whole source, starting from zeros.

        source: (B, S), long. Returns the context (h, c), each (B, H): the state after the last
        token; h twice for "rnn" and "gru".
        """
        # BEGIN SOLUTION
        _, last = self.layer(self.embedding(source))  # last: (1, B, H) for the one layer, two of them for an LSTM
        h, c = as_pair(last)
        return h[0], c[0]
        # END SOLUTION


class Decoder(nn.Module):
    """Writes one token at a time: each step takes a token and a state to logits and the next state."""

    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        """cell_type: as in `Encoder`."""
        super().__init__()
        # BEGIN SOLUTION
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cell = chosen(CELLS, cell_type)(embed_size, hidden_size)
        self.fc = nn.Linear(hidden_size, vocab_size)
        # END SOLUTION

    def forward(self, token, state):
        """One step.

        token: (B,), long; state: a pair (h, c), each (B, H).
        Returns (logits, state): logits (B, V) for the token that comes next, and the new (h, c).
        """
        # BEGIN SOLUTION
        h, c = state
        given = (h, c) if isinstance(self.cell, nn.LSTMCell) else h
        h, c = as_pair(self.cell(self.embedding(token), given))
        return self.fc(h), (h, c)
        # END SOLUTION


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    """The mean cross-entropy of predicting `target` from `source`, in nats.

    encoder, decoder: any two that are called like those above; source: (B, S); target: (B, T) with
    T ≥ 2, its first column the start token. Step t = 1 … T−1 predicts target[:, t]. Its input is
    target[:, t−1] with probability `teacher_forcing_prob`, one draw a step for the whole batch, and
    else the model's own argmax of the step before; the first input is always target[:, 0].
    generator: a torch.Generator on the target's device to draw with, in place of the global one.
    Returns a scalar tensor that has gradients.
    """
    # BEGIN SOLUTION
    device = generator.device if generator is not None else "cpu"
    state = encoder(source)
    losses = []
    own = target[:, 0]  # what the model said last; before the first step, the start token
    for t in range(1, target.shape[1]):
        forced = torch.rand((), generator=generator, device=device) < teacher_forcing_prob
        token = target[:, t - 1] if forced else own
        logits, state = decoder(token, state)
        own = logits.argmax(dim=1)
        losses.append(F.cross_entropy(logits, target[:, t]))
    return torch.stack(losses).mean()  # every step has B predictions, so this is the mean over all
    # END SOLUTION


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    """Write for each row of `source` what the decoder finds likeliest, one token after the other.

    source: (B, S); start_token and end_token: ints; max_len: the most tokens to return for a row, ≥ 0.
    Returns a list of B lists of ints, without start_token, each cut before its first end_token.
    Dropout is off and no gradients are recorded meanwhile; the modes of both modules are left as found.
    """
    # BEGIN SOLUTION
    modes = [(module, module.training) for part in (encoder, decoder) for module in part.modules()]
    encoder.eval()
    decoder.eval()
    try:
        with torch.no_grad():
            state = encoder(source)
            token = torch.full_like(source[:, 0], start_token)
            ended = torch.zeros_like(token, dtype=torch.bool)
            written = []
            while len(written) < max_len and not ended.all():
                logits, state = decoder(token, state)
                token = logits.argmax(dim=1)
                written.append(token.tolist())
                ended = ended | (token == end_token)
    finally:
        for module, training in modes:
            module.training = training
    rows = [[step[row] for step in written] for row in range(source.shape[0])]
    return [row[: row.index(end_token)] if end_token in row else row for row in rows]
    # END SOLUTION


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    """How often to feed the truth at a training step: scheduled sampling (Bengio et al., 2015).

    "linear": from 1 at step 0 to 0 at total_steps, then 0; "exponential": k ** step, 0 < k < 1;
    "inverse_sigmoid": k / (k + exp(step / k)), k ≥ 1. Only "linear" reads total_steps, only the
    others read k. Returns a float from 0 to 1, however large the step. Raises ValueError for an
    unknown schedule and for a k that is missing or out of range.
    """
    # BEGIN SOLUTION
    if schedule == "linear":
        return max(0.0, 1.0 - step / total_steps)
    if schedule == "exponential":
        if k is None or not 0 < k < 1:
            raise ValueError(f"an exponential schedule needs a k between 0 and 1, not {k}")
        return float(k**step)
    if schedule == "inverse_sigmoid":
        if k is None or not k >= 1:
            raise ValueError(f"an inverse_sigmoid schedule needs a k of at least 1, not {k}")
        scaled = k * math.exp(-step / k)  # both sides of the fraction times exp(-step / k): nothing can overflow
        return scaled / (scaled + 1.0)
    raise ValueError(f"schedule is {schedule!r}, expected linear, exponential or inverse_sigmoid")
    # END SOLUTION
