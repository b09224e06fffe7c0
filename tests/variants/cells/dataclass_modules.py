"""Modules that are dataclasses; sizes as fields, parameters in __post_init__; a mixin for the product."""
from dataclasses import dataclass

import torch
from torch import nn


class Affine:
    def affine(self, x, h, W_x, W_h, b):
        return torch.addmm(torch.addmm(b, x, W_x.t()), h, W_h.t())


@dataclass(eq=False, repr=False)
class RNNCellFromScratch(Affine, nn.Module):
    input_size: int
    hidden_size: int

    def __post_init__(self):
        nn.Module.__init__(self)
        self.W_x = nn.Parameter(torch.randn(self.hidden_size, self.input_size) * 0.1)
        self.W_h = nn.Parameter(torch.randn(self.hidden_size, self.hidden_size) * 0.1)
        self.bias = nn.Parameter(torch.zeros(self.hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        h = self.affine(x_t, h_prev, self.W_x, self.W_h, self.bias).tanh()
        return h, h


@dataclass(eq=False, repr=False)
class LSTMCellFromScratch(Affine, nn.Module):
    input_size: int
    hidden_size: int
    forget_bias: float = 1.0

    def __post_init__(self):
        nn.Module.__init__(self)
        self.W_x = nn.Parameter(torch.randn(4 * self.hidden_size, self.input_size) * 0.1)
        self.W_h = nn.Parameter(torch.randn(4 * self.hidden_size, self.hidden_size) * 0.1)
        self.bias = nn.Parameter(torch.zeros(4 * self.hidden_size))
        nn.init.constant_(self.bias[self.hidden_size:2 * self.hidden_size], self.forget_bias)

    def forward(self, x_t, h_prev, c_prev):
        blocks = self.affine(x_t, h_prev, self.W_x, self.W_h, self.bias)
        i, f, g, o = blocks.chunk(4, -1)
        c_t = torch.sigmoid(f).mul(c_prev) + torch.sigmoid(i).mul(torch.tanh(g))
        return torch.sigmoid(o).mul(torch.tanh(c_t)), c_t


@dataclass(eq=False, repr=False)
class GRUCellFromScratch(Affine, nn.Module):
    input_size: int
    hidden_size: int

    def __post_init__(self):
        nn.Module.__init__(self)
        for name, blocks in {"gates": 2, "cand": 1}.items():
            rows = blocks * self.hidden_size
            self.register_parameter(f"W_x_{name}", nn.Parameter(torch.randn(rows, self.input_size) * 0.1))
            self.register_parameter(f"W_h_{name}", nn.Parameter(torch.randn(rows, self.hidden_size) * 0.1))
            self.register_parameter(f"b_{name}", nn.Parameter(torch.zeros(rows)))

    def forward(self, x_t, h_prev, c_prev=None):
        z, r = torch.sigmoid(self.affine(x_t, h_prev, self.W_x_gates, self.W_h_gates, self.b_gates)).chunk(2, -1)
        n = torch.tanh(self.affine(x_t, r * h_prev, self.W_x_cand, self.W_h_cand, self.b_cand))
        h = n * z + h_prev * (1 - z)
        return h, h
