"""NumPy inside: the generator gives a seed for NumPy; decorated with no_grad; a generator function makes the characters."""
import itertools

import numpy as np
import torch


def sample_next(logits, temperature=1.0, generator=None):
    if not temperature >= 0:
        raise ValueError(temperature)
    z = logits.detach().cpu().numpy().astype(np.float64)
    if temperature == 0:
        return int(np.random.default_rng(0).choice(np.flatnonzero(z == z.max())))
    z = z / temperature
    p = np.exp(z - z.max())
    p /= p.sum()
    seed = int(torch.randint(2**62, (1,), generator=generator, device=logits.device))
    return int(np.random.default_rng(seed).choice(len(p), p=p))


def _characters(model, x, temperature, device, generator):
    states = None
    while True:
        logits, states = model(x, states)
        i = sample_next(logits[0][-1], temperature=temperature, generator=generator)
        yield i
        x = torch.tensor(i, device=device).view(1, 1)


@torch.no_grad()
def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    missing = set(seed) - set(char_to_idx)
    if missing or not seed or length < 0:
        raise ValueError(f"cannot write: {missing=} {seed=} {length=}")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    try:
        x = torch.as_tensor([char_to_idx[c] for c in seed], device=device).unsqueeze(0)
        stream = _characters(model, x, temperature, device, generator)
        return "".join(itertools.chain(seed, (idx_to_char[i] for i in itertools.islice(stream, length))))
    finally:
        for module, mode in modes.items():
            module.training = mode
