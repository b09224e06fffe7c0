"""Recursion over time, keywords, an alias for the cells, a tuple of states."""
import torch
from torch import nn
from cells import *
from cells import RNNCellFromScratch, LSTMCellFromScratch, GRUCellFromScratch


class _Model(nn.Module):
    def __init__(self, cell, V, E, H, L):
        super().__init__()
        self.embedding = nn.Embedding(V, E)
        self.layers = [cell(a, H) for a in (E, *[H] * (L - 1))]
        self.cells = nn.ModuleList(self.layers)
        self.fc = nn.Linear(in_features=H, out_features=V)

    def up(self, value, states):
        if not states:
            return value, ()
        index = len(self.layers) - len(states)
        (h, c), *rest = states
        h, c = self.layers[index](x_t=value, h_prev=h, c_prev=c)
        top, others = self.up(h, rest)
        return top, ((h, c), *others)

    def along(self, vectors, states):
        top, states = self.up(vectors[0], states)
        logits = self.fc(top)[:, None]
        if len(vectors) == 1:
            return logits, states
        more, states = self.along(vectors[1:], states)
        return torch.cat((logits, more), 1), states

    def forward(self, x, states=None):
        start = states or [(self.fc.weight.new_zeros(len(x), self.fc.in_features),) * 2 for _ in self.cells]
        logits, after = self.along(self.embedding(x.T), start)
        return logits, list(after)


class CharRNN(_Model):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        match cell_type:
            case "rnn":
                cell = RNNCellFromScratch
            case "lstm":
                cell = LSTMCellFromScratch
            case "gru":
                cell = GRUCellFromScratch
            case _:
                raise ValueError(f"no such cell: {cell_type}; there are gru, lstm, rnn")
        super().__init__(cell, vocab_size, embed_size, hidden_size, num_layers)


class CharLSTM(_Model):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        super().__init__(LSTMCellFromScratch, vocab_size, embed_size, hidden_size, num_layers)
