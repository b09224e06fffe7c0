"""cumsum and searchsorted in float64; a context manager class for the mode; seed characters one by one."""
import torch


class Quiet:
    def __init__(self, model):
        self.model = model

    def __enter__(self):
        self.training = self.model.training
        self.grad = torch.is_grad_enabled()
        self.model.eval()
        torch.set_grad_enabled(False)
        return self.model

    def __exit__(self, *problem):
        torch.set_grad_enabled(self.grad)
        self.model.train(self.training)
        return False


def sample_next(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError(f"negative temperature: {temperature}")
    elif temperature == 0:
        return int(torch.topk(logits, 1).indices[0])
    scaled = logits.detach().double() / temperature
    cumulative = (scaled - scaled.max()).exp().cumsum(0)
    u = cumulative[-1] * torch.rand(1, generator=generator, dtype=torch.float64, device=logits.device)
    return min(int(torch.searchsorted(cumulative, u, right=True)), len(logits) - 1)


def generate_text(model, char_to_idx, idx_to_char, seed="The ", length=500, temperature=1.0, device="cpu", generator=None):
    if not seed:
        raise ValueError("the seed is empty")
    if length < 0:
        raise ValueError("the length is negative")
    codes = []
    for c in seed:
        try:
            codes.append(char_to_idx[c])
        except KeyError:
            raise ValueError(f"{c!r}?") from None
    if not length:
        return seed
    text = [c for c in seed]
    with Quiet(model):
        states = None
        for code in codes:
            logits, states = model(torch.tensor(code).reshape(1, 1).to(device), states)
        for remaining in range(length, 0, -1):
            code = sample_next(logits.squeeze(0).squeeze(0), temperature, generator)
            text.append(idx_to_char[code])
            if remaining > 1:
                logits, states = model(torch.tensor(code).reshape(1, 1).to(device), states)
    return "".join(text)
