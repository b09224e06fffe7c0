"""Cells that stand in for a student's own, so that what builds on them can be graded on its own.

They have the contract's interface and parameters but another, simpler recurrence, so they give no
answer away: every parameter, the input and both states matter, and h and c differ. The oracles of
the assignments that build on cells reckon with the same module.
"""

import torch
from torch import nn


class _StandIn(nn.Module):
    """h = sin(W_x's first rows on x + W_h's first rows on h + bias + 0.5 c); c = 0.5 c + 0.25 h + the other rows."""

    shapes = {}

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        sizes = {"H": hidden_size, "2H": 2 * hidden_size, "4H": 4 * hidden_size, "I": input_size}
        for label, shape in self.shapes.items():
            setattr(self, label, nn.Parameter(torch.randn(*(sizes[size] for size in shape)) * 0.1))

    def mix(self, x_t, h_prev, c_prev, of_x, of_h, of_bias):
        size = self.hidden_size
        parts = sum(
            (x_t @ w_x.T)[:, start : start + size] + (h_prev @ w_h.T)[:, start : start + size] + b[start : start + size]
            for w_x, w_h, b in zip(of_x, of_h, of_bias)
            for start in range(0, w_x.shape[0], size)
        )
        h = torch.sin(parts + 0.5 * c_prev)
        return h, 0.5 * c_prev + 0.25 * h_prev + 0.125 * parts


class RNNCellFromScratch(_StandIn):
    shapes = {"W_x": ("H", "I"), "W_h": ("H", "H"), "bias": ("H",)}

    def forward(self, x_t, h_prev, c_prev=None):
        h, _ = self.mix(x_t, h_prev, torch.zeros_like(h_prev), [self.W_x], [self.W_h], [self.bias])
        return h, h


class LSTMCellFromScratch(_StandIn):
    shapes = {"W_x": ("4H", "I"), "W_h": ("4H", "H"), "bias": ("4H",)}

    def forward(self, x_t, h_prev, c_prev):
        return self.mix(x_t, h_prev, c_prev, [self.W_x], [self.W_h], [self.bias])


class GRUCellFromScratch(_StandIn):
    shapes = {
        "W_x_gates": ("2H", "I"),
        "W_h_gates": ("2H", "H"),
        "b_gates": ("2H",),
        "W_x_cand": ("H", "I"),
        "W_h_cand": ("H", "H"),
        "b_cand": ("H",),
    }

    def forward(self, x_t, h_prev, c_prev=None):
        of_x, of_h = [self.W_x_gates, self.W_x_cand], [self.W_h_gates, self.W_h_cand]
        h, _ = self.mix(x_t, h_prev, torch.zeros_like(h_prev), of_x, of_h, [self.b_gates, self.b_cand])
        return h, h
