"""A layer is a coroutine that is sent inputs and yields its h; the states are read from a list it keeps."""
import torch
from torch import nn
from cells import RNNCellFromScratch, LSTMCellFromScratch, GRUCellFromScratch


def running(cell, book, layer):
    h = None
    while True:
        value = yield h
        h, c = cell(value, *book[layer])
        book[layer] = (h, c)


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        names = "rnn lstm gru".split()
        if not isinstance(cell_type, str) or cell_type not in names:
            raise ValueError(f"unknown cell type; expected one of: {', '.join(names)}")
        Cell = globals()[f"{cell_type.upper()}CellFromScratch"]
        self.embedding = nn.Embedding(num_embeddings=vocab_size, embedding_dim=embed_size)
        self.cells = nn.ModuleList([Cell(embed_size, hidden_size), *(Cell(hidden_size, hidden_size) for _ in range(num_layers - 1))])
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, x: torch.LongTensor, states=None):
        book = {layer: pair for layer, pair in enumerate(states or self.zeros(x.size(0), x.device))}
        layers = [running(cell, book, layer) for layer, cell in enumerate(self.cells)]
        for layer in layers:
            next(layer)
        outputs = x.new_zeros(0)
        columns = []
        for column in x.t():
            value = self.embedding(column)
            for layer in layers:
                value = layer.send(value)
            columns.append(value)
        outputs = torch.stack(columns).transpose(0, 1)
        for layer in layers:
            layer.close()
        return self.fc(outputs), [book[layer] for layer in sorted(book)]

    def zeros(self, rows, device):
        for _ in self.cells:
            yield torch.zeros(rows, self.fc.in_features, device=device), torch.zeros(rows, self.fc.in_features, device=device)


class CharLSTM(CharRNN):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        CharRNN.__init__(self, vocab_size, embed_size, hidden_size, num_layers)
