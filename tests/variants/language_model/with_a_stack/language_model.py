"""The model on top of a stack of a module of one's own; the stack's cells are known by two names."""
from torch import nn

import stack_of_cells as stacks


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.stack = stacks.Stack(embed_size, hidden_size, num_layers, cell_type)
        self.fc = nn.Linear(hidden_size, vocab_size)

    @property
    def cells(self):
        return self.stack.cells

    def forward(self, x, states=None):
        tops, states = self.stack(self.embedding(x), states)
        return self.fc(tops), states


def CharLSTM(vocab_size, embed_size, hidden_size, num_layers=1):
    return CharRNN(vocab_size, embed_size, hidden_size, num_layers, "lstm")
