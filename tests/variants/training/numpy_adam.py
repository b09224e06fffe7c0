"""Adam in NumPy between torch's gradients; batches cut inside train with as_strided; a dataclass of options; types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@dataclass
class Adam:
    rate: float
    t: int = 0
    m: dict[int, np.ndarray] = field(default_factory=dict)
    v: dict[int, np.ndarray] = field(default_factory=dict)

    def update(self, gradients: list[np.ndarray]) -> Iterator[np.ndarray]:
        self.t += 1
        for k, g in enumerate(gradients):
            self.m[k] = 0.9 * self.m.get(k, 0.0) + 0.1 * g
            self.v[k] = 0.999 * self.v.get(k, 0.0) + 0.001 * np.square(g)
            yield self.rate * (self.m[k] / (1 - 0.9**self.t)) / (np.sqrt(self.v[k] / (1 - 0.999**self.t)) + 1e-8)


def windows(data: Tensor, rows: int, steps: int) -> list[tuple[Tensor, Tensor]]:
    if rows < 1 or steps < 1 or len(data) <= rows * steps:
        raise ValueError("nothing to train on")
    n = (len(data) - 1) // (rows * steps)
    array = np.ascontiguousarray(data.cpu().numpy())
    size = array.itemsize
    strided = np.lib.stride_tricks.as_strided(array, (n, 2, rows, steps), (steps * size, size, n * steps * size, size))
    return [(torch.from_numpy(x.copy()), torch.from_numpy(y.copy())) for x, y in strided]


def train(
    model: nn.Module,
    data: Tensor,
    *,
    batch_size: int = 64,
    seq_len: int = 100,
    num_epochs: int = 20,
    learning_rate: float = 0.002,
    grad_clip: float = 5.0,
    device: str | torch.device = "cpu",
    on_epoch: Callable[[int, float], Any] | None = None,
) -> list[float]:
    model.to(device)
    parameters: list[nn.Parameter] = list(model.parameters())
    adam = Adam(learning_rate)
    losses: list[float] = []
    for epoch in range(num_epochs):
        model.train()
        total: list[float] = []
        states: list[tuple[Tensor, Tensor]] | None = None
        for x, y in windows(data, batch_size, seq_len):
            model.zero_grad()
            logits, states = model(x.to(device), states)
            assert logits.shape[:2] == x.shape
            loss: Tensor = nn.functional.nll_loss(logits.log_softmax(-1).flatten(0, 1), y.to(device).flatten())
            loss.backward()
            gradients = [np.zeros(p.shape) if p.grad is None else p.grad.cpu().double().numpy() for p in parameters]
            norm = float(np.sqrt(sum(np.vdot(g, g) for g in gradients)))
            scale = grad_clip / norm if norm > grad_clip else 1.0
            with torch.no_grad():
                for p, change in zip(parameters, adam.update([scale * g for g in gradients]), strict=True):
                    p -= torch.from_numpy(np.asarray(change)).to(p)
            states = [(h.detach(), c.detach()) for h, c in states]
            total.append(loss.item())
        losses.append(float(np.mean(total)))
        if on_epoch is not None:
            on_epoch(epoch, losses[-1])
    return losses
