"""The classes come out of a factory; a parameter dictionary behind __getattr__; a __call__ of its own."""
from collections import namedtuple

import torch
from torch import nn

States = namedtuple("States", "h c")


def make_cell(name, table, step, after=None):
    def __init__(self, input_size, hidden_size):
        nn.Module.__init__(self)
        scope = {"I": input_size, "H": hidden_size}
        self.store = nn.ParameterDict(
            {key: 0.1 * torch.randn([eval(size, scope.copy()) for size in shape]) for key, shape in table.items()}
        )
        for key in table:
            if len(table[key]) == 1:
                self.store[key].data.zero_()
        if after:
            after(self, hidden_size)

    def __getattr__(self, key):
        if key in table:
            return self._modules["store"][key]
        return nn.Module.__getattr__(self, key)

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def forward(self, x_t, h_prev, c_prev=None):
        return States(*step(self.store, x_t, h_prev, c_prev))

    return type(name, (nn.Module,), {k: v for k, v in locals().items() if callable(v) and k.startswith(("_", "f"))})


def _rnn(p, x, h, _):
    h = torch.tanh(x.matmul(p["W_x"].T) + h.matmul(p["W_h"].T) + p["bias"])
    return h, h


def _lstm(p, x, h, c):
    n = h.shape[-1]
    gate = lambda k: x.matmul(p["W_x"][k * n:k * n + n].T) + h.matmul(p["W_h"][k * n:k * n + n].T) + p["bias"][k * n:k * n + n]
    c = gate(1).sigmoid() * c + gate(0).sigmoid() * gate(2).tanh()
    return gate(3).sigmoid() * c.tanh(), c


def _gru(p, x, h, _):
    z, r = torch.sigmoid(x.matmul(p.W_x_gates.T) + h.matmul(p.W_h_gates.T) + p.b_gates).tensor_split(2, dim=-1)
    n = torch.tanh(x.matmul(p.W_x_cand.T) + (r * h).matmul(p.W_h_cand.T) + p.b_cand)
    return ((1 - z).mul(h).add(z.mul(n)),) * 2


@torch.no_grad()
def _remember(cell, n):
    cell.bias[n:2 * n] = torch.ones(n)


RNNCellFromScratch = make_cell("RNNCellFromScratch", {"W_x": ("H", "I"), "W_h": ("H", "H"), "bias": ("H",)}, _rnn)
LSTMCellFromScratch = make_cell("LSTMCellFromScratch", {"W_x": ("4*H", "I"), "W_h": ("4*H", "H"), "bias": ("4*H",)}, _lstm, _remember)
GRUCellFromScratch = make_cell(
    "GRUCellFromScratch",
    {"W_x_gates": ("2*H", "I"), "W_h_gates": ("2*H", "H"), "b_gates": ("2*H",), "W_x_cand": ("H", "I"), "W_h_cand": ("H", "H"), "b_cand": ("H",)},
    _gru,
)
