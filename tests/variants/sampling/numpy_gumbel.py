"""NumPy's Gumbel noise, seeded by a tensor's random_; float16-proof; a while loop over an iterator of states."""
import numpy as np
import torch


def sample_next(logits, temperature=1.0, generator=None):
    z = np.array(logits.tolist())
    if temperature < 0:
        raise ValueError("no negative temperatures, please")
    if temperature == 0:
        return z.argmax().item()
    if generator is None:
        noise = np.random.gumbel(size=z.shape)
    else:
        seed = torch.empty(4, dtype=torch.int64, device=generator.device).random_(generator=generator).tolist()
        noise = np.random.Generator(np.random.PCG64([abs(s) for s in seed])).gumbel(size=z.shape)
    return int(np.argmax(z / temperature + noise))


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    for c in seed:
        if c not in char_to_idx:
            raise ValueError(f"{c} is not a known character")
    if not (len(seed) > 0 <= length):
        raise ValueError("seed or length")
    switched = [m for m in model.modules() if m.training]
    for m in switched:
        m.training = False
    text, states, feed = seed, None, seed
    try:
        while len(text) < len(seed) + length:
            with torch.no_grad():
                x = torch.from_numpy(np.array([[char_to_idx[c] for c in feed]])).to(device)
                logits, states = model(x, states)
            feed = idx_to_char[sample_next(logits[0, -1].cpu() if generator is None else logits[0, -1], temperature, generator)]
            text += feed
    finally:
        for m in switched:
            m.training = True
    return text
