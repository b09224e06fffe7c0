"""A submission that misbehaves: every trick below should cost its own class and nothing else."""

import contextlib
import os
import pathlib
import signal
import socket

import torch
from torch import nn


class RNNCellFromScratch(nn.Module):
    """Honest."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_x = nn.Parameter(torch.zeros(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x_t, h_prev, c_prev=None):
        h = (x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias).tanh()
        return h, h


class LSTMCellFromScratch(nn.Module):
    """Floods the output, looks for the tests, calls home, stops its parent, and crashes."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        print("x" * 10_000_000)
        for path in pathlib.Path("/").glob("*/*/*/*/test_hidden.py"):
            print(path.read_text())
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 80), timeout=0.1).sendall(b"hello")
        with contextlib.suppress(OSError):
            os.kill(os.getppid(), signal.SIGSTOP)
        os.abort()


class GRUCellFromScratch(nn.Module):
    """Leaves through the back door, or never."""

    def __init__(self, input_size, hidden_size):
        if hidden_size == 2:
            os._exit(0)
        while True:
            pass
