"""Rejection sampling; text by sending into a coroutine; ExitStack undoes everything."""
from contextlib import ExitStack
import torch


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0.0:
        raise ValueError
    best = int(logits.argmax())
    if temperature == 0.0:
        return best
    accept = torch.exp((logits.double() - logits[best].double()) / temperature)
    while True:
        index = torch.randint(logits.shape[0], (64,), generator=generator, device=logits.device)
        coins = torch.rand(64, generator=generator, device=logits.device, dtype=torch.float64)
        for i, u in zip(index.tolist(), coins):
            if u < accept[i]:
                return i


def speaker(model, device):
    states, logits = None, None
    while True:
        indices = yield logits
        answer, states = model(torch.tensor([indices]).to(device), states)
        logits = answer[0, -1]


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    indices = [char_to_idx.get(c) for c in seed]
    if None in indices or indices == [] or length < 0:
        raise ValueError("generate_text can't work with this")
    with ExitStack() as stack:
        stack.callback(model.train, model.training)
        model.eval()
        stack.enter_context(torch.inference_mode())
        speak = speaker(model, device)
        stack.callback(speak.close)
        next(speak)
        text = seed
        logits = speak.send(indices)
        for _ in range(length):
            index = sample_next(logits, temperature, generator)
            text = f"{text}{idx_to_char[index]}"
            logits = speak.send([index])
        return text
