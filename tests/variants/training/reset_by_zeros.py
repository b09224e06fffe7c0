"""The states are kept as tensors of one's own that are overwritten in place, and zeroed when an epoch starts."""
import torch
from torch.nn.functional import cross_entropy
from batching import create_batches


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model = model.to(device)
    optimizer = torch.optim.Adam(params=model.parameters(), lr=learning_rate)
    memory = []
    results = [0.0] * num_epochs
    for epoch in range(num_epochs):
        model.train(True)
        for pair in memory:
            for state in pair:
                state.zero_()
        count = 0
        for count, (x, y) in enumerate(create_batches(data, batch_size, seq_len), start=1):
            x, y = x.to(device), y.to(device)
            logits, after = model(x, [tuple(s.clone() for s in pair) for pair in memory] if memory else None)
            loss = torch.stack([cross_entropy(row, targets) for row, targets in zip(logits, y)]).mean()
            optimizer.zero_grad()
            loss.backward()
            norms = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
            torch.nn.utils.clip_grads_with_norm_(model.parameters(), grad_clip, norms)
            optimizer.step()
            with torch.no_grad():
                if not memory:
                    memory = [tuple(torch.empty_like(s) for s in pair) for pair in after]
                for mine, theirs in zip(memory, after):
                    for state, new in zip(mine, theirs):
                        state.copy_(new)
            results[epoch] += (loss.item() - results[epoch]) / count  # the running mean
        if on_epoch is not None:
            on_epoch(epoch, results[epoch])
    return results
