"""Written for one row, without a batch; torch.vmap makes it a batch. Matrices act from the left."""
import torch
from torch import nn


def rnn(x, h, W_x, W_h, b):
    return torch.tanh(W_x.mv(x) + W_h.mv(h) + b)


def lstm(x, h, c, W_x, W_h, b):
    i, f, g, o = (W_x.mv(x) + W_h.mv(h) + b).unflatten(0, (4, -1)).unbind(0)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru(x, h, W_x_gates, W_h_gates, b_gates, W_x_cand, W_h_cand, b_cand):
    z, r = torch.sigmoid(W_x_gates.mv(x) + W_h_gates.mv(h) + b_gates).unflatten(0, (2, -1)).unbind(0)
    return (1 - z) * h + z * torch.tanh(W_x_cand.mv(x) + W_h_cand.mv(r * h) + b_cand)


def rows(function, states, weights):
    return torch.vmap(function, in_dims=(0,) * (1 + states) + (None,) * weights)


class _Cell(nn.Module):
    shapes = {}

    def __init__(self, input_size, hidden_size):
        super().__init__()
        sizes = {"I": input_size, "H": hidden_size, "2H": 2 * hidden_size, "4H": 4 * hidden_size}
        for name, shape in self.shapes.items():
            shape = [sizes[s] for s in shape.split()]
            self.register_parameter(name, nn.Parameter(torch.randn(shape) / hidden_size if len(shape) > 1 else torch.zeros(shape)))

    def weights(self):
        return [getattr(self, name) for name in self.shapes]


class RNNCellFromScratch(_Cell):
    shapes = {"W_x": "H I", "W_h": "H H", "bias": "H"}

    def forward(self, x_t, h_prev, c_prev=None):
        return (rows(rnn, 1, 3)(x_t, h_prev, *self.weights()),) * 2


class LSTMCellFromScratch(_Cell):
    shapes = {"W_x": "4H I", "W_h": "4H H", "bias": "4H"}

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.bias.detach().view(4, hidden_size)[1] = 1

    def forward(self, x_t, h_prev, c_prev):
        return rows(lstm, 2, 3)(x_t, h_prev, c_prev, *self.weights())


class GRUCellFromScratch(_Cell):
    shapes = {"W_x_gates": "2H I", "W_h_gates": "2H H", "b_gates": "2H", "W_x_cand": "H I", "W_h_cand": "H H", "b_cand": "H"}

    def forward(self, x_t, h_prev, c_prev=None):
        return (rows(gru, 1, 6)(x_t, h_prev, *self.weights()),) * 2
