"""Recurrent cells from scratch: a vanilla RNN, an LSTM and a GRU, one time step each.

Every cell is an `nn.Module` with `forward(x_t, h_prev, c_prev)`: x_t is (B, I), the states are
(B, H), and the result is a pair of new states (B, H). The RNN and the GRU have one state only and
return it twice, so that a model can use any of the three without asking which one it has.
"""

import torch
from torch import nn


class RNNCellFromScratch(nn.Module):
    """The vanilla RNN cell: h = tanh(x W_xᵀ + h_prev W_hᵀ + bias).

    Parameters: W_x (H, I), W_h (H, H), bias (H,).
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        raise NotImplementedError("cells: write RNNCellFromScratch.__init__, then type: grader check -a cells")

    def forward(self, x_t, h_prev, c_prev=None):
        """One time step.

        x_t: (B, I), the input; h_prev: (B, H), the previous state; c_prev: ignored.
        Returns (h, h) with h of shape (B, H).
        """
        raise NotImplementedError("cells: write RNNCellFromScratch.forward, then type: grader check -a cells")


class LSTMCellFromScratch(nn.Module):
    """The LSTM cell (Hochreiter & Schmidhuber, 1997; forget gate: Gers et al., 2000).

    Parameters: W_x (4H, I), W_h (4H, H), bias (4H,). Their rows are four blocks of H in the order
    input, forget, candidate, output, as in `nn.LSTM`.
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        raise NotImplementedError("cells: write LSTMCellFromScratch.__init__, then type: grader check -a cells")

    def forward(self, x_t, h_prev, c_prev):
        """One time step.

        x_t: (B, I), the input; h_prev and c_prev: (B, H), the previous states.
        Returns (h_t, c_t), each (B, H).
        """
        raise NotImplementedError("cells: write LSTMCellFromScratch.forward, then type: grader check -a cells")


class GRUCellFromScratch(nn.Module):
    """The GRU cell (Cho et al., 2014), reset gate before the product.

    Parameters: W_x_gates (2H, I), W_h_gates (2H, H), b_gates (2H,), their rows in the order
    update z, reset r; W_x_cand (H, I), W_h_cand (H, H), b_cand (H,).
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        raise NotImplementedError("cells: write GRUCellFromScratch.__init__, then type: grader check -a cells")

    def forward(self, x_t, h_prev, c_prev=None):
        """One time step.

        x_t: (B, I), the input; h_prev: (B, H), the previous state; c_prev: ignored.
        Returns (h, h) with h of shape (B, H).
        """
        raise NotImplementedError("cells: write GRUCellFromScratch.forward, then type: grader check -a cells")
