"""Plain Python: math.exp and a running sum; the seed all but its last in one call, recursion for the rest."""
import math

import torch


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("a temperature below zero makes no sense")
    values = logits.tolist()
    best = max(values)
    if temperature == 0:
        return len(values) - 1 - values[::-1].index(best)
    weights = [math.exp((v - best) / temperature) for v in values]
    left = torch.rand((), generator=generator, device=logits.device, dtype=torch.float64).item() * sum(weights)
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return index
    return values.index(best)


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if length < 0 or not seed or any(c not in char_to_idx for c in seed):
        raise ValueError("bad arguments")
    if length == 0:
        return seed
    was_training, had_grad = model.training, torch.is_grad_enabled()
    model.eval()
    torch.set_grad_enabled(False)
    try:
        *head, last = (char_to_idx[c] for c in seed)
        states = None
        if head:
            _, states = model(torch.LongTensor([head]).to(device), None)
        return seed + _rest(model, idx_to_char, last, states, length, temperature, device, generator)
    finally:
        torch.set_grad_enabled(had_grad)
        if was_training:
            model.train()


def _rest(model, idx_to_char, index, states, length, temperature, device, generator):
    if length == 0:
        return ""
    logits, states = model(torch.LongTensor([[index]]).to(device), states)
    index = sample_next(logits[0, 0], temperature, generator)
    return idx_to_char[index] + _rest(model, idx_to_char, index, states, length - 1, temperature, device, generator)
