"""A deep copy of the cell, retained gradients, norms taken out as floats and put back into a float32 tensor."""
import copy

import torch


def hidden_gradient_norms(cell, x):
    cell = copy.deepcopy(cell).eval()
    x = x.detach().clone()
    h = torch.zeros(x.shape[0], cell.hidden_size, dtype=x.dtype, device=x.device, requires_grad=True)
    c = torch.zeros_like(h)
    hidden = []
    with torch.set_grad_enabled(True):
        for step in range(x.shape[1]):
            h, c = cell(x[:, step, :].contiguous(), h, c)
            h.retain_grad()
            hidden += [h]
        hidden[-1].sum().backward()
    return torch.tensor([torch.norm(h.grad).item() for h in hidden]).to(x)


def largest_singular_value(W):
    _, S, _ = torch.linalg.svd(W.detach(), full_matrices=False)
    return float(S.max().cpu())
