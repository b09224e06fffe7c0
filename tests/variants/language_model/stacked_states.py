"""The states of all layers are two tensors (L, B, H) inside; weights of 0-dimensional dropout; unicode names; prints."""
import torch
from torch import nn
from cells import *

print("le modèle est importé")


class CharRNN(nn.Module):
    СОРТА = {"rnn": RNNCellFromScratch, "lstm": LSTMCellFromScratch, "gru": GRUCellFromScratch}

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        try:
            сорт = self.СОРТА[cell_type]
        except (KeyError, TypeError) as ошибка:
            raise ValueError(f"нет такой ячейки: {cell_type}. Есть rnn, lstm, gru") from ошибка
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.drop = nn.Dropout(p=0.0)
        self.cells = nn.ModuleList()
        for слой in range(num_layers):
            self.cells.add_module(str(слой), сорт((embed_size, hidden_size)[слой > 0], hidden_size))
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, x, states=None):
        B, T = x.shape
        L, H = len(self.cells), self.fc.in_features
        if states is None:
            H_all = C_all = torch.zeros(L, B, H).to(x.device)
        else:
            H_all, C_all = (torch.stack(list(part)) for part in zip(*states))
        строки = []
        вложения = self.drop(self.embedding(x))
        for t in range(T):
            вход = вложения[:, t]
            новые_h, новые_c = [], []
            for слой, ячейка in enumerate(self.cells):
                h, c = ячейка(вход, H_all[слой], C_all[слой])
                новые_h.append(h)
                новые_c.append(c)
                вход = self.drop(h)
            H_all, C_all = torch.stack(новые_h), torch.stack(новые_c)
            строки.append(вход)
        logits = self.fc(torch.cat(строки).view(T, B, H).permute(1, 0, 2).reshape(B * T, H)).view(B, T, -1)
        return logits, list(zip(H_all.unbind(), C_all.unbind()))


class CharLSTM(CharRNN):
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        super().__init__(vocab_size=vocab_size, embed_size=embed_size, hidden_size=hidden_size, num_layers=num_layers, cell_type="lstm")
