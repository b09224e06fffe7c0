"""torch.func: the model as a pure function of its weights, gradients by grad_and_value, weights copied back in place."""
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad_and_value
from batching import create_batches


def train(model, data, *, batch_size=64, seq_len=100, num_epochs=20, learning_rate=0.002, grad_clip=5.0, device="cpu", on_epoch=None):
    model.to(device)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    def cost(weights, x, y, states):
        logits, after = functional_call(model, weights, (x, states))
        return F.cross_entropy(logits.transpose(1, 2), y), after

    slope = grad_and_value(cost, has_aux=True)
    first = {name: torch.zeros_like(w) for name, w in weights.items()}
    second = {name: torch.zeros_like(w) for name, w in weights.items()}
    step, history = 0, []
    for epoch in range(num_epochs):
        model.train()
        states, costs = None, []
        for x, y in create_batches(data, batch_size, seq_len):
            grads, (loss, after) = slope(weights, x.to(device), y.to(device), states)
            norm = torch.sqrt(sum((g ** 2).sum() for g in grads.values()))
            grads = {name: g * (grad_clip / norm).clamp(max=1) for name, g in grads.items()}
            step += 1
            for name, g in grads.items():
                first[name] = 0.9 * first[name] + 0.1 * g
                second[name] = 0.999 * second[name] + 0.001 * g ** 2
                mean, spread = first[name] / (1 - 0.9 ** step), second[name] / (1 - 0.999 ** step)
                weights[name] = weights[name] - learning_rate * mean / (spread.sqrt() + 1e-8)
            states = [(h.detach(), c.detach()) for h, c in after]
            costs.append(loss.item())
        with torch.no_grad():
            for name, p in model.named_parameters():
                p.copy_(weights[name])
        history.append(sum(costs) / len(costs))
        if on_epoch is not None:
            on_epoch(epoch, history[-1])
    return history
