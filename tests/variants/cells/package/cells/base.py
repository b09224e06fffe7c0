import torch
from torch import nn


class Affine(nn.Module):
    """What all cells share: x W_xᵀ + h W_hᵀ + b under given names."""

    def declare(self, rows, input_size, hidden_size, names):
        W_x, W_h, b = names
        setattr(self, W_x, nn.Parameter(torch.randn(rows, input_size) / 10))
        setattr(self, W_h, nn.Parameter(torch.randn(rows, hidden_size) / 10))
        setattr(self, b, nn.Parameter(torch.zeros(rows)))

    def affine(self, x, h, names):
        W_x, W_h, b = (getattr(self, name) for name in names)
        return x @ W_x.T + h @ W_h.T + b
