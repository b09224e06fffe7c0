"""A forward hook on the cell collects the states, and is taken off again; grad mode is switched by a decorator."""

import numpy
import torch


@torch.enable_grad()
def hidden_gradient_norms(cell, x):
    outputs = []
    handle = cell.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        h, c = torch.zeros((2, len(x), cell.hidden_size), dtype=x.dtype, device=x.device)
        for t in range(x.shape[1]):
            h, c = cell(x[:, t], h_prev=h, c_prev=c)
    finally:
        handle.remove()
    hs = [h for h, _ in outputs]
    gradients = torch.autograd.grad(outputs=hs[-1], inputs=hs, grad_outputs=torch.ones_like(hs[-1]), retain_graph=True)
    return torch.cat([g.reshape(1, -1) for g in gradients]).norm(dim=1)


def largest_singular_value(W):
    return float(numpy.linalg.norm(W.detach().cpu().numpy(), ord=2))
