"""Every row of a batch goes its own way: batches of one, and states cut out and dropped."""
import numpy as np
import torch
import torch.nn as nn


def _kind(cell_type):
    try:
        return {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}[cell_type]
    except KeyError:
        raise ValueError(f"unknown cell_type {cell_type}") from None


class Half(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.lstm = cell_type == "lstm"
        self.cell = _kind(cell_type)(embed_size, hidden_size)
        self.table = nn.Parameter(torch.randn(vocab_size, embed_size))
        self.size = hidden_size

    def step(self, token, state):
        x = self.table[token]
        if self.lstm:
            return self.cell(x, state)
        h = self.cell(x, state[0])
        return h, h


class Encoder(Half):
    def forward(self, source):
        zero = self.table.new_zeros(source.shape[0], self.size)
        state = (zero, zero)
        for column in source.T:
            state = self.step(column, state)
        return state


class Decoder(Half):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__(vocab_size, embed_size, hidden_size, cell_type)
        self.head = nn.Sequential(nn.Linear(hidden_size, vocab_size), nn.LogSoftmax(dim=-1))

    def forward(self, token, state):
        state = self.step(token, tuple(state))
        return self.head(state[0]), state


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    T = target.shape[1]
    truth = torch.rand(T - 1, generator=generator, device=target.device) < teacher_forcing_prob
    truth[0] = True
    terms = []
    for src, tgt in zip(source, target):
        state = encoder(src[None])
        said = None
        for t in range(1, T):
            token = tgt[t - 1] if truth[t - 1] else said
            logits, state = decoder(token.reshape(1), state)
            said = logits[0].detach().max(dim=0).indices
            terms.append(-logits[0].log_softmax(0)[tgt[t]])
    return sum(terms) / len(terms)


@torch.no_grad()
def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    before = {m: m.training for m in [*encoder.modules(), *decoder.modules()]}
    for m in before:
        m.training = False
    rows = []
    for src in source.split(1):
        state = encoder(src)
        row, token = [], start_token
        while len(row) < max_len:
            logits, state = decoder(src.new_tensor([token]), state)
            token = int(logits.argmax())
            if token == end_token:
                break
            row.append(token)
        rows.append(row)
    for m, flag in before.items():
        m.train(flag)
    return rows


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    match schedule:
        case "linear":
            return float(np.clip(1 - step / total_steps, 0, 1))
        case "exponential" if k is not None and 0 < k < 1:
            return np.float64(k) ** step
        case "inverse_sigmoid" if k is not None and k >= 1:
            with np.errstate(over="ignore"):
                return float(k / (k + np.exp(np.float64(step) / k)))
    raise ValueError(f"{schedule}, {k}")
