import torch
from torch import nn

import cells as mine


def kind_of(cell_type):
    for name in ("RNN", "LSTM", "GRU"):
        if name.lower() == cell_type:
            return getattr(mine, name + "CellFromScratch")
    raise ValueError(f"cell_type={cell_type!r}, but only 'rnn', 'lstm' and 'gru' exist")


class Stack(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, cell_type):
        super().__init__()
        self.kind, self.hidden_size = kind_of(cell_type), hidden_size
        sizes = [input_size, *[hidden_size] * num_layers]
        self.cells = nn.ModuleList(self.kind(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, sequence, states):
        if not states:
            states = self.lazily(sequence)
        states = [list(pair) for pair in states]
        tops = []
        for t in range(sequence.shape[1]):
            signal = sequence.select(1, t)
            for k, cell in enumerate(self.cells):
                states[k][0], states[k][1] = cell(signal, states[k][0], states[k][1])
                signal = states[k][0]
            tops.append(signal)
        return torch.stack(tops, dim=1), [tuple(pair) for pair in states]

    def lazily(self, sequence):
        shape = sequence.shape[0], self.hidden_size
        return ((sequence.new_zeros(shape), sequence.new_zeros(shape)) for _ in self.cells)
