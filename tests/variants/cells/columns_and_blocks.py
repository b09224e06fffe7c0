"""Rows become columns: W x as on the blackboard; or all gates as one batched product of (gates, H, I) blocks."""
import torch
from torch import nn, baddbmm


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.randn(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.eye(hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        column = self.W_x @ x_t.T + self.W_h @ h_prev.T + self.bias[:, None]
        h = torch.tanh(column).T
        return h, h


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.n = hidden_size
        self.W_x = nn.Parameter(torch.randn(4 * hidden_size, input_size) * 0.01)
        self.W_h = nn.Parameter(torch.eye(hidden_size).repeat(4, 1))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size).index_fill(0, torch.arange(hidden_size, 2 * hidden_size), 1.0))

    def forward(self, x_t, h_prev, c_prev):
        batch = x_t.shape[0]
        blocks = lambda weight: weight.reshape(4, self.n, -1).transpose(1, 2)
        sums = baddbmm(self.bias.view(4, 1, self.n), x_t.expand(4, batch, -1), blocks(self.W_x))
        sums = baddbmm(sums, h_prev.expand(4, batch, -1), blocks(self.W_h))
        squashed = torch.sigmoid(sums)
        c_t = squashed[1] * c_prev + squashed[0] * sums[2].tanh()
        return squashed[3] * c_t.tanh(), c_t


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        n = self.n = hidden_size
        self.W_x_gates = nn.Parameter(torch.randn(2 * n, input_size))
        self.W_h_gates = nn.Parameter(torch.randn(2 * n, n))
        self.b_gates = nn.Parameter(torch.zeros(2 * n))
        self.W_x_cand = nn.Parameter(torch.randn(n, input_size))
        self.W_h_cand = nn.Parameter(torch.randn(n, n))
        self.b_cand = nn.Parameter(torch.zeros(n))

    def forward(self, x_t, h_prev, c_prev=None):
        x, h = x_t.mT, h_prev.mT
        gates = torch.sigmoid(self.W_x_gates @ x + self.W_h_gates @ h + self.b_gates.unsqueeze(1))
        update, reset = gates[: self.n], gates[self.n :]
        candidate = torch.tanh(self.W_x_cand @ x + self.W_h_cand @ (reset * h) + self.b_cand.unsqueeze(1))
        new = torch.where(torch.ones_like(update, dtype=torch.bool), (1 - update) * h + update * candidate, h)
        return new.mT.contiguous(), new.mT
