"""Everything by einsum, gates cut by view."""

import torch
from torch import einsum, nn


def parameter(*shape):
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(*shape)))


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x, self.W_h = parameter(hidden_size, input_size), parameter(hidden_size, hidden_size)
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        h = (einsum("bi,hi->bh", x_t, self.W_x) + einsum("bj,hj->bh", h_prev, self.W_h) + self.bias).tanh()
        return h, h


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x, self.W_h = parameter(4 * hidden_size, input_size), parameter(4 * hidden_size, hidden_size)
        self.bias = nn.Parameter(torch.eye(4)[1].repeat_interleave(hidden_size))

    def forward(self, x_t, h_prev, c_prev):
        rows = einsum("bi,hi->bh", x_t, self.W_x) + einsum("bj,hj->bh", h_prev, self.W_h) + self.bias
        i, f, g, o = rows.view(x_t.shape[0], 4, -1).unbind(1)
        c = torch.addcmul(c_prev * f.sigmoid(), i.sigmoid(), g.tanh())
        return c.tanh() * o.sigmoid(), c


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x_gates, self.W_h_gates = parameter(2 * hidden_size, input_size), parameter(2 * hidden_size, hidden_size)
        self.b_gates = nn.Parameter(torch.zeros(2 * hidden_size))
        self.W_x_cand, self.W_h_cand = parameter(hidden_size, input_size), parameter(hidden_size, hidden_size)
        self.b_cand = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        gates = einsum("bi,hi->bh", x_t, self.W_x_gates) + einsum("bj,hj->bh", h_prev, self.W_h_gates) + self.b_gates
        z, r = gates.sigmoid().view(x_t.shape[0], 2, -1).unbind(1)
        candidate = einsum("bi,hi->bh", x_t, self.W_x_cand) + einsum("bj,bj,hj->bh", r, h_prev, self.W_h_cand)
        h = torch.lerp(h_prev, (candidate + self.b_cand).tanh(), z)
        return h, h
