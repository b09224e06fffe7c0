"""Walker's alias method in pure Python; a random.Random that torch's generator seeds; io.StringIO for the text."""
import io
import math
import random
import torch


def _alias_tables(weights):
    n, total = len(weights), math.fsum(weights)
    scaled = [w * n / total for w in weights]
    small = [k for k, w in enumerate(scaled) if w < 1]
    large = [k for k, w in enumerate(scaled) if w >= 1]
    keep, other = [1.0] * n, list(range(n))
    while small and large:
        s, l = small.pop(), large.pop()
        keep[s], other[s] = scaled[s], l
        scaled[l] -= 1 - scaled[s]
        (small if scaled[l] < 1 else large).append(l)
    best = max(range(n), key=weights.__getitem__)
    for k in small + large:  # rounding leaves some behind; an impossible one must stay impossible
        keep[k], other[k] = (1.0, k) if weights[k] > 0 else (0.0, best)
    return keep, other


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("temperature < 0")
    values = [float(v) for v in logits]
    if temperature == 0:
        return values.index(max(values))
    top = max(values)
    keep, other = _alias_tables([math.exp((v - top) / temperature) for v in values])
    if generator is None:
        rng = random
    else:
        rng = random.Random(int(torch.randint(1 << 53, (1,), generator=generator, device=logits.device)))
    column = rng.randrange(len(values))
    return column if rng.random() < keep[column] else other[column]


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if length < 0:
        raise ValueError(length)
    if not len(seed):
        raise ValueError(seed)
    if any(map(lambda c: c not in char_to_idx, seed)):
        raise ValueError([c for c in seed if c not in char_to_idx])
    page = io.StringIO()
    page.write(seed)
    flags = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            feed, states = [char_to_idx[c] for c in seed], None
            for _ in range(length):
                logits, states = model.forward(torch.tensor(feed, dtype=torch.long, device=device)[None, :], states)
                index = sample_next(logits[0, len(feed) - 1, :], temperature=temperature, generator=generator)
                page.write(idx_to_char[index])
                feed = [index]
    finally:
        for module, flag in flags:
            module.training = flag
    return page.getvalue()
