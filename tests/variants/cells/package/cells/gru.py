import torch

from .base import Affine

GATES = ("W_x_gates", "W_h_gates", "b_gates")
CANDIDATE = ("W_x_cand", "W_h_cand", "b_cand")


class GRUCellFromScratch(Affine):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.declare(2 * hidden_size, input_size, hidden_size, GATES)
        self.declare(hidden_size, input_size, hidden_size, CANDIDATE)

    def forward(self, x_t, h_prev, c_prev=None):
        z, r = torch.sigmoid(self.affine(x_t, h_prev, GATES)).chunk(2, 1)
        h = (1 - z) * h_prev + z * torch.tanh(self.affine(x_t, r * h_prev, CANDIDATE))
        return h, h
