# Every gate written out, one joined weight for x and h, one bias; a step at a time.
import torch
from torch import nn
from torch.nn import functional as F


class Cell(nn.Module):
    GATES = {"rnn": 1, "lstm": 4, "gru": 3}

    def __init__(self, kind, inputs, hidden):
        super().__init__()
        if kind not in self.GATES:
            raise ValueError("rnn, lstm or gru, please; not " + str(kind))
        self.kind, self.hidden = kind, hidden
        self.joined = nn.Parameter(torch.randn(self.GATES[kind] * hidden, inputs + hidden) * 0.1)
        self.b = nn.Parameter(torch.zeros(self.GATES[kind] * hidden))

    def forward(self, x, h, c):
        n = self.hidden
        w, b = self.joined, self.b
        if self.kind == "gru":
            both = torch.cat([x, h], 1)
            gates = torch.sigmoid(both @ w[: 2 * n].t() + b[: 2 * n])
            z, r = gates[:, :n], gates[:, n:]
            cand = torch.tanh(torch.cat([x, r * h], 1) @ w[2 * n :].t() + b[2 * n :])
            h = h + z * (cand - h)
            return h, h
        a = torch.cat([x, h], 1) @ w.t() + b
        if self.kind == "rnn":
            h = a.tanh()
            return h, h
        i, f, g, o = a.split(n, 1)
        c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(g)  # a forget gate that begins open
        return torch.sigmoid(o) * torch.tanh(c), c


class Encoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.words = nn.Embedding(vocab_size, embed_size)
        self.cell = Cell(cell_type, embed_size, hidden_size)
        self.hidden_size = hidden_size

    def forward(self, source):
        h = torch.zeros(source.size(0), self.hidden_size, device=source.device)
        c = torch.zeros(source.size(0), self.hidden_size, device=source.device)
        for t in range(source.size(1)):
            h, c = self.cell(self.words(source[:, t]), h, c)
        return h, c


class Decoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.words = nn.Embedding(vocab_size, embed_size)
        self.cell = Cell(cell_type, embed_size, hidden_size)
        self.out = nn.Linear(hidden_size, vocab_size, bias=False)

    def forward(self, token, state):
        h, c = self.cell(self.words(token), *state)
        return self.out(h), [h, c]


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    B, T = target.size()
    state = encoder(source)
    inp = target[:, 0]
    total = 0.0
    for t in range(1, T):
        logits, state = decoder(inp, state)
        total = total + F.cross_entropy(logits, target[:, t], reduction="sum")
        coin = torch.rand(1, generator=generator, device=target.device).item()
        inp = target[:, t] if coin < teacher_forcing_prob else logits.argmax(-1)
    return total / (B * (T - 1))


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    flags = encoder.training, decoder.training
    encoder.eval(), decoder.eval()
    with torch.no_grad():
        state = encoder(source)
        token = torch.tensor([start_token] * source.size(0), device=source.device)
        out = [[] for _ in range(source.size(0))]
        done = [False] * len(out)
        for _ in range(max_len):
            logits, state = decoder(token, state)
            token = logits.argmax(-1)
            for b, tok in enumerate(token.tolist()):
                if tok == end_token:
                    done[b] = True
                if not done[b]:
                    out[b].append(tok)
    encoder.train(flags[0]), decoder.train(flags[1])
    return out


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    import math

    if schedule == "linear":
        if step >= total_steps:
            return 0
        return 1 - step / total_steps
    if schedule not in ("exponential", "inverse_sigmoid"):
        raise ValueError(schedule)
    if k is None:
        raise ValueError("k?")
    if schedule == "exponential":
        if k <= 0 or k >= 1:
            raise ValueError("k")
        return math.exp(step * math.log(k))
    if k < 1:
        raise ValueError("k")
    try:
        return k / (k + math.exp(step / k))
    except OverflowError:
        return 0.0
