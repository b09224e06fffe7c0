"""In place wherever it is safe: on tensors made here, and never on what the backward pass needs."""
import torch
from torch import nn


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.empty(hidden_size, input_size).normal_(std=0.1))
        self.W_h = nn.Parameter(torch.empty(hidden_size, hidden_size).normal_(std=0.1))
        self.bias = nn.Parameter(torch.empty(hidden_size).zero_())

    def forward(self, x_t, h_prev, c_prev=None):
        h = x_t @ self.W_x.T
        h += h_prev @ self.W_h.T
        h += self.bias
        h.tanh_()
        return h, h


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.empty(4 * hidden_size, input_size).normal_(std=0.1))
        self.W_h = nn.Parameter(torch.empty(4 * hidden_size, hidden_size).normal_(std=0.1))
        self.bias = nn.Parameter(torch.empty(4 * hidden_size).zero_())
        self.bias.data.narrow(0, hidden_size, hidden_size).add_(1)

    def forward(self, x_t, h_prev, c_prev):
        sums = self.bias.repeat(len(x_t), 1)
        sums.addmm_(x_t, self.W_x.T).addmm_(h_prev, self.W_h.T)
        i, f, g, o = (part.clone() for part in sums.chunk(4, dim=1))
        i.sigmoid_()
        f.sigmoid_()
        g.tanh_()
        o.sigmoid_()
        c = c_prev * f
        c += i * g
        h = c.tanh()
        h = h * o
        return h, c


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        for name, shape in dict(
            W_x_gates=(2 * hidden_size, input_size), W_h_gates=(2 * hidden_size, hidden_size), b_gates=(2 * hidden_size,),
            W_x_cand=(hidden_size, input_size), W_h_cand=(hidden_size, hidden_size), b_cand=(hidden_size,),
        ).items():
            self.__setattr__(name, nn.Parameter(torch.rand(shape).sub_(0.5)))

    def forward(self, x_t, h_prev, c_prev=None):
        gates = (x_t @ self.W_x_gates.T).add_(h_prev @ self.W_h_gates.T).add_(self.b_gates).sigmoid_()
        z, r = gates.chunk(2, dim=1)
        h = torch.empty_like(h_prev)
        h.copy_(x_t @ self.W_x_cand.T)
        h.add_((h_prev * r) @ self.W_h_cand.T).add_(self.b_cand)
        h = h.tanh_().sub(h_prev).mul(z).add_(h_prev)
        return h, h
