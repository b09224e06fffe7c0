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
        raise NotImplementedError("language_model: write CharRNN.__init__, then type: grader check -a language_model")

    def forward(self, x, states=None):
        """Read the characters x and say, after each, what may come next.

        x: (B, T), long; states: a list of one (h, c) a layer, each (B, H), or None for zeros.
        Returns (logits, states): logits (B, T, V), and the states after the last character, in a
        new list. The list and the tensors passed in are left as they are.
        """
        raise NotImplementedError("language_model: write CharRNN.forward, then type: grader check -a language_model")


class CharLSTM(CharRNN):
    """The same model with LSTM cells."""

    def __init__(self, vocab_size, embed_size, hidden_size, num_layers=1):
        raise NotImplementedError("language_model: write CharLSTM.__init__, then type: grader check -a language_model")
