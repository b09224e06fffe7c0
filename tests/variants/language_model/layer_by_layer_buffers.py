"""Each layer reads the whole sequence; outputs go into a preallocated tensor, states into lists of lists."""
import torch
from torch import nn
import torch.nn.functional as F
import cells as c


class CharRNN(nn.Module):
    kinds = dict(rnn="RNNCellFromScratch", lstm="LSTMCellFromScratch", gru="GRUCellFromScratch")

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super(CharRNN, self).__init__()
        if cell_type not in ("rnn", "lstm", "gru"):
            raise ValueError("rnn, lstm, gru: one of these please")
        make = getattr(c, self.kinds[cell_type])
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.cells = nn.ModuleList([make(input_size=embed_size, hidden_size=hidden_size)])
        self.cells.extend(make(input_size=hidden_size, hidden_size=hidden_size) for _ in range(1, num_layers))
        self.fc = nn.Linear(hidden_size, vocab_size)
        self.H = hidden_size

    def forward(self, x, states=None):
        B, T = x.size()
        seq = F.embedding(x, self.embedding.weight)
        final = []
        for k, cell in enumerate(self.cells):
            if states is None:
                h = c_ = torch.zeros(B, self.H, device=x.device)
            else:
                h, c_ = states[k]
            out = torch.empty(B, T, self.H, device=x.device)
            for t in range(T):
                h, c_ = cell.forward(seq[:, t], h, c_)
                out[:, t] = h
            final.append([h, c_])
            seq = out
        return [self.fc(seq), final]


def CharLSTM(vocab_size, embed_size, hidden_size, num_layers=1):
    return CharRNN(vocab_size, embed_size, hidden_size, num_layers)
