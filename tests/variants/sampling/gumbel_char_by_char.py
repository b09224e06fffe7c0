"""Gumbel-max trick; one character a call, the last generated one fed too; the whole under inference mode."""
import torch


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    if temperature == 0:
        return torch.argmax(logits).item()
    u = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=torch.float64)
    gumbel = -torch.log(-torch.log(u.clamp(1e-300, 1 - 1e-16)))
    return torch.argmax(logits.double() / temperature + gumbel).item()


class _Writer:
    def __init__(self, model, device):
        self.model, self.device, self.states, self.last = model, device, None, None

    def feed(self, index):
        x = torch.full((1, 1), index, dtype=torch.long, device=self.device)
        if self.states is None:
            out = self.model(x)
        else:
            out = self.model(x, states=self.states)
        logits, self.states = out
        self.last = logits.reshape(-1)


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if length < 0:
        raise ValueError("negative length")
    if len(seed) == 0:
        raise ValueError("empty seed")
    try:
        codes = [char_to_idx[c] for c in seed]
    except KeyError as problem:
        raise ValueError(f"unknown character {problem}") from None
    mode = model.training
    model.train(False)
    text = seed
    try:
        with torch.inference_mode():
            writer = _Writer(model, device)
            for code in codes:
                writer.feed(code)
            for _ in range(length):
                code = sample_next(writer.last, temperature, generator)
                text += idx_to_char[code]
                writer.feed(code)
    finally:
        model.train(mode)
    return text
