"""`F.linear` on slices of the parameters, one gate at a time, and a shared base class."""

import torch
import torch.nn.functional as F
from torch import nn


class Base(nn.Module):
    """Registers parameters by name from a table of shapes."""

    def __init__(self, hidden_size, **shapes):
        super().__init__()
        self.size = hidden_size
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape)))
            if len(shape) == 2:
                nn.init.orthogonal_(getattr(self, name))

    def block(self, x, h, number, w_x, w_h, b):
        rows = slice(number * self.size, (number + 1) * self.size)
        return F.linear(x, w_x[rows], b[rows]) + F.linear(h, w_h[rows])


class RNNCellFromScratch(Base):
    def __init__(self, input_size, hidden_size):
        super().__init__(
            hidden_size, W_x=(hidden_size, input_size), W_h=(hidden_size, hidden_size), bias=(hidden_size,)
        )

    def forward(self, x_t, h_prev, *_):
        new = torch.tanh(self.block(x_t, h_prev, 0, self.W_x, self.W_h, self.bias))
        return new, new


class LSTMCellFromScratch(Base):
    def __init__(self, input_size, hidden_size):
        n = 4 * hidden_size
        super().__init__(hidden_size, W_x=(n, input_size), W_h=(n, hidden_size), bias=(n,))
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] += 1

    def forward(self, x_t, h_prev, c_prev):
        def gate(number, squash):
            return squash(self.block(x_t, h_prev, number, self.W_x, self.W_h, self.bias))

        remembered = gate(1, torch.sigmoid) * c_prev
        written = gate(0, torch.sigmoid) * gate(2, torch.tanh)
        c_t = remembered + written
        return [gate(3, torch.sigmoid) * c_t.tanh(), c_t]


class GRUCellFromScratch(Base):
    def __init__(self, input_size, hidden_size):
        i, h = input_size, hidden_size
        gates = {"W_x_gates": (2 * h, i), "W_h_gates": (2 * h, h), "b_gates": (2 * h,)}
        super().__init__(h, **gates, W_x_cand=(h, i), W_h_cand=(h, h), b_cand=(h,))

    def forward(self, x_t, h_prev, c_prev=None):
        parts = (self.W_x_gates, self.W_h_gates, self.b_gates)
        keep = 1 - torch.sigmoid(self.block(x_t, h_prev, 0, *parts))
        reset = torch.sigmoid(self.block(x_t, h_prev, 1, *parts))
        candidate = torch.tanh(self.block(x_t, reset * h_prev, 0, self.W_x_cand, self.W_h_cand, self.b_cand))
        h = keep * h_prev + (1 - keep) * candidate
        return h, h
