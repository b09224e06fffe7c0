"""Everything by hand: batches, cross-entropy, Adam, clipping; gradients from autograd.grad."""
import math
import torch


def _cut(text, rows, cols):
    n = (len(text) - 1) // (rows * cols)
    if rows < 1 or cols < 1 or n < 1:
        raise ValueError("too short")
    for k in range(n):
        at = [(r * n + k) * cols for r in range(rows)]
        yield torch.stack([text[i:i + cols] for i in at]), torch.stack([text[i + 1:i + cols + 1] for i in at])


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model = model.to(device)
    model.train()
    params = [p for p in model.parameters() if p.requires_grad]
    m = [torch.zeros_like(p) for p in params]
    v = [torch.zeros_like(p) for p in params]
    t = 0
    history = []
    for epoch in range(num_epochs):
        carried, total, count = None, 0.0, 0
        for x, y in _cut(data, batch_size, seq_len):
            x = x.to(device)
            y = y.to(device)
            out, after = model(x) if carried is None else model(x, states=carried)
            logp = out - out.logsumexp(dim=2, keepdim=True)
            loss = -logp.gather(2, y.unsqueeze(2)).mean()
            grads = torch.autograd.grad(loss, params, allow_unused=True)
            grads = [torch.zeros_like(p) if g is None else g for p, g in zip(params, grads)]
            norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in grads))
            if norm > grad_clip:
                grads = [g * (grad_clip / norm) for g in grads]
            t += 1
            step = learning_rate * math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
            with torch.no_grad():
                for p, g, a, b in zip(params, grads, m, v):
                    a.mul_(0.9).add_(g, alpha=0.1)
                    b.mul_(0.999).addcmul_(g, g, value=0.001)
                    p -= step * a / (b.sqrt() + 1e-8 * math.sqrt(1 - 0.999 ** t))
            carried = tuple((h.detach(), c.detach()) for h, c in after)
            total += loss.item()
            count += 1
        history.append(total / count)
        if on_epoch:
            on_epoch(epoch, history[-1])
    return history
