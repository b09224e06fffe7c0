"""Walks the grid of layers and steps by diagonals: cell (l, t) when l + t = d. A dictionary of everything computed."""
import torch
import torch.nn as nn
from cells import GRUCellFromScratch as G, LSTMCellFromScratch as L, RNNCellFromScratch as R


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        if cell_type == "rnn":
            C = R
        elif cell_type == "lstm":
            C = L
        elif cell_type == "gru":
            C = G
        else:
            raise ValueError("cell_type has to be 'rnn', 'lstm' or 'gru'")
        self.num_layers, self.hidden_size = num_layers, hidden_size
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList()
        for l in range(num_layers):
            self.cells.append(C(hidden_size if l else embed_size, hidden_size))
        self.fc = nn.Linear(hidden_size, vocab_size)
        nn.init.uniform_(self.fc.weight, -0.1, 0.1)

    def forward(self, x, states=None):
        B, T = x.shape
        grid = {}
        for l in range(self.num_layers):
            grid[l, -1] = states[l] if states is not None else tuple(self.embedding.weight.new_zeros(2, B, self.hidden_size))
        for d in range(T + self.num_layers - 1):
            for l in range(self.num_layers):
                t = d - l
                if 0 <= t < T:
                    below = grid[l - 1, t][0] if l else self.embedding(x[:, t])
                    h, c = grid[l, t - 1]
                    grid[l, t] = self.cells[l](below, h, c)
        logits = torch.cat([self.fc(grid[self.num_layers - 1, t][0]).unsqueeze(1) for t in range(T)], dim=1)
        return logits, [grid[l, T - 1] for l in range(self.num_layers)]


class CharLSTM(nn.Module):
    """Not a subclass: the parts are those of a CharRNN made inside."""

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        super().__init__()
        inner = CharRNN(vocab_size, embed_size, hidden_size, num_layers=num_layers, cell_type="lstm")
        self.embedding, self.cells, self.fc = inner.embedding, inner.cells, inner.fc
        self.num_layers, self.hidden_size = num_layers, hidden_size

    forward = CharRNN.forward
