"""Every cell is a torch.autograd.Function whose backward pass is worked out by hand."""

import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class _RNNStep(Function):
    @staticmethod
    def forward(ctx, x, h, W_x, W_h, b):
        new = torch.tanh(x.mm(W_x.t()).add_(h.mm(W_h.t())).add_(b))
        ctx.save_for_backward(x, h, W_x, W_h, new)
        return new

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        x, h, W_x, W_h, new = ctx.saved_tensors
        d = grad * (1 - new * new)
        return d @ W_x, d @ W_h, d.t() @ x, d.t() @ h, d.sum(0)


class _LSTMStep(Function):
    @staticmethod
    def forward(ctx, x, h, c, W_x, W_h, b):
        a = x @ W_x.t() + h @ W_h.t() + b
        n = h.size(1)
        i, f, g, o = a[:, :n].sigmoid(), a[:, n:2 * n].sigmoid(), a[:, 2 * n:3 * n].tanh(), a[:, 3 * n:].sigmoid()
        c_new = f * c + i * g
        t = c_new.tanh()
        ctx.save_for_backward(x, h, c, W_x, W_h, i, f, g, o, t)
        return o * t, c_new

    @staticmethod
    @once_differentiable
    def backward(ctx, dh, dc):
        x, h, c, W_x, W_h, i, f, g, o, t = ctx.saved_tensors
        dc = dc + dh * o * (1 - t ** 2)
        da = torch.cat([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g ** 2), dh * t * o * (1 - o)], 1)
        return da @ W_x, da @ W_h, dc * f, da.t() @ x, da.t() @ h, da.sum(0)


class _GRUStep(Function):
    @staticmethod
    def forward(ctx, x, h, Wxg, Whg, bg, Wxc, Whc, bc):
        z, r = torch.sigmoid(x @ Wxg.t() + h @ Whg.t() + bg).chunk(2, 1)
        n = torch.tanh(x @ Wxc.t() + (r * h) @ Whc.t() + bc)
        ctx.save_for_backward(x, h, Wxg, Whg, Wxc, Whc, z, r, n)
        return h + z * (n - h)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        x, h, Wxg, Whg, Wxc, Whc, z, r, n = ctx.saved_tensors
        dn = grad * z * (1 - n ** 2)
        drh = dn @ Whc
        dg = torch.cat([grad * (n - h) * z * (1 - z), drh * h * r * (1 - r)], 1)
        dx = dn @ Wxc + dg @ Wxg
        dh = grad * (1 - z) + drh * r + dg @ Whg
        return dx, dh, dg.t() @ x, dg.t() @ h, dg.sum(0), dn.t() @ x, dn.t() @ (r * h), dn.sum(0)


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.randn(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.randn(hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        h = _RNNStep.apply(x_t, h_prev, self.W_x, self.W_h, self.bias)
        return h, h


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.randn(4 * hidden_size, input_size))
        self.W_h = nn.Parameter(torch.randn(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat_interleave(hidden_size))

    def forward(self, x_t, h_prev, c_prev):
        return _LSTMStep.apply(x_t, h_prev, c_prev, self.W_x, self.W_h, self.bias)


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        for name, rows in (("gates", 2 * hidden_size), ("cand", hidden_size)):
            setattr(self, f"W_x_{name}", nn.Parameter(torch.randn(rows, input_size)))
            setattr(self, f"W_h_{name}", nn.Parameter(torch.randn(rows, hidden_size)))
            setattr(self, f"b_{name}", nn.Parameter(torch.zeros(rows)))

    def forward(self, x_t, h_prev, c_prev=None):
        h = _GRUStep.apply(
            x_t, h_prev, self.W_x_gates, self.W_h_gates, self.b_gates, self.W_x_cand, self.W_h_cand, self.b_cand
        )
        return h, h
