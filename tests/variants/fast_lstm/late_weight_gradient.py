"""Autograd does almost everything: W_h is detached in the loop, and a Function that adds zeros fetches its gradient."""

import torch
from torch import nn


class AddZeros(torch.autograd.Function):
    """Passes the blocks on; on the way back it has all of their gradients at once, and makes W_h's from them."""

    @staticmethod
    def forward(ctx, blocks, W_h, hs):
        ctx.hs = hs
        return blocks + 0

    @staticmethod
    def backward(ctx, gradient):
        return gradient, gradient.flatten(0, 1).T @ torch.stack(ctx.hs).flatten(0, 1), None


class FastLSTM(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.H = hidden_size
        self.W_x = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.W_h = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.cat([torch.full((hidden_size,), float(n == 1)) for n in range(4)]))
        nn.init.orthogonal_(self.W_x)
        nn.init.orthogonal_(self.W_h)

    def forward(self, x, state=None):
        h, c = state if state is not None else (x.new_zeros(len(x), self.H),) * 2
        entered, outputs = [], []
        blocks = AddZeros.apply(nn.functional.linear(x.transpose(0, 1), self.W_x, self.bias), self.W_h, entered)
        recurrent = self.W_h.detach().T
        for block in blocks:
            entered.append(h.detach())
            i, f, g, o = torch.split(block + h @ recurrent, self.H, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)
