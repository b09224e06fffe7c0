"""Takes **options, keeps float32 losses, recursive epochs, states as lists, fused optimiser."""
import torch
from batching import *

DEFAULTS = dict(batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None)


def train(model, data, **options):
    o = {**DEFAULTS, **options}
    for module in model.modules():
        module.training = True
    model.to(o["device"])
    opt = torch.optim.Adam(model.parameters(), lr=o["learning_rate"], fused=True)

    def batch(item, states):
        x, y = (t.to(o["device"]) for t in item)
        logits, states = model(x, None if states is None else [[s.detach() for s in pair] for pair in states])
        picked = logits.float().log_softmax(-1)[torch.arange(x.shape[0])[:, None], torch.arange(x.shape[1])[None], y]
        loss = -picked.mean()
        opt.zero_grad()
        loss.backward()
        total = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]))
        if total > o["grad_clip"]:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad.mul_(o["grad_clip"] / total)
        opt.step()
        return loss.item(), states

    def epochs(number):
        if number == o["num_epochs"]:
            return []
        states, losses = None, []
        for item in create_batches(data, o["batch_size"], o["seq_len"]):
            loss, states = batch(item, states)
            losses += [loss]
        mean = sum(losses) / len(losses)
        if o["on_epoch"]:
            o["on_epoch"](number, mean)
        return [mean, *epochs(number + 1)]

    return epochs(0)
