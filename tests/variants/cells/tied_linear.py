"""nn.Linear layers hold the weights; the names of the handout are properties of the same tensors."""
import torch
import torch.nn as nn


def alias(path):
    first, second = path.split(".")
    return property(lambda self: getattr(getattr(self, first), second))


class RNNCellFromScratch(nn.Module):
    W_x, W_h, bias = alias("i2h.weight"), alias("h2h.weight"), alias("i2h.bias")

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x_t, h_prev, c_prev=None):
        h = torch.tanh(self.i2h(x_t) + self.h2h(h_prev))
        return h, h


class LSTMCellFromScratch(nn.Module):
    W_x, W_h, bias = alias("i2h.weight"), alias("h2h.weight"), alias("i2h.bias")

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.i2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        nn.init.zeros_(self.bias)
        nn.init.ones_(self.bias[hidden_size:2 * hidden_size])
        self.sigmoid, self.tanh = nn.Sigmoid(), nn.Tanh()

    def forward(self, x_t, h_prev, c_prev):
        i, f, c_tilde, o = torch.chunk(self.i2h(x_t) + self.h2h(h_prev), 4, dim=-1)
        c_t = self.sigmoid(f) * c_prev + self.sigmoid(i) * self.tanh(c_tilde)
        return self.sigmoid(o) * self.tanh(c_t), c_t


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gates_x, self.gates_h = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, 2 * hidden_size, False)
        self.cand_x, self.cand_h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        # the same parameters once more, under the names of the handout
        self.W_x_gates, self.W_h_gates, self.b_gates = self.gates_x.weight, self.gates_h.weight, self.gates_x.bias
        self.W_x_cand, self.W_h_cand, self.b_cand = self.cand_x.weight, self.cand_h.weight, self.cand_x.bias

    def forward(self, x_t, h_prev, c_prev=None):
        z, r = (self.gates_x(x_t) + self.gates_h(h_prev)).sigmoid().chunk(2, 1)
        n = (self.cand_x(x_t) + self.cand_h(r * h_prev)).tanh()
        h = (1 - z) * h_prev + z * n
        return h, h
