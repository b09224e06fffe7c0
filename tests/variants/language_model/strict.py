"""Warnings are errors; the embedding of all steps at once, the projection of all steps at once; states made by accumulate."""
import warnings
from itertools import accumulate

import torch
import torch.nn as nn

from cells import GRUCellFromScratch, LSTMCellFromScratch, RNNCellFromScratch

warnings.simplefilter("error")
_CELLS = (("rnn", RNNCellFromScratch), ("lstm", LSTMCellFromScratch), ("gru", GRUCellFromScratch))


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        chosen = [cell for name, cell in _CELLS if name == cell_type]
        if not chosen:
            raise ValueError("cell_type: " + " | ".join(name for name, _ in _CELLS))
        self.config = dict(vocab_size=vocab_size, embed_size=embed_size, hidden_size=hidden_size)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList()
        for layer in range(num_layers):
            self.cells.insert(layer, chosen[0](hidden_size if layer else embed_size, hidden_size))
        self.fc = nn.Linear(hidden_size, vocab_size, bias=True)

    def initial(self, x):
        blank = torch.zeros((len(self.cells), 2, x.shape[0], self.config["hidden_size"]), device=x.device)
        return [(h, c) for h, c in blank]

    def forward(self, x, states=None):
        start = self.initial(x) if states is None else states
        sequence = self.embedding(x)
        last = []
        for cell, state in zip(self.cells, start, strict=True):
            steps = accumulate(sequence.unbind(1), lambda hc, value, cell=cell: cell(value, hc[0], hc[1]), initial=state)
            _, *walked = steps
            sequence = torch.stack([h for h, _ in walked], 1)
            last.append(tuple(walked[-1]))
        return self.fc(sequence), last


class CharLSTM(CharRNN):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        super().__init__(vocab_size, embed_size, hidden_size, num_layers=num_layers)
