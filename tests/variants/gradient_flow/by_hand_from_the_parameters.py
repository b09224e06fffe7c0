"""Never differentiates: tells the cell by its parameters' names and works the chain rule out in NumPy."""

import numpy as np
import torch


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def hidden_gradient_norms(cell, x):
    p = {name: value.detach().cpu().numpy().astype(np.float64) for name, value in cell.named_parameters()}
    xs = x.detach().cpu().numpy().astype(np.float64)
    B, T, _ = xs.shape
    h = c = np.zeros((B, cell.hidden_size))
    back = []  # for each step: the function (dh, dc) -> (dh, dc) of the step before
    for t in range(T):
        x_t, old_h, old_c = xs[:, t], h, c
        if "b_cand" in p:
            z, r = np.split(sigmoid(x_t @ p["W_x_gates"].T + h @ p["W_h_gates"].T + p["b_gates"]), 2, axis=1)
            n = np.tanh(x_t @ p["W_x_cand"].T + (r * h) @ p["W_h_cand"].T + p["b_cand"])
            h = (1 - z) * h + z * n

            def undo(dh, dc, z=z, r=r, n=n, old=old_h):
                gated = (dh * z * (1 - n * n)) @ p["W_h_cand"]
                gates = np.hstack([dh * (n - old) * z * (1 - z), gated * old * r * (1 - r)])
                return dh * (1 - z) + gated * r + gates @ p["W_h_gates"], dc

        elif p["W_x"].shape[0] == 4 * cell.hidden_size:
            i, f, g, o = np.split(x_t @ p["W_x"].T + h @ p["W_h"].T + p["bias"], 4, axis=1)
            i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
            c = f * c + i * g
            h = o * np.tanh(c)

            def undo(dh, dc, i=i, f=f, g=g, o=o, new=np.tanh(c), old=old_c):
                dc = dc + dh * o * (1 - new * new)
                parts = [dc * g * i * (1 - i), dc * old * f * (1 - f), dc * i * (1 - g * g), dh * new * o * (1 - o)]
                return np.hstack(parts) @ p["W_h"], dc * f

        else:
            h = np.tanh(x_t @ p["W_x"].T + h @ p["W_h"].T + p["bias"])

            def undo(dh, dc, h=h):
                return (dh * (1 - h * h)) @ p["W_h"], dc

        back.append(undo)
    dh, dc = np.ones_like(h), np.zeros_like(h)
    norms = [np.linalg.norm(dh)]
    for undo in reversed(back[1:]):
        dh, dc = undo(dh, dc)
        norms.append(np.linalg.norm(dh))
    return torch.tensor(norms[::-1], dtype=x.dtype, device=x.device)


def largest_singular_value(W):
    """Power iteration."""
    A = W.detach().cpu().double().numpy()
    v = np.random.default_rng(0).normal(size=A.shape[1])
    for _ in range(2000):
        v = A.T @ (A @ v)
        v /= np.linalg.norm(v)
    return float(np.linalg.norm(A @ v))
