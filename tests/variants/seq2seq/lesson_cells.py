# The cells of the first assignment, written in here; rows that have ended leave the batch.
import math
import random

import torch
import torch.nn as nn


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.randn(hidden_size, input_size) * 0.01)
        self.W_h = nn.Parameter(torch.randn(hidden_size, hidden_size) * 0.01)
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x, h, c=None):
        h = torch.tanh(x @ self.W_x.t() + h @ self.W_h.t() + self.bias)
        return h, h


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.n = hidden_size
        self.W_x = nn.Parameter(torch.randn(4 * hidden_size, input_size) * 0.01)
        self.W_h = nn.Parameter(torch.randn(4 * hidden_size, hidden_size) * 0.01)
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias.data[hidden_size : 2 * hidden_size] = 1.0

    def forward(self, x, h, c):
        gates = x @ self.W_x.t() + h @ self.W_h.t() + self.bias
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.n = hidden_size
        self.W_x_gates = nn.Parameter(torch.randn(2 * hidden_size, input_size) * 0.01)
        self.W_h_gates = nn.Parameter(torch.randn(2 * hidden_size, hidden_size) * 0.01)
        self.b_gates = nn.Parameter(torch.zeros(2 * hidden_size))
        self.W_x_cand = nn.Parameter(torch.randn(hidden_size, input_size) * 0.01)
        self.W_h_cand = nn.Parameter(torch.randn(hidden_size, hidden_size) * 0.01)
        self.b_cand = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x, h, c=None):
        z, r = torch.sigmoid(x @ self.W_x_gates.t() + h @ self.W_h_gates.t() + self.b_gates).chunk(2, dim=1)
        cand = torch.tanh(x @ self.W_x_cand.t() + (r * h) @ self.W_h_cand.t() + self.b_cand)
        h = (1 - z) * h + z * cand
        return h, h


def make(cell_type, *sizes):
    if cell_type == "rnn":
        return RNNCellFromScratch(*sizes)
    elif cell_type == "lstm":
        return LSTMCellFromScratch(*sizes)
    elif cell_type == "gru":
        return GRUCellFromScratch(*sizes)
    raise ValueError(f"cell_type must be rnn, lstm or gru, got {cell_type}")


class Encoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cell = make(cell_type, embed_size, hidden_size)

    def forward(self, source):
        embeds = self.embedding(source)
        h = torch.zeros(source.shape[0], self.hidden_size, device=source.device)
        c = torch.zeros_like(h)
        for t in range(source.shape[1]):
            h, c = self.cell(embeds[:, t, :], h, c)
        return h, c


class Decoder(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, cell_type="lstm"):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cell = make(cell_type, embed_size, hidden_size)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, token, state):
        h, c = self.cell(self.embedding(token), state[0], state[1])
        return self.fc(h), (h, c)


def sequence_loss(encoder, decoder, source, target, teacher_forcing_prob=1.0, generator=None):
    criterion = nn.CrossEntropyLoss()
    hidden = encoder(source)
    outputs = []
    token = target[:, 0]
    for t in range(1, target.shape[1]):
        output, hidden = decoder(token, hidden)
        outputs.append(output)
        use_truth = bool(torch.bernoulli(torch.tensor(float(teacher_forcing_prob), device=target.device), generator=generator))
        token = target[:, t].clone() if use_truth else output.detach().topk(1).indices.squeeze(-1)
    logits = torch.stack(outputs, dim=1)
    return criterion(logits.reshape(-1, logits.shape[-1]), target[:, 1:].reshape(-1))


def greedy_decode(encoder, decoder, source, start_token, end_token, max_len):
    was = (encoder.training, decoder.training)
    encoder.eval()
    decoder.eval()
    rows = [[] for _ in range(len(source))]
    with torch.inference_mode():
        h, c = encoder(source)
        live = list(range(len(source)))
        token = torch.full((len(source),), start_token, dtype=torch.long, device=source.device)
        for _ in range(max_len):
            output, (h, c) = decoder(token, (h, c))
            token = output.argmax(dim=-1)
            keep = [i for i, tok in enumerate(token.tolist()) if tok != end_token]
            if not keep:
                break
            index = torch.tensor(keep, device=source.device)
            token, h, c = token[index], h[index], c[index]
            live = [live[i] for i in keep]
            for row, tok in zip(live, token.tolist()):
                rows[row].append(tok)
    encoder.train(was[0])
    decoder.train(was[1])
    return rows


def teacher_forcing_probability(step, total_steps, schedule="linear", k=None):
    if schedule == "linear":
        return max(0, 1 - step / total_steps)
    if schedule == "exponential":
        if k is None or not (0 < k < 1):
            raise ValueError("exponential needs 0 < k < 1")
        return k**step
    if schedule == "inverse_sigmoid":
        if k is None or k < 1:
            raise ValueError("inverse_sigmoid needs k >= 1")
        x = step / k
        return 0.0 if x > 700 else k / (k + math.exp(x))
    raise ValueError(f"unknown schedule {schedule}")
