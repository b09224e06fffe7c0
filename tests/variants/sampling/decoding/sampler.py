import torch


class Greedy:
    __slots__ = ()

    def __call__(self, logits):
        return max(range(len(logits)), key=lambda i: logits[i].item())


class Sampler:
    __slots__ = ("temperature", "generator")

    def __init__(self, temperature, generator):
        self.temperature, self.generator = temperature, generator

    def __call__(self, logits):
        cool = torch.nn.functional.softmax(logits.to(torch.float64).div(self.temperature), dim=0)
        return torch.multinomial(cool.expand(1, -1), 1, replacement=True, generator=self.generator).squeeze().item()
