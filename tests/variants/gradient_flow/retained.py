"""`retain_grad` on every state, one `backward`, gradients of the parameters wiped afterwards."""

import torch


def hidden_gradient_norms(cell, x):
    batch, steps = x.size(0), x.size(1)
    h = torch.zeros(batch, cell.hidden_size, dtype=x.dtype, device=x.device)
    c = torch.zeros_like(h)
    seen = []
    for t in range(steps):
        h, c = cell(x[:, t, :], h, c)
        h.retain_grad()
        seen.append(h)
    seen[-1].sum().backward()
    norms = torch.zeros(steps, dtype=x.dtype, device=x.device)
    for t, state in enumerate(seen):
        norms[t] = torch.sqrt((state.grad**2).sum())
    cell.zero_grad()
    return norms


def largest_singular_value(W):
    return float(torch.linalg.svdvals(W)[0])
