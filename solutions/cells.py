"""Recurrent cells from scratch: a vanilla RNN, an LSTM and a GRU, one time step each.

Every cell is an `nn.Module` with `forward(x_t, h_prev, c_prev)`: x_t is (B, I), the states are
(B, H), and the result is a pair of new states (B, H). The RNN and the GRU have one state only and
return it twice, so that a model can use any of the three without asking which one it has.
"""

import torch
from torch import nn

# BEGIN SOLUTION NO PROMPT
INITIAL_SCALE = 0.1


def small_weights(*shape):
    """A parameter with small random entries: large ones would saturate tanh from the start."""
    return nn.Parameter(torch.randn(*shape) * INITIAL_SCALE)


# END SOLUTION


class RNNCellFromScratch(nn.Module):
    """The vanilla RNN cell: h = tanh(x W_xᵀ + h_prev W_hᵀ + bias).

    Parameters: W_x (H, I), W_h (H, H), bias (H,).
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        # BEGIN SOLUTION
        self.W_x = small_weights(hidden_size, input_size)
        self.W_h = small_weights(hidden_size, hidden_size)
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        # END SOLUTION

    def forward(self, x_t, h_prev, c_prev=None):
        """One time step.

        x_t: (B, I), the input; h_prev: (B, H), the previous state; c_prev: ignored.
        Returns (h, h) with h of shape (B, H).
        """
        # BEGIN SOLUTION
        h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)
        return h, h
        # END SOLUTION


class LSTMCellFromScratch(nn.Module):
    """The LSTM cell (Hochreiter & Schmidhuber, 1997; forget gate: Gers et al., 2000).

    Parameters: W_x (4H, I), W_h (4H, H), bias (4H,). Their rows are four blocks of H in the order
    input, forget, candidate, output, as in `nn.LSTM`.
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        # BEGIN SOLUTION
        self.W_x = small_weights(4 * hidden_size, input_size)
        self.W_h = small_weights(4 * hidden_size, hidden_size)
        bias = torch.zeros(4 * hidden_size)
        bias[hidden_size : 2 * hidden_size] = 1.0  # start by remembering (Jozefowicz et al., 2015)
        self.bias = nn.Parameter(bias)
        # END SOLUTION

    def forward(self, x_t, h_prev, c_prev):
        """One time step.

        x_t: (B, I), the input; h_prev and c_prev: (B, H), the previous states.
        Returns (h_t, c_t), each (B, H).
        """
        # BEGIN SOLUTION
        blocks = x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias
        i, f, candidate, o = blocks.chunk(4, dim=1)
        i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
        candidate = torch.tanh(candidate)
        c_t = f * c_prev + i * candidate
        h_t = o * torch.tanh(c_t)
        return h_t, c_t
        # END SOLUTION


class GRUCellFromScratch(nn.Module):
    """The GRU cell (Cho et al., 2014), reset gate before the product.

    Parameters: W_x_gates (2H, I), W_h_gates (2H, H), b_gates (2H,), their rows in the order
    update z, reset r; W_x_cand (H, I), W_h_cand (H, H), b_cand (H,).
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        # BEGIN SOLUTION
        self.W_x_gates = small_weights(2 * hidden_size, input_size)
        self.W_h_gates = small_weights(2 * hidden_size, hidden_size)
        self.b_gates = nn.Parameter(torch.zeros(2 * hidden_size))
        self.W_x_cand = small_weights(hidden_size, input_size)
        self.W_h_cand = small_weights(hidden_size, hidden_size)
        self.b_cand = nn.Parameter(torch.zeros(hidden_size))
        # END SOLUTION

    def forward(self, x_t, h_prev, c_prev=None):
        """One time step.

        x_t: (B, I), the input; h_prev: (B, H), the previous state; c_prev: ignored.
        Returns (h, h) with h of shape (B, H).
        """
        # BEGIN SOLUTION
        gates = torch.sigmoid(x_t @ self.W_x_gates.T + h_prev @ self.W_h_gates.T + self.b_gates)
        z, r = gates.chunk(2, dim=1)
        candidate = torch.tanh(x_t @ self.W_x_cand.T + (r * h_prev) @ self.W_h_cand.T + self.b_cand)
        h = (1 - z) * h_prev + z * candidate
        return h, h
        # END SOLUTION
