"""Names for every gate's own matrix, as properties that are views of the big ones; gates in a dictionary."""
import torch
from torch import nn


def rows_of(label, place):
    def view(self):
        whole = getattr(self, label)
        return whole[place * self.hidden_size:(place + 1) * self.hidden_size]
    return property(view)


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        nn.Module.__init__(self)
        self.hidden_size = hidden_size
        self.reset_parameters(input_size)

    def reset_parameters(self, input_size):
        bound = self.hidden_size ** -0.5
        self.W_x = nn.Parameter(torch.Tensor(self.hidden_size, input_size).uniform_(-bound, bound))
        self.W_h = nn.Parameter(torch.Tensor(self.hidden_size, self.hidden_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.Tensor(self.hidden_size).uniform_(-bound, bound))

    def forward(self, x_t, h_prev, c_prev=None):
        total = sum((torch.mm(x_t, self.W_x.t()), torch.mm(h_prev, self.W_h.t()), self.bias))
        h_t = 2 * torch.sigmoid(2 * total) - 1  # which is tanh
        return h_t, h_t


class LSTMCellFromScratch(nn.Module):
    W_xi, W_xf, W_xg, W_xo = (rows_of("W_x", k) for k in range(4))
    W_hi, W_hf, W_hg, W_ho = (rows_of("W_h", k) for k in range(4))
    b_i, b_f, b_g, b_o = (rows_of("bias", k) for k in range(4))

    def __init__(self, input_size, hidden_size):
        nn.Module.__init__(self)
        self.hidden_size = hidden_size
        self.W_x = nn.Parameter(torch.randn(4 * hidden_size, input_size).mul(0.1))
        self.W_h = nn.Parameter(torch.randn(4 * hidden_size, hidden_size).mul(0.1))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        with torch.no_grad():
            self.b_f.fill_(1.0)

    def forward(self, x_t, h_prev, c_prev):
        gates = {}
        for letter in "ifgo":
            gates[letter] = x_t @ getattr(self, "W_x" + letter).T + h_prev @ getattr(self, "W_h" + letter).T + getattr(self, "b_" + letter)
            gates[letter] = torch.tanh(gates[letter]) if letter == "g" else torch.sigmoid(gates[letter])
        c_t = gates["f"] * c_prev + gates["i"] * gates["g"]
        h_t = gates["o"] * torch.tanh(c_t)
        return h_t, c_t


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        nn.Module.__init__(self)
        self.hidden_size = hidden_size
        self.W_x_gates = nn.Parameter(torch.randn(2 * hidden_size, input_size))
        self.W_h_gates = nn.Parameter(torch.randn(2 * hidden_size, hidden_size))
        self.b_gates = nn.Parameter(torch.zeros(2 * hidden_size))
        self.W_x_cand = nn.Parameter(torch.randn(hidden_size, input_size))
        self.W_h_cand = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.b_cand = nn.Parameter(torch.zeros(hidden_size))

    W_xz, W_xr = rows_of("W_x_gates", 0), rows_of("W_x_gates", 1)
    W_hz, W_hr = rows_of("W_h_gates", 0), rows_of("W_h_gates", 1)
    b_z, b_r = rows_of("b_gates", 0), rows_of("b_gates", 1)

    def forward(self, x_t, h_prev, c_prev=None):
        z = torch.sigmoid(x_t @ self.W_xz.T + h_prev @ self.W_hz.T + self.b_z)
        r = torch.sigmoid(x_t @ self.W_xr.T + h_prev @ self.W_hr.T + self.b_r)
        h_tilde = torch.tanh(x_t @ self.W_x_cand.T + (r * h_prev) @ self.W_h_cand.T + self.b_cand)
        h_t = (1 - z) * h_prev + z * h_tilde
        return h_t, h_t
