"""One-hot rows times a matrix that also makes the logits, a module for each gate, a stream of tokens."""
import itertools

import torch
import torch.nn.functional as F
from torch import nn


class Gate(nn.Module):
    def __init__(self, i, h, act):
        super().__init__()
        self.x, self.h, self.act = nn.Linear(i, h), nn.Linear(h, h), act

    def forward(self, x, h):
        return self.act(self.x(x) + self.h(h))


class RNN(nn.Module):
    def __init__(self, i, h):
        super().__init__()
        self.g = Gate(i, h, torch.tanh)

    def forward(self, x, state):
        h = self.g(x, state[0])
        return h, h


class LSTM(nn.Module):
    def __init__(self, i, h):
        super().__init__()
        self.i, self.f, self.o = (Gate(i, h, torch.sigmoid) for _ in range(3))
        self.g = Gate(i, h, torch.tanh)

    def forward(self, x, state):
        h, c = state
        c = self.f(x, h) * c + self.i(x, h) * self.g(x, h)
        return self.o(x, h) * c.tanh(), c


class GRU(nn.Module):
    def __init__(self, i, h):
        super().__init__()
        self.z, self.r = Gate(i, h, torch.sigmoid), Gate(i, h, torch.sigmoid)
        self.nx, self.nh = nn.Linear(i, h), nn.Linear(h, h)

    def forward(self, x, state):
        h = state[0]
        z = self.z(x, h)
        h = (1 - z) * torch.tanh(self.nx(x) + self.r(x, h) * self.nh(h)) + z * h
        return h, h


def make(kind, *sizes):
    try:
        return {"rnn": RNN, "lstm": LSTM, "gru": GRU}[kind](*sizes)
    except KeyError:
        raise ValueError(f"unknown cell type {kind!r}") from None


class Encoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.E = nn.Parameter(torch.randn(vocab_size, embed_size) * 0.1)
        self.cell, self.H = make(cell_type, embed_size, hidden_size), hidden_size

    def forward(self, source):
        x = F.one_hot(source, self.E.shape[0]).to(self.E.dtype) @ self.E
        state = (x.new_zeros(len(x), self.H),) * 2
        for x_t in x.unbind(1):
            state = self.cell(x_t, state)
        return state


class Decoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.E = nn.Parameter(torch.randn(vocab_size, embed_size) * 0.1)
        self.cell = make(cell_type, embed_size, hidden_size)
        self.back = nn.Linear(hidden_size, embed_size)

    def forward(self, token, state):
        state = self.cell(self.E[token], state)
        return self.back(state[0]) @ self.E.T, state


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    token, state = target[:, 0], encoder(source)
    said = []
    for t in range(1, target.shape[1]):
        logits, state = decoder(token, state)
        said.append(logits)
        truth = torch.rand(1, generator=generator, device=target.device).lt(teacher_forcing_prob).long()
        token = truth * target[:, t] + (1 - truth) * logits.max(dim=1).indices
    return -torch.log_softmax(torch.stack(said, 1), -1).gather(2, target[:, 1:, None]).mean()


def stream(encoder, decoder, source, start_token):
    state = encoder(source)
    token = torch.tensor([start_token] * source.shape[0], device=source.device)
    while True:
        logits, state = decoder(token, state)
        yield (token := logits.argmax(1))


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    was = [encoder.training, decoder.training]
    encoder.train(False)
    decoder.train(False)
    with torch.no_grad():
        columns = [c.tolist() for c in itertools.islice(stream(encoder, decoder, source, start_token), max_len)]
    encoder.train(was[0])
    decoder.train(was[1])
    return [
        list(itertools.takewhile(lambda v: v != end_token, (column[i] for column in columns)))
        for i in range(len(source))
    ]


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    if schedule == "linear":
        return torch.clamp(torch.tensor(1.0 - step / total_steps), min=0.0).item()
    if schedule == "exponential":
        if k is None or not 0 < k < 1:
            raise ValueError
        return float(torch.pow(torch.tensor(k), step))
    if schedule == "inverse_sigmoid":
        if k is None or k < 1:
            raise ValueError
        return torch.sigmoid(torch.log(torch.tensor(float(k))) - step / k).item()
    raise ValueError
