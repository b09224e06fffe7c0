import torch as t
import torch.nn as nn
from my_squash import S, T

__all__ = ["RNNCellFromScratch"]


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x, self.W_h = nn.Parameter(t.randn(hidden_size, input_size)), nn.Parameter(t.randn(hidden_size, hidden_size))
        self.bias = nn.Parameter(t.zeros(hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        h = T(t.einsum("hi,bi->bh", self.W_x, x_t) + t.einsum("hk,bk->bh", self.W_h, h_prev) + self.bias)
        return h, h


class LSTM(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x, self.W_h = nn.Parameter(t.randn(4 * hidden_size, input_size)), nn.Parameter(t.randn(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(t.zeros(4 * hidden_size) + t.eye(4)[1].repeat_interleave(hidden_size))

    def forward(self, x_t, h_prev, c_prev):
        i, f, g, o = t.tensor_split(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias, 4, 1)
        c = S(f) * c_prev + S(i) * T(g)
        return S(o) * T(c), c


class GRU(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x_gates, self.W_h_gates = nn.Parameter(t.randn(2 * hidden_size, input_size)), nn.Parameter(t.randn(2 * hidden_size, hidden_size))
        self.W_x_cand, self.W_h_cand = nn.Parameter(t.randn(hidden_size, input_size)), nn.Parameter(t.randn(hidden_size, hidden_size))
        self.b_gates, self.b_cand = nn.Parameter(t.zeros(2 * hidden_size)), nn.Parameter(t.zeros(hidden_size))

    def forward(self, x_t, h_prev, *ignored, **also_ignored):
        z, r = S(x_t @ self.W_x_gates.T + h_prev @ self.W_h_gates.T + self.b_gates).chunk(2, -1)
        h = z * T(x_t @ self.W_x_cand.T + (h_prev * r) @ self.W_h_cand.T + self.b_cand) + (1 - z) * h_prev
        return h, h
