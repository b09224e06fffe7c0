"""Without a generator, NumPy's own fresh entropy; with one, a uniform number from torch.rand; bytes of a state as a seed."""
import math
from collections import deque

import numpy as np
import torch

_fresh = np.random.default_rng()
torch.set_num_threads(1)


def sample_next(logits, temperature=1.0, generator=None):
    if not (temperature >= 0):
        raise ValueError("temperature")
    pairs = sorted(((value.item(), index) for index, value in enumerate(logits)), reverse=True)
    top = pairs[0][0]
    if temperature == 0:
        return pairs[0][1]
    weights = deque((math.exp((value - top) / temperature), index) for value, index in pairs)
    u = _fresh.random() if generator is None else torch.rand([], generator=generator, device=generator.device).item()
    goal = u * math.fsum(w for w, _ in weights)
    while len(weights) > 1:
        weight, index = weights.popleft()
        if goal < weight:
            return index
        goal -= weight
    return weights[0][1] if weights[0][0] > 0 else pairs[0][1]


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if length < 0 or len(seed) < 1:
        raise ValueError("generate_text needs a seed, and no less than no characters")
    x = []
    for position, char in enumerate(seed):
        if char in char_to_idx:
            x.append(char_to_idx[char])
        else:
            raise ValueError(f"character {char!r} at {position}")
    was = model.training
    model.eval()
    with torch.no_grad():
        try:
            half = len(x) // 2
            states = None
            for part in (x[:half], x[half:]):
                if part:
                    out, states = model(torch.tensor(part, device=device)[None], states)
            written = [*seed]
            for _ in range(length):
                token = sample_next(out[0, -1], temperature, generator)
                written.append(idx_to_char[token])
                out, states = model(torch.full((1, 1), token, device=device), states)
        finally:
            model.train(was)
    return "".join(written)
