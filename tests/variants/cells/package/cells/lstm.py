import torch

from cells.base import Affine
from cells import rnn


class LSTMCellFromScratch(Affine):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.declare(4 * hidden_size, input_size, hidden_size, rnn.NAMES)
        self.bias.data[hidden_size:2 * hidden_size] = 1

    def forward(self, x_t, h_prev, c_prev):
        i, f, g, o = self.affine(x_t, h_prev, rnn.NAMES).chunk(4, 1)
        c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c_t), c_t
