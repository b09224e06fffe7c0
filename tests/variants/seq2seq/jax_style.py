"""Whole arrays of weights with a bias (gates, H), coins thrown ahead, row by row losses, schedules in float32."""
import math

import torch
import torch.nn.functional as F
from torch import nn

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


class Core(nn.Module):
    def __init__(self, kind, E, H):
        super().__init__()
        if kind not in GATES:
            raise ValueError(kind)
        self.kind = kind
        self.Wx = nn.Parameter(torch.randn(GATES[kind], E, H) / math.sqrt(E))
        self.Wh = nn.Parameter(torch.randn(GATES[kind], H, H) / math.sqrt(H))
        self.b = nn.Parameter(torch.zeros(GATES[kind], H))

    def forward(self, x, h, c):
        a = torch.einsum("be,geh->gbh", x, self.Wx) + self.b[:, None]
        r = torch.einsum("bk,gkh->gbh", h, self.Wh)
        if self.kind == "rnn":
            h = torch.tanh(a[0] + r[0])
            return h, h
        if self.kind == "lstm":
            i, f, g, o = a + r
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        z, s = (a[:2] + r[:2]).sigmoid()
        h = torch.lerp(torch.tanh(a[2] + s * r[2]), h, z)
        return h, h


class Encoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.H = hidden_size
        self.table = nn.Embedding(vocab_size, embed_size)
        self.core = Core(cell_type, embed_size, hidden_size)

    def forward(self, source):
        h = c = torch.zeros(source.shape[0], self.H).to(self.table.weight)
        for token in source.T:
            h, c = self.core(self.table(token), h, c)
        return h, c


class Decoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.table = nn.Embedding(vocab_size, embed_size)
        self.core = Core(cell_type, embed_size, hidden_size)
        self.head = nn.Linear(hidden_size, vocab_size, bias=False)

    def forward(self, token, state):
        h, c = self.core(self.table(token), *state)
        return self.head(h), (h, c)


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    T = target.size(1)
    device = generator.device if generator is not None else "cpu"
    coins = [
        bool(torch.rand((), generator=generator, device=device) < teacher_forcing_prob) for _ in range(T - 2)
    ]
    losses = []
    for src, tgt in zip(source, target):
        state, token = encoder(src.unsqueeze(0)), tgt[:1]
        for t in range(1, T):
            logits, state = decoder(token, state)
            losses.append(F.nll_loss(F.log_softmax(logits, -1), tgt[t : t + 1]))
            if t < T - 1:
                token = tgt[t : t + 1] if coins[t - 1] else logits.argmax(-1)
    return sum(losses) / len(losses)


@torch.no_grad()
def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    modes = encoder.training, decoder.training
    encoder.eval(), decoder.eval()
    try:
        state = encoder(source)
        ys = torch.full((source.size(0), 1), start_token, dtype=torch.long, device=source.device)
        for _ in range(max_len):
            logits, state = decoder(ys[:, -1], state)
            ys = torch.cat([ys, logits.argmax(-1, keepdim=True)], dim=1)
            if (ys[:, 1:] == end_token).any(dim=1).all():
                break
    finally:
        encoder.train(modes[0])
        decoder.train(modes[1])
    return [row[: row.index(end_token)] if end_token in row else row for row in ys[:, 1:].tolist()]


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    if schedule == "linear":
        return torch.clamp(torch.tensor(1.0 - step / total_steps), min=0.0).item()
    if schedule == "exponential":
        if k is None or not (0 < k < 1):
            raise ValueError(k)
        return k**step
    if schedule == "inverse_sigmoid":
        if k is None or k < 1:
            raise ValueError(k)
        return (k / (k + torch.exp(torch.tensor(step / k)))).item()
    raise ValueError(schedule)
