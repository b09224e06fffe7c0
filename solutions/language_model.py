"""A character language model: an embedding, a stack of recurrent cells, and a projection to logits.

Written out in time (upwards the layers, to the right the steps; each cell hands its h to the one
above and its own (h, c) to itself one step later):

    logits[:, 0]  logits[:, 1]  logits[:, 2]
         ↑             ↑             ↑            fc
      cells[1]  ──→ cells[1]  ──→ cells[1]  ──→   states[1]
         ↑             ↑             ↑            h of the layer below
      cells[0]  ──→ cells[0]  ──→ cells[0]  ──→   states[0]
         ↑             ↑             ↑            embedding
       x[:, 0]       x[:, 1]       x[:, 2]

It learns nothing here: training is an assignment of its own.
"""

import torch
from torch import nn

from cells import GRUCellFromScratch, LSTMCellFromScratch, RNNCellFromScratch

CELLS = {"rnn": RNNCellFromScratch, "lstm": LSTMCellFromScratch, "gru": GRUCellFromScratch}


class CharRNN(nn.Module):
    """A character language model over a stack of cells of one kind.

    Submodules: embedding, an `nn.Embedding` (V, E); cells, an `nn.ModuleList` of one cell a layer,
    layer 0 taking E values and every further layer H; fc, an `nn.Linear` from H to V.
    """

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1, cell_type="lstm"):
        """cell_type: "rnn", "lstm" or "gru"; anything else is a ValueError that names the three."""
        super().__init__()
        # BEGIN SOLUTION
        if cell_type not in list(CELLS):
            raise ValueError(f"cell_type is {cell_type!r}, expected one of {', '.join(CELLS)}")
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(vocab_size, embed_size)
        input_sizes = [embed_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(CELLS[cell_type](size, hidden_size) for size in input_sizes)
        self.fc = nn.Linear(hidden_size, vocab_size)
        # END SOLUTION

    def forward(self, x, states=None):
        """Read the characters x and say, after each, what may come next.

        x: (B, T), long; states: a list of one (h, c) a layer, each (B, H), or None for zeros.
        Returns (logits, states): logits (B, T, V), and the states after the last character, in a
        new list. The list and the tensors passed in are left as they are.
        """
        # BEGIN SOLUTION
        if states is None:
            states = self.zero_states(x)
        tops = []
        for inputs in self.embedding(x).unbind(dim=1):  # one step of the whole batch: (B, E)
            new_states = []
            for cell, (h, c) in zip(self.cells, states, strict=True):
                h, c = cell(inputs, h, c)
                new_states.append((h, c))
                inputs = h  # what the next layer reads
            states = new_states
            tops.append(inputs)
        logits = self.fc(torch.stack(tops, dim=1))
        return logits, states
        # END SOLUTION

    # BEGIN SOLUTION NO PROMPT
    def zero_states(self, x):
        """One pair of zeros (B, H) a layer, on x's device and in the dtype of the weights.

        They are one tensor, which is safe as long as no cell changes a state in place.
        """
        zeros = torch.zeros(x.shape[0], self.hidden_size, dtype=self.fc.weight.dtype, device=x.device)
        return [(zeros, zeros) for _ in self.cells]

    # END SOLUTION


class CharLSTM(CharRNN):
    """The same model with LSTM cells."""

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        # BEGIN SOLUTION
        super().__init__(vocab_size, embed_size, hidden_size, num_layers, cell_type="lstm")
        # END SOLUTION
