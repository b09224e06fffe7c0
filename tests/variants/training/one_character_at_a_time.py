"""Feeds the model column by column, keeping the graph within a batch; clears gradients with model.zero_grad after the step."""
import numpy as np
import torch
import torch.nn as nn
import batching


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    device = torch.device(device)
    model.to(device).train(True)
    opt = torch.optim.Adam([{"params": list(model.parameters())}], lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)
    nll = nn.NLLLoss()
    means = []
    epoch = 0
    while epoch < num_epochs:
        model.train()
        states, seen = None, []
        for batch in batching.create_batches(data=data, batch_size=batch_size, seq_len=seq_len):
            x, y = (part.to(device) for part in batch)
            parts = []
            for t in range(x.size(1)):
                logits, states = model(x[:, t:t + 1], states)
                parts.append(torch.log_softmax(logits[:, 0], -1))
            loss = sum(nll(part, y[:, t]) for t, part in enumerate(parts)) / len(parts)
            loss.backward()
            with torch.no_grad():
                norm = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm()
                factor = torch.clamp(grad_clip / norm, max=1.0)
                for p in model.parameters():
                    if p.grad is not None:
                        p.grad *= factor
            opt.step()
            model.zero_grad(set_to_none=False)
            for pair in states:
                for s in pair:
                    s.detach_()
            seen.append(float(loss))
        means.append(float(np.mean(seen)))
        if on_epoch is not None:
            on_epoch(epoch=epoch, loss=means[-1])
        epoch += 1
    return means
