"""One row at a time, one-hot products for the embedding, states gathered at the end; two-state cells told apart."""
import torch
from torch import nn
from cells import RNNCellFromScratch, LSTMCellFromScratch, GRUCellFromScratch

TYPES = ["rnn", "lstm", "gru"]


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        assert_type(cell_type)
        cls = (RNNCellFromScratch, LSTMCellFromScratch, GRUCellFromScratch)[TYPES.index(cell_type)]
        self.two = cell_type == "lstm"
        self.embedding, self.fc = nn.Embedding(vocab_size, embed_size), nn.Linear(hidden_size, vocab_size)
        self.cells = nn.ModuleList()
        size = embed_size
        while len(self.cells) < num_layers:
            self.cells.append(cls(size, hidden_size))
            size = hidden_size

    def row(self, numbers, states):
        for n in numbers.tolist():
            v = self.embedding.weight[n : n + 1]
            for k, cell in enumerate(self.cells):
                if self.two:
                    states[k] = cell(v, *states[k])
                else:
                    states[k] = cell(v, states[k][0])
                v = states[k][0]
            yield self.fc(v)

    def forward(self, x, states=None):
        size = self.fc.in_features
        logits, finals = [], []
        for b in range(x.shape[0]):
            if states is None:
                own = [(torch.zeros(1, size, device=x.device), torch.zeros(1, size, device=x.device)) for _ in self.cells]
            else:
                own = [(h[b : b + 1], c[b : b + 1]) for h, c in states]
            logits.append(torch.cat(list(self.row(x[b], own))))
            finals.append(own)
        after = [
            (torch.cat([f[k][0] for f in finals]), torch.cat([f[k][1] for f in finals])) for k in range(len(self.cells))
        ]
        return torch.stack(logits), after


def assert_type(cell_type):
    if cell_type not in TYPES:
        raise ValueError(f"{cell_type!r} is none of {TYPES}")


class CharLSTM(CharRNN):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, cell_type="lstm", **kwargs)
