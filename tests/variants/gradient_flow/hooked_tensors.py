"""Hooks on the states' tensors note each norm as the gradient passes; gradients stay on the cell."""

import math

import torch


def hidden_gradient_norms(cell, x):
    norms = torch.empty(x.shape[1], dtype=x.dtype, device=x.device)

    def note(place):
        def hook(gradient):
            norms[place] = torch.linalg.matrix_norm(gradient)

        return hook

    state = (x.new_zeros((x.shape[0], cell.hidden_size)),) * 2
    for place, x_t in enumerate(x.transpose(0, 1)):
        state = cell.forward(x_t, *state)
        state[0].register_hook(note(place))
    state[0].backward(torch.ones_like(state[0]))
    return norms


def largest_singular_value(W):
    with torch.no_grad():
        gram = W @ W.T if W.shape[0] < W.shape[1] else W.T @ W
        return math.sqrt(max(torch.linalg.eigvalsh(gram)[-1].item(), 0.0))
