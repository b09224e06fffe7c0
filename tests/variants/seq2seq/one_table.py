"""Embedding and input projection in one table: row v is what token v adds to the gates; NumPy's schedules."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Core(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        if cell_type not in ("rnn", "lstm", "gru"):
            raise ValueError(cell_type)
        self.kind, self.H = cell_type, hidden_size
        gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell_type]
        self.table = nn.Embedding(vocab_size, gates * hidden_size)
        self.U = nn.Linear(hidden_size, gates * hidden_size)

    def step(self, token, h, c):
        a, r = self.table(token), self.U(h)
        if self.kind == "rnn":
            h = torch.tanh(a + r)
            return h, h
        if self.kind == "lstm":
            i, f, g, o = (a + r).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        az, ar, an = a.chunk(3, 1)
        rz, rr, rn = r.chunk(3, 1)
        z, q = (az + rz).sigmoid(), (ar + rr).sigmoid()
        h = (1 - z) * (an + q * rn).tanh() + z * h
        return h, h


class Encoder(Core):
    def forward(self, source):
        h = c = self.table.weight.new_zeros(len(source), self.H)
        for t in range(source.shape[1]):
            h, c = self.step(source[:, t], h, c)
        return h, c


class Decoder(Core):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__(vocab_size, embed_size, hidden_size, cell_type)
        self.out = nn.Linear(hidden_size, vocab_size)

    def forward(self, token, state):
        h, c = self.step(token, *state)
        return self.out(h), (h, c)


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    state = encoder(source)
    T = target.shape[1]
    coins = torch.rand(T - 1, generator=generator, device=target.device) < teacher_forcing_prob
    given, said = target[:, 0], []
    for t in range(T - 1):
        logits, state = decoder(given, state)
        said.append(logits)
        given = torch.where(coins[t], target[:, t + 1], logits.argmax(-1))
    return F.cross_entropy(torch.stack(said, 2), target[:, 1:])


@torch.no_grad()
def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    modes = encoder.training, decoder.training
    encoder.eval(), decoder.eval()
    try:
        state = encoder(source)
        token = torch.full_like(source[:, 0], start_token)
        rows = [[] for _ in source]
        for _ in range(max_len):
            logits, state = decoder(token, tuple(part.clone() for part in state))
            token = logits.argmax(-1)
            for row, word in zip(rows, token.tolist()):
                row.append(word)
    finally:
        encoder.train(modes[0])
        decoder.train(modes[1])
    return [(row + [end_token])[: (row + [end_token]).index(end_token)] for row in rows]


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    if schedule == "linear":
        return float(np.clip(1 - step / total_steps, 0, 1))
    if schedule == "exponential":
        if k is None or not 0.0 < k < 1.0:
            raise ValueError("0 < k < 1")
        return float(np.power(k, step))
    if schedule == "inverse_sigmoid":
        if k is None or k < 1:
            raise ValueError("k >= 1")
        with np.errstate(over="ignore"):
            return float(k / (k + np.exp(np.float64(step) / k)))
    raise ValueError(schedule)
