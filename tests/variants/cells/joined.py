"""Concatenates input and state, and the two matrices, at run time: one product for everything."""

import math

import torch
from torch import nn


def uniform(*shape, bound):
    return nn.Parameter(torch.rand(*shape) * 2 * bound - bound)


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden_size)
        self.W_x = uniform(hidden_size, input_size, bound=bound)
        self.W_h = uniform(hidden_size, hidden_size, bound=bound)
        self.bias = uniform(hidden_size, bound=bound)

    def forward(self, x_t, h_prev, c_prev=None):
        both = torch.cat((x_t, h_prev), dim=-1)
        weights = torch.cat((self.W_x, self.W_h), dim=-1)
        h = torch.tanh(torch.addmm(self.bias, both, weights.t()))
        return (h, h)


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden_size)
        self.hidden = hidden_size
        self.W_x = uniform(4 * hidden_size, input_size, bound=bound)
        self.W_h = uniform(4 * hidden_size, hidden_size, bound=bound)
        self.weight_ih, self.weight_hh = self.W_x, self.W_h  # other names for the same tensors
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias.data[hidden_size : 2 * hidden_size].fill_(1)

    def forward(self, x_t, h_prev, c_prev):
        both = torch.hstack([x_t, h_prev])
        pre = both @ torch.hstack([self.weight_ih, self.weight_hh]).T + self.bias
        i, f, g, o = torch.split(pre, self.hidden, dim=1)
        i = 1 / (1 + torch.exp(-i))
        f = torch.special.expit(f)
        o = 0.5 * (torch.tanh(o / 2) + 1)
        c = f.mul(c_prev).add(i.mul(torch.tanh(g)))
        return o.mul(torch.tanh(c)), c


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden_size)
        self.hidden = hidden_size
        self.W_x_gates = uniform(2 * hidden_size, input_size, bound=bound)
        self.W_h_gates = uniform(2 * hidden_size, hidden_size, bound=bound)
        self.b_gates = uniform(2 * hidden_size, bound=bound)
        self.W_x_cand = uniform(hidden_size, input_size, bound=bound)
        self.W_h_cand = uniform(hidden_size, hidden_size, bound=bound)
        self.b_cand = uniform(hidden_size, bound=bound)

    def forward(self, x_t, h_prev, c_prev=None):
        from_x = x_t @ torch.cat([self.W_x_gates, self.W_x_cand]).T + torch.cat([self.b_gates, self.b_cand])
        z_x, r_x, n_x = from_x.tensor_split(3, dim=1)
        z_h, r_h = (h_prev @ self.W_h_gates.T).tensor_split(2, dim=1)
        z, r = torch.sigmoid(z_x + z_h), torch.sigmoid(r_x + r_h)
        n = torch.tanh(n_x + torch.matmul(torch.mul(r, h_prev), self.W_h_cand.transpose(0, 1)))
        h = h_prev + z * (n - h_prev)
        return h, h.clone()
