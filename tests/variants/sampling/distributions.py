"""torch.distributions under a forked random state; a deep copy of the model does the writing."""
import copy
import torch
from torch.distributions import Categorical


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    if temperature == 0:
        return torch.argmax(logits).item()
    distribution = Categorical(logits=logits / temperature)
    if generator is None:
        return distribution.sample().item()
    seed = torch.randint(2**63 - 1, (), generator=generator, device=generator.device).item()
    with torch.random.fork_rng(devices=[logits.device] if logits.is_cuda else []):
        torch.manual_seed(seed)
        return distribution.sample().item()


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if seed == "" or length < 0 or not set(seed).issubset(char_to_idx):
        raise ValueError("bad seed or length")
    quiet = copy.deepcopy(model).eval().requires_grad_(False)
    x, states, out = [[char_to_idx[c] for c in seed]], None, list(seed)
    while len(out) < len(seed) + length:
        logits, states = quiet(torch.tensor(x, device=device), states)
        x = [[sample_next(logits[0, -1], temperature, generator)]]
        out.append(idx_to_char[x[0][0]])
    return "".join(out)
