"""A torch Optimizer of one's own with foreach arithmetic and clipping built in; a context manager for an epoch."""
import contextlib
import math

import torch
from torch.optim import Optimizer

from batching import create_batches


class ClippedAdam(Optimizer):
    def __init__(self, params, lr, clip, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, clip=clip, betas=betas, eps=eps))
        self.t = 0

    @torch.no_grad()
    def step(self, closure=None):
        self.t += 1
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            grads = [p.grad for p in params]
            norm = math.hypot(*(norm.item() for norm in torch._foreach_norm(grads)))
            if norm > group["clip"]:
                torch._foreach_mul_(grads, group["clip"] / norm)
            for p in params:
                if not self.state[p]:
                    self.state[p] = {"m": torch.zeros_like(p), "v": torch.zeros_like(p)}
            m, v = [self.state[p]["m"] for p in params], [self.state[p]["v"] for p in params]
            b1, b2 = group["betas"]
            torch._foreach_lerp_(m, grads, 1 - b1)
            torch._foreach_mul_(v, b2)
            torch._foreach_addcmul_(v, grads, grads, 1 - b2)
            below = torch._foreach_sqrt(torch._foreach_div(v, 1 - b2 ** self.t))
            torch._foreach_add_(below, group["eps"])
            torch._foreach_addcdiv_(params, m, below, -group["lr"] / (1 - b1 ** self.t))


class Meter:
    __slots__ = ("total", "count")

    def __init__(self):
        self.total, self.count = 0.0, 0

    def __call__(self, value):
        self.total += value
        self.count += 1
        return value

    def __float__(self):
        return self.total / self.count


@contextlib.contextmanager
def an_epoch(model):
    model.train()
    meter = Meter()
    yield meter
    print(f"loss {float(meter):.3f}")


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model.to(device)
    optimizer = ClippedAdam(model.parameters(), learning_rate, grad_clip)
    losses = []
    for epoch in range(num_epochs):
        with an_epoch(model) as meter:
            carried = {}
            for number, (x, y) in enumerate(create_batches(data, batch_size, seq_len)):
                optimizer.zero_grad()
                logits, after = model(x.to(device), **carried)
                picked = logits.log_softmax(dim=-1).gather(-1, y.to(device).unsqueeze(-1))
                loss = picked.mean().neg()
                loss.backward()
                optimizer.step()
                carried = {"states": [tuple(part.detach() for part in layer) for layer in after]}
                meter(loss.item())
        losses.append(float(meter))
        if on_epoch:
            on_epoch(epoch, losses[-1])
    return losses
