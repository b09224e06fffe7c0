"""No graph over time: each step is its own vector-Jacobian product, from the last step back."""

import numpy as np
import torch


def hidden_gradient_norms(cell, x):
    zeros = x.new_zeros(x.shape[0], cell.hidden_size)
    entering = [(zeros, zeros)]
    with torch.no_grad():
        for x_t in x.unbind(1):
            h, c = cell(x_t, *entering[-1])
            entering.append((h, c))

    norms = []
    dh, dc = torch.ones_like(zeros), torch.zeros_like(zeros)
    for x_t, (h, c) in reversed(list(zip(x.detach().unbind(1), entering[:-1]))):
        norms.insert(0, torch.linalg.vector_norm(dh))
        h, c = h.clone().requires_grad_(True), c.clone().requires_grad_(True)
        out_h, out_c = cell(x_t, h, c)
        if out_c is out_h:  # one state, returned twice: it is h alone that is carried
            (dh,) = torch.autograd.grad(out_h, h, dh)
        else:
            dh, dc = torch.autograd.grad((out_h, out_c), (h, c), (dh, dc))
    return torch.stack(norms)


def largest_singular_value(W):
    _, values, _ = np.linalg.svd(W.detach().cpu().numpy(), full_matrices=False)
    return float(values.max())
