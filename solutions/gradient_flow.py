"""How much of a gradient survives on its way back through time, measured.

Read a sequence with a cell and ask the last state how it would change if an earlier one did:

    x[:, 0]       x[:, 1]              x[:, T-1]
       ↓             ↓                     ↓
    ┌──────┐ h_1  ┌──────┐ h_2      ┌──────┐ h_T
    │ cell │ ───→ │ cell │ ───→ … → │ cell │ ───→ L, the sum of h_T
    └──────┘      └──────┘          └──────┘
     ←───────────── dL/dh_t ─────────────

It trains nothing and changes nothing; it only looks.
"""

import torch


def hidden_gradient_norms(cell, x):
    """How strongly the sum of the last hidden state depends on the hidden state of every step.

    cell: called as `cell(x_t, h, c)`, returns `(h, c)`; has `hidden_size`. x: (B, T, I), T ≥ 1.
    Returns a tensor (T,) in x's dtype: the Frobenius norm of dL/dh_t for t = 1…T, where L is the
    sum of the last h. The cell starts from zeros and is left as it was but, at most, for gradients.

    For an RNN cell that doubles its state at every step, B = 1, H = 1 and T = 4: [8, 4, 2, 1].
    """
    # BEGIN SOLUTION
    h = c = x.new_zeros(x.shape[0], cell.hidden_size)
    states = []
    with torch.enable_grad():
        for x_t in x.unbind(dim=1):
            h, c = cell(x_t, h, c)
            states.append(h)
        gradients = torch.autograd.grad(h.sum(), states)  # of every h at once, and nothing lands on the cell
    return torch.stack([gradient.norm() for gradient in gradients])
    # END SOLUTION


def largest_singular_value(W):
    """The most by which the matrix W can stretch a vector, as a float.

    W: (M, N), any sizes. For [[3, 0], [4, 5]] it is √45 ≈ 6.708: no vector of length 1 comes out longer.
    """
    # BEGIN SOLUTION
    return torch.linalg.matrix_norm(W.detach(), ord=2).item()
    # END SOLUTION
