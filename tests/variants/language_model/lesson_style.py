import torch
import torch.nn as nn

from cells import LSTMCellFromScratch, RNNCellFromScratch, GRUCellFromScratch


class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList()
        for i in range(num_layers):
            self.cells.append(LSTMCellFromScratch(embed_size if i == 0 else hidden_size, hidden_size))
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, x, states=None):
        batch, steps = x.shape
        if states is None:
            states = []
            for _ in range(self.num_layers):
                states.append((torch.zeros(batch, self.hidden_size).to(x.device), torch.zeros(batch, self.hidden_size).to(x.device)))
        e = self.embedding(x)
        outs = []
        for t in range(steps):
            inp = e[:, t, :]
            fresh = []
            for k, cell in enumerate(self.cells):
                h, c = cell(inp, states[k][0], states[k][1])
                fresh.append((h, c))
                inp = h
            states = fresh
            outs.append(self.fc(inp).unsqueeze(1))
        return torch.cat(outs, dim=1), states


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type='lstm'):
        super().__init__()
        try:
            kind = {'rnn': RNNCellFromScratch, 'lstm': LSTMCellFromScratch, 'gru': GRUCellFromScratch}[cell_type]
        except KeyError:
            raise ValueError("cell_type must be RNN, LSTM or GRU (in lower case)")
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList([kind(embed_size if i == 0 else hidden_size, hidden_size) for i in range(num_layers)])
        self.fc = nn.Linear(hidden_size, vocab_size)

    forward = CharLSTM.forward
