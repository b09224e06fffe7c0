"""The arithmetic is compiled by torch.jit.script; the modules only hold the weights."""
import warnings
from typing import Optional, Tuple

import torch
from torch import Tensor, nn

warnings.filterwarnings("ignore", category=DeprecationWarning)


@torch.jit.script
def lstm_step(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> Tuple[Tensor, Tensor]:
    gates = torch.mm(x, w_x.t()) + torch.mm(h, w_h.t()) + b
    i, f, g, o = gates.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


@torch.jit.script
def gru_step(x: Tensor, h: Tensor, w: Tuple[Tensor, Tensor, Tensor], v: Tuple[Tensor, Tensor, Tensor]) -> Tensor:
    z, r = torch.sigmoid(x @ w[0].t() + h @ w[1].t() + w[2]).chunk(2, 1)
    return (1 - z) * h + z * torch.tanh(x @ v[0].t() + (r * h) @ v[1].t() + v[2])


def weights(*size: int) -> nn.Parameter:
    return nn.Parameter(nn.init.kaiming_uniform_(torch.empty(*size), a=5 ** 0.5))


class RNNCellFromScratch(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_x, self.W_h = weights(hidden_size, input_size), weights(hidden_size, hidden_size)
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
        h = (x_t @ self.W_x.t() + h_prev @ self.W_h.t() + self.bias).tanh()
        return h, h


class LSTMCellFromScratch(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_x, self.W_h = weights(4 * hidden_size, input_size), weights(4 * hidden_size, hidden_size)
        zeros = torch.zeros(hidden_size)
        self.bias = nn.Parameter(torch.cat([zeros, zeros + 1, zeros, zeros]))

    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Tensor) -> Tuple[Tensor, Tensor]:
        return lstm_step(x_t, h_prev, c_prev, self.W_x, self.W_h, self.bias)


class GRUCellFromScratch(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_x_gates, self.W_h_gates = weights(2 * hidden_size, input_size), weights(2 * hidden_size, hidden_size)
        self.W_x_cand, self.W_h_cand = weights(hidden_size, input_size), weights(hidden_size, hidden_size)
        self.b_gates, self.b_cand = nn.Parameter(torch.zeros(2 * hidden_size)), nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t: Tensor, h_prev: Tensor, c_prev: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
        h = gru_step(
            x_t, h_prev, (self.W_x_gates, self.W_h_gates, self.b_gates), (self.W_x_cand, self.W_h_cand, self.b_cand)
        )
        return h, h
