from torch import tanh

from .base import Affine

NAMES = ("W_x", "W_h", "bias")


class RNNCellFromScratch(Affine):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.declare(hidden_size, input_size, hidden_size, NAMES)

    def forward(self, x_t, h_prev, c_prev=None):
        h = tanh(self.affine(x_t, h_prev, NAMES))
        return h, h
