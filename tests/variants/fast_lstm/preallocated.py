"""One buffer for all activations, written in place; the backward pass reuses it for the blocks' gradients."""

import torch
import torch.nn as nn


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, h0, c0, wx, wh, b):
        batch, steps, inputs = x.shape
        hidden = wh.shape[1]
        act = torch.matmul(x.reshape(-1, inputs), wx.t()).add_(b).view(batch, steps, 4 * hidden).transpose(0, 1)
        act = act.contiguous()
        hs = x.new_empty(steps + 1, batch, hidden)
        cs = x.new_empty(steps + 1, batch, hidden)
        hs[0], cs[0] = h0, c0
        wht = wh.t().contiguous()
        for t in range(steps):
            a = act[t].addmm_(hs[t], wht)
            a[:, : 2 * hidden].sigmoid_()
            a[:, 2 * hidden : 3 * hidden].tanh_()
            a[:, 3 * hidden :].sigmoid_()
            i, f, g, o = a.chunk(4, 1)
            torch.addcmul(f * cs[t], i, g, out=cs[t + 1])
            torch.mul(o, cs[t + 1].tanh(), out=hs[t + 1])
        ctx.save_for_backward(x, wx, wh, act, hs, cs)
        return hs[1:].transpose(0, 1).clone(), hs[-1].clone(), cs[-1].clone()

    @staticmethod
    def backward(ctx, dout, dh, dc):
        x, wx, wh, act, hs, cs = ctx.saved_tensors
        steps, batch, hidden = act.shape[0], act.shape[1], wh.shape[1]
        da = torch.empty_like(act)
        dh, dc = dh.clone(), dc.clone()
        for t in range(steps - 1, -1, -1):
            dh += dout[:, t]
            i, f, g, o = act[t].chunk(4, 1)
            tc = torch.tanh(cs[t + 1])
            dc += dh * o * (1 - tc.pow(2))
            di, df, dg, do = da[t].chunk(4, 1)
            di.copy_(dc * g * i * (1 - i))
            df.copy_(dc * cs[t] * f * (1 - f))
            dg.copy_(dc * i * (1 - g.pow(2)))
            do.copy_(dh * tc * o * (1 - o))
            torch.mm(da[t], wh, out=dh)
            dc *= f
        flat = da.view(-1, 4 * hidden)
        need = ctx.needs_input_grad
        dx = flat.mm(wx).view(steps, batch, -1).transpose(0, 1) if need[0] else None
        dwx = flat.t().mm(x.transpose(0, 1).reshape(steps * batch, -1)) if need[3] else None
        dwh = flat.t().mm(hs[:-1].reshape(steps * batch, hidden)) if need[4] else None
        return dx, dh, dc, dwx, dwh, flat.sum(0)


class FastLSTM(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        k = hidden_size**-0.5
        self.W_x = nn.Parameter(torch.empty(4 * hidden_size, input_size).uniform_(-k, k))
        self.W_h = nn.Parameter(torch.empty(4 * hidden_size, hidden_size).uniform_(-k, k))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias.data[hidden_size : 2 * hidden_size] = 1

    def forward(self, x, state=None):
        if state is None:
            state = [torch.zeros(x.size(0), self.hidden_size, dtype=x.dtype, device=x.device) for _ in range(2)]
        out, h, c = _Lstm.apply(x, state[0], state[1], self.W_x, self.W_h, self.bias)
        return out, (h, c)
