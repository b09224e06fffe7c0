"""Plain tensors in ParameterLists and loops over gates; recursion in place of a loop for decoding."""
import math

import torch
from torch import nn


class Recurrence(nn.Module):
    def __init__(self, kind, E, H):
        super().__init__()
        n = {"rnn": 1, "gru": 3, "lstm": 4}.get(kind)
        if n is None:
            raise ValueError("kind")
        self.kind = kind
        self.from_x = nn.ModuleList([nn.Linear(E, H) for _ in range(n)])
        self.from_h = nn.ModuleList([nn.Linear(H, H, bias=False) for _ in range(n)])

    def forward(self, x, h, c):
        if self.kind == "gru":
            z, r = (torch.sigmoid(self.from_x[k](x) + self.from_h[k](h)) for k in (0, 1))
            h = torch.lerp(h, torch.tanh(self.from_x[2](x) + self.from_h[2](r * h)), z)
            return h, h
        gates = [a(x) + b(h) for a, b in zip(self.from_x, self.from_h)]
        if self.kind == "rnn":
            return (torch.tanh(gates[0]),) * 2
        c = torch.sigmoid(gates[1]) * c + torch.sigmoid(gates[0]) * torch.tanh(gates[2])
        return torch.sigmoid(gates[3]) * torch.tanh(c), c


class Encoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.emb = nn.EmbeddingBag(vocab_size, embed_size, mode="sum")
        self.rec = Recurrence(cell_type, embed_size, hidden_size)
        self.H = hidden_size

    def forward(self, source):
        start = torch.zeros(source.shape[0], self.H, dtype=self.emb.weight.dtype, device=source.device)
        h, c = start, start
        for t in range(source.shape[1]):
            h, c = self.rec(self.emb(source[:, t : t + 1]), h, c)
        return h, c


class Decoder(Encoder):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__(vocab_size, embed_size, hidden_size, cell_type)
        self.read_out = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, vocab_size))

    def forward(self, token, state):
        h, c = self.rec(self.emb(token.unsqueeze(1)), *state)
        return self.read_out(h), (h, c)


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    def rest(t, token, state):
        if t == target.shape[1]:
            return []
        logits, state = decoder(token, state)
        right = logits.gather(1, target[:, t : t + 1])[:, 0] - logits.logsumexp(1)
        own = torch.rand(1, generator=generator, device=target.device) >= teacher_forcing_prob
        return [-right, *rest(t + 1, logits.argmax(1) if own else target[:, t], state)]

    return torch.cat(rest(1, target[:, 0], encoder(source))).mean()


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    def write(state, token, left):
        if left == 0:
            return []
        logits, state = decoder(token, state)
        token = torch.max(logits, dim=-1).indices
        if (token == end_token).all():
            return [token.tolist()]
        return [token.tolist()] + write(state, token, left - 1)

    before = [m.training for m in (encoder, decoder)]
    [m.eval() for m in (encoder, decoder)]
    try:
        with torch.no_grad():
            steps = write(encoder(source), source[:, 0] * 0 + start_token, max_len)
    finally:
        for m, b in zip((encoder, decoder), before):
            m.train(b)
    rows = []
    for i in range(source.shape[0]):
        row = []
        for step in steps:
            if step[i] == end_token:
                break
            row += [step[i]]
        rows.append(row)
    return rows


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    if schedule == "linear":
        return max(total_steps - step, 0) / total_steps
    if schedule == "exponential" and k is not None and 0 < k < 1:
        return math.exp(math.log(k) * step)
    if schedule == "inverse_sigmoid" and k is not None and k >= 1:
        # logistic function of log k - step / k, by tanh
        return 0.5 * (1 + math.tanh((math.log(k) - step / k) / 2))
    raise ValueError("schedule or k")
