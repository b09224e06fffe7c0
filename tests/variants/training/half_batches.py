"""Feeds each batch in two halves of its steps within one graph; every loss kept as a tensor until the epoch is over."""
import torch
import torch.nn.functional as F
import batching


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history = []
    for epoch in range(num_epochs):
        model.train()
        states, kept = None, []
        for x, y in batching.create_batches(data, batch_size, seq_len):
            x, y = x.to(device), y.to(device)
            middle = max(1, x.shape[1] // 2)
            pieces = []
            for piece in (x[:, :middle], x[:, middle:]):
                if piece.shape[1]:
                    logits, states = model(piece, states)
                    pieces.append(logits)
            loss = F.cross_entropy(torch.cat(pieces, 1).permute(0, 2, 1), y)
            model.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=grad_clip)
            optimizer.step()
            states = [(h.data, c.data) for h, c in states]
            kept.append(loss.detach())
        history.append(torch.stack(kept).mean().item())
        if on_epoch is not None:
            on_epoch(epoch, history[-1])
    return history
