"""Pushes a tangent through the rest of the sequence for every step and unit; a copy of the cell does the work."""

import copy

import torch
from torch.func import jvp


class Tail(torch.nn.Module):
    """What is left to do once some steps have been taken."""

    def __init__(self, cell):
        super().__init__()
        self.cell = copy.deepcopy(cell).requires_grad_(False)

    def forward(self, xs, h, c):
        for x_t in xs:
            h, c = self.cell(x_t, h, c)
        return h, c


def hidden_gradient_norms(cell, x):
    tail = Tail(cell)
    x = x.detach()
    h = c = torch.zeros(x.shape[0], cell.hidden_size).to(x)
    norms = []
    for t in range(x.shape[1]):
        h, c = tail(x[:, t : t + 1].unbind(1), h, c)
        rest = x[:, t + 1 :].unbind(1)
        gradient = torch.empty_like(h)
        for unit in range(h.shape[1]):
            push = torch.zeros_like(h)
            push[:, unit] = 1
            _, came = jvp(lambda moved: tail(rest, moved, c)[0].sum(dim=1), (h,), (push,))
            gradient[:, unit] = came
        norms.append(gradient.square().sum().sqrt())
    return torch.tensor(norms, dtype=x.dtype)


def largest_singular_value(W):
    return torch.linalg.norm(W.detach(), 2).item()
