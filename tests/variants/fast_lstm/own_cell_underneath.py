"""Inherits a cell of its own; a Function in the newer style that skips what nobody asked for."""

import torch
import torch.nn.functional as F
from torch import nn


class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W_x = nn.Parameter(0.08 * torch.randn(4 * hidden_size, input_size))
        self.W_h = nn.Parameter(0.08 * torch.randn(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(F.pad(torch.ones(hidden_size), (hidden_size, 2 * hidden_size)))

    @staticmethod
    def gates(total):
        i, f, g, o = total.chunk(4, -1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


class Unrolled(torch.autograd.Function):
    @staticmethod
    def forward(projected, h, c, W_h):
        steps = []
        for total in projected:
            gates = LSTMCell.gates(F.linear(h, W_h, None) + total)
            i, f, g, o = gates
            steps.append((*gates, c, h))
            c = torch.addcmul(i * g, f, c)
            h = o * torch.tanh(c)
            steps[-1] += (c,)
        return (torch.stack([step[5] for step in steps[1:]] + [h]), c, *(torch.stack(kind) for kind in zip(*steps)))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*output[2:])
        ctx.save_for_backward(inputs[3], *output[2:])

    @staticmethod
    def backward(ctx, d_hs, d_c, *_):
        W_h, i, f, g, o, before, entered, after = ctx.saved_tensors
        dh = torch.zeros_like(before[0])
        dc = torch.zeros_like(dh) if d_c is None else d_c
        squashed = torch.tanh(after)
        through_c = o * (1 - squashed * squashed)
        slopes = g * i * (1 - i), before * f * (1 - f), i * (1 - g * g)
        slope_o = squashed * o * (1 - o)
        totals = []
        for t in range(len(i) - 1, -1, -1):
            if d_hs is not None:
                dh = dh + d_hs[t]
            dc = dc + dh * through_c[t]
            totals.append(torch.cat([dc * slope[t] for slope in slopes] + [dh * slope_o[t]], -1))
            dh = totals[-1].matmul(W_h)
            dc = dc * f[t]
        totals = torch.stack(totals[::-1])
        return totals, dh, dc, torch.tensordot(totals, entered, dims=([0, 1], [0, 1]))


class FastLSTM(LSTMCell):
    def forward(self, x, state=None):
        h, c = (x.new_zeros(2, x.size(0), self.hidden_size)) if state is None else state
        projected = F.linear(x.permute(1, 0, 2), self.W_x, self.bias)
        hs, c, *_ = Unrolled.apply(projected, h, c, self.W_h)
        return hs.permute(1, 0, 2), (hs[-1], c)
