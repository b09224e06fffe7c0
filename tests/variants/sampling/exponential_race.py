"""An exponential race in log space, one copy of the generator's stream; sampling inlined in the writer; deque and join."""
from collections import deque

import torch
from torch.nn import functional as F


def _draw(logits, temperature, generator):
    if temperature == 0.0:
        return int(logits.max(dim=-1).indices)
    log_p = F.log_softmax(logits.float() * (1.0 / temperature), dim=-1)
    race = torch.empty_like(log_p).exponential_(generator=generator)
    return int((race.log() - log_p).argmin())


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError
    return _draw(logits.clone(), float(temperature), generator)


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if seed == "":
        raise ValueError("seed")
    for c in seed:
        if char_to_idx.get(c) is None:
            raise ValueError(c)
    if length < 0:
        raise ValueError("length")
    training = model.training
    queue = deque(char_to_idx[c] for c in seed)
    out, states = [], None
    model.eval()
    with torch.no_grad():
        while len(out) < length:
            x = torch.tensor([[queue.popleft()]], dtype=torch.int64, device=device)
            logits, states = model(x, states)
            if not queue:
                queue.append(_draw(logits.squeeze(0).squeeze(0), float(temperature), generator))
                out.append(idx_to_char[queue[0]])
    model.train(training)
    return "".join([seed, *out])
