"""Accepts everything by position too, looks at the model first, evaluates in between, makes zero states, runs in enable_grad."""
import copy
import torch
import torch.nn.functional as F
from batching import create_batches


def train(model, data, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model.to(device=device)
    model.train()
    if num_epochs < 1:
        return []
    all_batches = list(create_batches(data, batch_size=batch_size, seq_len=seq_len))
    with torch.no_grad():
        V = model(all_batches[0][0].to(device))[0].shape[-1]
        zero = [tuple(torch.zeros_like(s) for s in pair) for pair in model(all_batches[0][0].to(device))[1]]
    opt = torch.optim.Adam(model.parameters(), learning_rate)
    log = [[] for _ in range(num_epochs)]
    for e, bucket in enumerate(log):
        model.train()
        states = copy.deepcopy(zero)
        for i in range(len(all_batches)):
            x, y = all_batches[i]
            for p in model.parameters():
                p.grad = None
            with torch.enable_grad():
                logits, new = model(x=x.to(device), states=states)
                loss = F.cross_entropy(logits.reshape(-1, V), y.to(device).reshape(-1), reduction="sum") / y.numel()
            loss.backward()
            states = [[h.clone().detach().requires_grad_(), c.data] for h, c in new]
            torch.nn.utils.clip_grad_norm_([p for p in model.parameters()], max_norm=grad_clip, norm_type=2)
            opt.step()
            bucket.append(loss.detach().cpu().numpy().item())
        if on_epoch is not None:
            on_epoch(e, sum(bucket) / len(bucket))
        model.eval()
        with torch.no_grad():
            model(all_batches[0][0].to(device))
    return [sum(b) / len(b) for b in log]
