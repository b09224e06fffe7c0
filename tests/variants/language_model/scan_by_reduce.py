"""functools.reduce over time and over layers; CharLSTM is a functools.partial; states are named tuples inside."""
from collections import namedtuple
from functools import partial, reduce

import torch
from torch import nn
import cells

State = namedtuple("State", ["hidden", "memory"])
KINDS = {"rnn": cells.RNNCellFromScratch, "lstm": cells.LSTMCellFromScratch, "gru": cells.GRUCellFromScratch}


def climb(carry, layer):
    signal, done = carry
    cell, state = layer
    new = State(*cell(signal, *state))
    return new.hidden, done + [new]


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        kind = KINDS.get(cell_type)
        if kind is None:
            raise ValueError(f"choose from {sorted(KINDS)}, not {cell_type!r}")
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList(map(kind, [embed_size] + (num_layers - 1) * [hidden_size], num_layers * [hidden_size]))
        self.fc = nn.Linear(hidden_size, vocab_size)

    def step(self, carry, vector):
        tops, states = carry
        top, states = reduce(climb, zip(self.cells, states), (vector, []))
        return tops + [top], states

    def forward(self, x, states=None):
        if states is None:
            zero = torch.zeros(x.shape[0], self.fc.in_features, dtype=self.fc.weight.dtype, device=x.device)
            states = [State(zero, zero) for _ in self.cells]
        tops, states = reduce(self.step, self.embedding(x).unbind(1), ([], list(states)))
        return self.fc(torch.stack(tops, 1)), states


CharLSTM = partial(CharRNN, cell_type="lstm")
